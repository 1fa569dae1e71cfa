/**
 * What a run says about an experiment's expectations, and the verdict that follows.
 *
 * Three things are looked at: what clients saw (the history, as the checker judges it), when they were served and who
 * led (against the moments at which faults began and ended), and what only a simulated bench can know, that a rule of
 * Raft was broken inside or that the cluster did not recover at the end.
 *
 * The verdict is `invalid` if anything is other than it should be, `unknown` if something could not be decided and
 * nothing is wrong, and `valid` otherwise. The promises of safety are judged by the history alone: a rule may be broken
 * without any client being lied to. A broken rule is a finding of its own, and so is a cluster that does not recover;
 * either makes the run invalid, listed among the expectations or not, unless the experiment is there to show what comes
 * of it: a broken rule then explains the lie, and a cluster that does not recover breaks the promises of service.
 */

import { formatDurationUs } from "../../sim/duration.ts";
import type { Violation } from "../../sim/invariants.ts";
import type { LivenessFailure } from "../../sim/liveness.ts";
import type { Death } from "../bench/bench.ts";
import type { Verdict, VerdictName } from "../check/index.ts";
import type { Chronicle, NotedMoment } from "./chronicle.ts";
import { type Expectation, expectsLie, formatPromise, type Promised } from "./expectations.ts";
import type { Service } from "./service.ts";

/** Everything that there is to judge. */
export type Evidence = {
  readonly expect: readonly Expectation[];
  readonly chronicle: Chronicle;
  readonly service: Service;
  /** The checker's verdict on the history. */
  readonly history: Verdict;
  /** The rule of Raft that was broken, and what was demanded in vain at the end; of a simulated run. */
  readonly violation: Violation | null;
  readonly liveness: LivenessFailure | null;
  /** The processes of a real bench that died without having been told to. */
  readonly deaths: readonly Death[];
  /** Whether the run was stopped before its end. */
  readonly interrupted: boolean;
};

/** What became of a promise. */
export type PromiseOutcome = "kept" | "broken" | "undecided";

/** An expectation, and what became of it. */
export type JudgedExpectation = {
  /** As in the experiment's file: `available within 3s of heal`, `fails: linearizable`. */
  readonly expects: string;
  readonly outcome: PromiseOutcome;
  /** Whether that is what was expected; `null`: nobody can tell. */
  readonly met: boolean | null;
  /** In whole sentences, for people. */
  readonly detail: string;
};

/** Something that is wrong whatever was expected. */
export type Finding = { readonly by: string; readonly detail: string; readonly atUs: number | null };

/** The verdict on a run, and all that it rests on. */
export type Judgement = {
  readonly verdict: VerdictName;
  readonly expectations: readonly JudgedExpectation[];
  readonly findings: readonly Finding[];
};

/** Judges a run. */
export function judgeRun(evidence: Evidence): Judgement {
  const expectations = evidence.expect.map((expectation) => judgeExpectation(expectation, evidence));
  const findings = findingsOf(evidence);
  const isWrong = expectations.some(({ met }) => met === false) || findings.length > 0;
  const isOpen = expectations.some(({ met }) => met === null) || evidence.interrupted;
  return { verdict: isWrong ? "invalid" : isOpen ? "unknown" : "valid", expectations, findings };
}

function judgeExpectation({ promise, outcome: expected }: Expectation, evidence: Evidence): JudgedExpectation {
  const { outcome, detail } = judgePromise(promise, evidence);
  return {
    expects: expected === "broken" ? `fails: ${formatPromise(promise)}` : formatPromise(promise),
    outcome,
    met: outcome === "undecided" ? null : outcome === expected,
    detail,
  };
}

type Judged = { readonly outcome: PromiseOutcome; readonly detail: string };

function judgePromise(promise: Promised, evidence: Evidence): Judged {
  switch (promise.kind) {
    case "linearizable":
    case "exactly-once":
      return judgeSafety(promise.kind, evidence);
    case "available":
      return judgeMoments(promise, evidence, availabilityAfter);
    case "leader":
      return judgeMoments(promise, evidence, leadershipAfter);
    default:
      return promise satisfies never;
  }
}

function judgeSafety(kind: "linearizable" | "exactly-once", { history, violation, expect }: Evidence): Judged {
  const check = history.checks.find(({ name }) => name === kind);
  if (check?.verdict === "invalid") {
    const before = violation === null ? "" : ` ${rule(violation)}`;
    return { outcome: "broken", detail: `${check.reason}${before}` };
  }
  if (history.statistics.ok === 0) return { outcome: "undecided", detail: "Not decided: no client was answered." };
  const outcome = check?.verdict === "valid" ? "kept" : "undecided";
  const detail = check?.reason ?? "It was not checked.";
  if (!expectsLie(expect)) return { outcome, detail };
  return {
    outcome,
    detail: `${detail} ${violation === null ? "" : `${rule(violation)} No client noticed. `}${tryMore}`,
  };
}

