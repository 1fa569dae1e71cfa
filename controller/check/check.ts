/** The verdict on a history: what was checked, what came out, and the operations that show it. */

import { Budget, type CheckLimits, checkLimits } from "./budget.ts";
import { findMiscounts, type Miscount } from "./exactly-once.ts";
import { countOf, describe, diagramOf } from "./explain.ts";
import { type HistoryEvent, showName } from "./history.ts";
import { linearize } from "./linearize.ts";
import { type History, historyOf, type Operation } from "./operations.ts";
import { type Progress, progressOf } from "./progress.ts";
import { shrink } from "./shrink.ts";

/** `unknown`: the check met its bounds before it could tell. It never guesses. */
export type VerdictName = "valid" | "invalid" | "unknown";

/** What one check says. */
export type CheckResult = {
  readonly name: "linearizable" | "exactly-once";
  readonly verdict: VerdictName;
  /** For people, in whole sentences. */
  readonly reason: string;
  /** Operations that contradict each other, few of them; empty unless `invalid`. */
  readonly operations: readonly Operation[];
  /** The same as a drawing of lines of text; empty unless `invalid`. */
  readonly diagram: string;
};

/** The verdict on a whole history; plain JSON. */
export type Verdict = {
  readonly verdict: VerdictName;
  /** That of the check that decided it. */
  readonly reason: string;
  readonly operations: readonly Operation[];
  readonly diagram: string;
  readonly checks: readonly CheckResult[];
  readonly progress: Progress;
  readonly statistics: {
    readonly events: number;
    readonly operations: number;
    readonly ok: number;
    readonly fail: number;
    readonly info: number;
    readonly processes: number;
    readonly keys: number;
    /** From the first event to the last. */
    readonly durationUs: number;
    /** How many configurations the search looked at, and how many it kept beside each other at most. */
    readonly configurationsExplored: number;
    readonly configurationsMax: number;
  };
};

/** What a check may cost. */
export type CheckOptions = {
  /** Bounds of the search; what is left out is as in `checkLimits`. */
  readonly limits?: Partial<CheckLimits>;
  /** A clock for `durationMsMax`. Without one, only counts bound the search, and its verdict is the same everywhere. */
  readonly nowMs?: () => number;
};

/**
 * The verdict on a history given as events, in real-time order.
 *
 * @throws HistoryError if the events are no history.
 */
export function checkHistory(events: Iterable<HistoryEvent>, options: CheckOptions = {}): Verdict {
  return judge(historyOf(events), options);
}

/** The verdict on a history. */
export function judge(history: History, options: CheckOptions = {}): Verdict {
  const budget = new Budget({ ...checkLimits, ...options.limits }, options.nowMs ?? null);
  const miscounts = findMiscounts(history);
  const { result: linearizable, frontierMax } = checkLinearizable(history, budget, miscounts);
  const checks = [linearizable, checkExactlyOnce(miscounts, linearizable.verdict)];
  const decisive = checks.find(({ verdict }) => verdict === "invalid") ?? linearizable;
  const count = (outcome: Operation["outcome"]): number =>
    history.operations.reduce((sum, each) => (each.outcome === outcome ? sum + 1 : sum), 0);
  return {
    verdict: decisive.verdict,
    reason: decisive.reason,
    operations: decisive.operations,
    diagram: decisive.diagram,
    checks,
    progress: progressOf(history),
    statistics: {
      events: history.events,
      operations: history.operations.length,
      ok: count("ok"),
      fail: count("fail"),
      info: count("info"),
      processes: history.processes,
      keys: history.byKey.size,
      durationUs: history.endUs - history.startUs,
      configurationsExplored: budget.explored,
      configurationsMax: frontierMax,
    },
  };
}

/**
 * One key whose operations have no order is enough: the others are not looked at then. What counted twice or not at all
 * has no order, and needs no search.
 */
function checkLinearizable(
  history: History,
  budget: Budget,
  [miscount]: readonly Miscount[],
): { result: CheckResult; frontierMax: number } {
  const name = "linearizable";
  if (miscount !== undefined) return { result: invalid(name, miscount.reason, miscount.operations), frontierMax: 0 };
  let frontierMax = 0;
  let undecided: CheckResult | null = null;
  for (const [key, operations] of history.byKey) {
    const outcome = linearize(operations, budget);
    frontierMax = Math.max(frontierMax, outcome.frontierMax);
    if (outcome.verdict === "invalid") {
      const contradiction = shrink(operations, outcome.at);
      return { result: invalid(name, contradictionOf(key, contradiction), contradiction), frontierMax };
    }
    if (outcome.verdict === "unknown") {
      const reason = `No answer for key "${showName(key)}": ${outcome.reason}. A shorter history may have one, or one with fewer operations open, or lost, at a time.`;
      undecided ??= { name, verdict: "unknown", reason, operations: [], diagram: "" };
    }
  }
  const reason = explanationOf(history);
  return { result: undecided ?? { name, verdict: "valid", reason, operations: [], diagram: "" }, frontierMax };
}

function explanationOf({ operations, byKey }: History): string {
  if (operations.length === 0) return "No operation at all: nothing that could have gone wrong.";
  const count = operations.length === 1 ? "The only operation" : `Each of ${operations.length} operations`;
  const keys = countOf(byKey.size, "key");
  return `${count} on ${keys} can have taken effect at one moment between its invocation and its completion.`;
}

/** In one order that explains everything, each operation stands once: a linearizable history counts exactly once. */
function checkExactlyOnce([miscount]: readonly Miscount[], linearizable: VerdictName): CheckResult {
  const name = "exactly-once";
  if (miscount !== undefined) return invalid(name, miscount.reason, miscount.operations);
  if (linearizable === "valid") {
    const reason = "Each operation took effect once at most, and once where it was acknowledged.";
    return { name, verdict: "valid", reason, operations: [], diagram: "" };
  }
  const reason = "No add or append was found to be lost or repeated; without an order of all operations, one may be.";
  return { name, verdict: "unknown", reason, operations: [], diagram: "" };
}

function invalid(name: CheckResult["name"], reason: string, operations: readonly Operation[]): CheckResult {
  return { name, verdict: "invalid", reason, operations, diagram: diagramOf(operations) };
}

function contradictionOf(key: string, operations: readonly Operation[]): string {
  const [only] = operations;
  if (operations.length === 1 && only !== undefined) {
    return `${showName(only.process)} says "${describe(only)}": nothing that was ever done to key "${showName(key)}" explains that.`;
  }
  return (
    `These ${operations.length} operations on key "${showName(key)}" contradict each other: in whatever order they took effect, ` +
    "each at one moment between its invocation and its completion, clients cannot have seen what they saw."
  );
}
