/**
 * Finds a small set of operations that already shows a contradiction.
 *
 * Leaving out an operation must not make a contradiction that was not there: without the write of 7, a read of 7 would
 * look like a lie. So an operation is left out by believing less of it, never by believing that it did not happen:
 *
 * - a read (or a cas that did not swap) is dropped: one thing less to explain;
 * - anything else is doubted: it took effect between its invocation and its completion, or never, and what came back
 *   from it says nothing.
 *
 * If the history is still impossible to explain, the contradiction lies in the operations that are believed, whatever
 * the others did. And as none of the others need have taken effect, the believed ones alone are contradictory too.
 */

import type { Json } from "../../device/json.ts";
import { isEqual } from "../../device/machine/json-equal.ts";
import { Budget, type CheckLimits, checkLimits } from "./budget.ts";
import { linearize } from "./linearize.ts";
import { isPair, type Operation } from "./operations.ts";

/** How much work a single trial, and all of them, may be: in configurations, so that the result is always the same. */
const trialLimits: CheckLimits = { ...checkLimits, configurationsMax: 100_000, frontierMax: 2_000 };
const configurationsMax = 1_500_000;
/** The same for a trial of what is small already. */
const finishConfigurationsMax = 5_000;

/**
 * A small contradictory subset of `operations`, which are all those on one key, in the order of their invocations, and
 * known to be contradictory around the completion of `at`. No operation of the result could be left out as well, but for
 * those that only show where a value came from, and unless the bound on the work was met first; then the result is
 * contradictory still, only larger than need be.
 */
export function shrink(operations: readonly Operation[], at: Operation): Operation[] {
  const known = operations.filter(({ outcome }) => outcome !== "fail");
  const place = at.completeLine ?? Number.POSITIVE_INFINITY;
  const prefix = known.filter(({ invokeLine }) => invokeLine <= place);
  let left = configurationsMax;
  let trialMax = trialLimits.configurationsMax;
  const mayGoOn = (): boolean => left > 0;

  function isContradictory(trial: readonly Operation[], kept: ReadonlySet<Operation>, from: "absent" | "any"): boolean {
    const doubted = new Set(trial.filter((operation) => !kept.has(operation)));
    const limits = { ...trialLimits, configurationsMax: Math.min(trialMax, left) };
    const budget = new Budget(limits, null);
    const { verdict } = linearize(trial, budget, doubted, from);
    left -= budget.explored + trial.length;
    return verdict === "invalid";
  }

  /** Whether the `believed` of `all` operations contradict each other, whatever the others did. */
  function isContradiction(all: readonly Operation[], believed: readonly Operation[]): boolean {
    const kept = new Set(believed);
    const trial = all.filter((operation) => kept.has(operation) || canChange(operation));
    return isContradictory(trial, kept, "absent");
  }

  /** Whether they even do so whatever the key held before the first of them: quick to tell, as only few can matter. */
  function isContradictionAnywhere(believed: readonly Operation[]): boolean {
    const kept = new Set(believed);
    const first = believed.reduce((line, { invokeLine }) => Math.min(line, invokeLine), Number.POSITIVE_INFINITY);
    const last = believed.reduce((line, each) => Math.max(line, endOf(each)), 0);
    const meanwhile = known.filter((each) => endOf(each) > first && each.invokeLine < last);
    const trial = meanwhile.filter((operation) => kept.has(operation) || canChange(operation));
    return isContradictory(trial, kept, "any");
  }

  const believable = farthestFirst(known, place);
  const window = nearContradiction(believable, windowMax, isContradictionAnywhere);
  const around = window === null ? null : minimal(window, isContradictionAnywhere, mayGoOn);
  if (around !== null) trialMax = finishConfigurationsMax;

  const before = around ?? believable.filter((each) => endOf(each) <= place);
  // The search looks ahead where it can, and then finds out sooner than a client could.
  const isEarly = around === null && isContradiction(prefix, before);
  const all = isEarly ? prefix : known;
  const shows = (believed: readonly Operation[]): boolean => isContradiction(all, believed);
  const candidates = around ?? (isEarly ? before : believable);
  const near = around ?? nearContradiction(candidates, candidates.length, shows) ?? candidates;
  return withSources(minimal(near, shows, mayGoOn), all);
}

/** How many operations around the contradiction are tried without what was before them. */
const windowMax = 1_024;

function endOf({ outcome, completeLine }: Operation): number {
  return outcome === "ok" ? (completeLine ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
}

/** Those of which it is known how they ended, the closest to a line at the end. */
function farthestFirst(operations: readonly Operation[], line: number): Operation[] {
  const distance = ({ completeLine }: Operation): number => Math.abs((completeLine ?? 0) - line);
  return operations.filter(({ outcome }) => outcome === "ok").sort((a, b) => distance(b) - distance(a));
}

function canChange({ op, result }: Operation): boolean {
  return op !== "read" && !(op === "cas" && result === false);
}

/**
 * The same with, for each value that was seen, the operation from which it came, if one of `all` left it: to believe more
 * takes nothing from the contradiction, and a reader wants to know where a stale value was from.
 */
function withSources(believed: readonly Operation[], all: readonly Operation[]): Operation[] {
  const shown = new Set(believed);
  for (const operation of believed) {
    const seen = seenBy(operation);
    if (seen === undefined || believed.some((other) => leaves(other, seen))) continue;
    const end = operation.completeLine ?? Number.POSITIVE_INFINITY;
    const source = all.findLast((other) => other.invokeLine < end && other.outcome !== "fail" && leaves(other, seen));
    if (source !== undefined) shown.add(source);
  }
  return [...shown].sort((a, b) => a.invokeLine - b.invokeLine);
}

/** The value that an operation found, if it says so. */
function seenBy({ op, value, result }: Operation): Json | undefined {
  if (op === "read") return result;
  return op === "cas" && result === true && isPair(value) ? value[0] : undefined;
}

function leaves({ op, value, result }: Operation, seen: Json): boolean {
  if (op === "write") return isEqual(value ?? null, seen);
  if (op === "cas") return result !== false && isPair(value) && isEqual(value[1], seen);
  return (op === "add" || op === "append") && result !== undefined && isEqual(result, seen);
}

/** The last so many operations that contradict each other, doubling their number until they do; `null` if none do. */
function nearContradiction(
  operations: readonly Operation[],
  countMax: number,
  isContradiction: (believed: readonly Operation[]) => boolean,
): readonly Operation[] | null {
  for (let count = 4; count < countMax; count *= 2) {
    const last = operations.slice(-count);
    if (isContradiction(last)) return last;
    if (count >= operations.length) return null;
  }
  return null;
}

/** Delta debugging (Zeller and Hildebrandt, 2002): leaves out ever smaller parts, at last single operations. */
function minimal(
  operations: readonly Operation[],
  isContradiction: (believed: readonly Operation[]) => boolean,
  mayGoOn: () => boolean,
): readonly Operation[] {
  let believed = operations;
  for (let size = Math.ceil(believed.length / 2); size >= 1 && mayGoOn(); ) {
    let leftOut = false;
    for (let start = 0; start < believed.length && mayGoOn(); ) {
      const rest = [...believed.slice(0, start), ...believed.slice(start + size)];
      if (rest.length > 0 && isContradiction(rest)) {
        believed = rest;
        leftOut = true;
      } else start += size;
    }
    if (size === 1 && !leftOut) break;
    size = size === 1 ? 1 : Math.ceil(size / 2);
  }
  return believed;
}