/** How to go on where a lie was expected and not told. */
const tryMore = "Try other seeds, more operations, or worse faults.";

function rule({ invariant, board, atUs }: Violation): string {
  return `At ${formatSeconds(atUs)} ${board} broke the rule "${invariant}".`;
}

/** What followed a moment: it came so long afterwards, it did not come in time, or the run ended before its time was up. */
type Followed = { readonly afterUs: number } | "late" | "undecided";
type Timed = Extract<Promised, { readonly withinUs: number }>;

function judgeMoments(
  promise: Timed,
  evidence: Evidence,
  follow: (moment: NotedMoment, withinUs: number, evidence: Evidence) => Followed,
): Judged {
  const moments = evidence.chronicle.moments.filter(({ kind }) => kind === promise.of);
  const what = promise.of === "fault" ? "fault" : "heal";
  if (evidence.liveness !== null && promise.of === "heal") {
    return {
      outcome: "broken",
      detail: `After the last heal, this was demanded in vain: ${evidence.liveness.demand}.`,
    };
  }
  if (moments.length === 0) return { outcome: "kept", detail: `There was no ${what} after which to look.` };
  let longestUs = 0;
  let undecided = 0;
  for (const moment of moments) {
    const followed = follow(moment, promise.withinUs, evidence);
    if (followed === "late") {
      const detail = `Not after the ${what} at ${formatSeconds(moment.atUs)}: nothing within ${formatDurationUs(promise.withinUs)}.`;
      return { outcome: "broken", detail };
    }
    if (followed === "undecided") undecided += 1;
    else longestUs = Math.max(longestUs, followed.afterUs);
  }
  if (undecided > 0) {
    return { outcome: "undecided", detail: `The run ended before the time was up after ${undecided} of them.` };
  }
  const times = moments.length === 1 ? `the ${what}` : `each of ${moments.length} ${what}s`;
  return { outcome: "kept", detail: `After ${times}, at the longest after ${formatSeconds(longestUs)}.` };
}

/**
 * The first operation that succeeded afterwards. After a fault it must have begun afterwards as well: an answer that was
 * on its way already says nothing about the fault.
 */
function availabilityAfter({ kind, atUs }: NotedMoment, withinUs: number, { service, chronicle }: Evidence): Followed {
  return followedAt(service.firstAnswerUs(atUs, kind === "fault"), atUs, withinUs, chronicle.endUs);
}

/** When a majority had a leader afterwards: at once if it kept the one that it had, else with the next. */
function leadershipAfter({ atUs }: NotedMoment, withinUs: number, { chronicle }: Evidence): Followed {
  const { reigns, endUs } = chronicle;
  const untilUs = Math.min(atUs + withinUs, endUs);
  if (reigns.some(({ fromUs, toUs }) => fromUs <= atUs && toUs >= untilUs)) return { afterUs: 0 };
  const next = reigns.find(({ fromUs }) => fromUs >= atUs);
  return followedAt(next?.fromUs ?? null, atUs, withinUs, endUs);
}

function followedAt(firstUs: number | null, atUs: number, withinUs: number, endUs: number): Followed {
  if (firstUs !== null && firstUs <= atUs + withinUs) return { afterUs: firstUs - atUs };
  return endUs < atUs + withinUs ? "undecided" : "late";
}

function findingsOf({ expect, violation, liveness, deaths }: Evidence): readonly Finding[] {
  const mayNotRecover = expect.some(({ promise, outcome }) => outcome === "broken" && "withinUs" in promise);
  const findings: Finding[] = [];
  if (violation !== null && !expectsLie(expect)) {
    const { invariant, board, detail, atUs } = violation;
    findings.push({ by: invariant, detail: `${board}: ${detail}`, atUs });
  }
  if (liveness !== null && !mayNotRecover) {
    findings.push({ by: `liveness: ${liveness.demand}`, detail: liveness.detail, atUs: null });
  }
  for (const { name, reason, atUs } of deaths) {
    findings.push({ by: "processes die only when they are told to", detail: `${name}: ${reason}`, atUs });
  }
  return findings;
}

/** Seconds with two places, as in `12.34 s`. */
function formatSeconds(us: number): string {
  return `${(us / 1_000_000).toFixed(2)} s`;
}
