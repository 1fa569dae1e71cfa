/** Did clients get anywhere? How long they stalled, and how soon each was served again after a moment such as a heal. */

import type { History, Operation } from "./operations.ts";

/** How a history went on, all times in microseconds on the clock of the history. */
export type Progress = {
  /** The longest time in which operations were open and none completed `ok`; 0 if there was none. */
  readonly longestStallUs: number;
  /** When that began; `null` if there was none. */
  readonly longestStallAtUs: number | null;
};

/** The longest stall of a history. An operation is open until its completion, of whatever type. */
export function progressOf(history: History): Progress {
  let longestStallUs = 0;
  let longestStallAtUs: number | null = null;
  let open = 0;
  let waitingSinceUs = 0;

  function stalledUntil(atUs: number): void {
    if (atUs - waitingSinceUs <= longestStallUs) return;
    longestStallUs = atUs - waitingSinceUs;
    longestStallAtUs = waitingSinceUs;
  }
  for (const { operation, begins } of endsInOrder(history.operations)) {
    if (begins) {
      if (open === 0) waitingSinceUs = operation.invokedAtUs;
      open += 1;
      continue;
    }
    const atUs = operation.completedAtUs ?? history.endUs;
    open -= 1;
    stalledUntil(atUs);
    if (operation.outcome === "ok") waitingSinceUs = atUs;
  }
  if (open > 0) stalledUntil(history.endUs);
  return { longestStallUs, longestStallAtUs };
}

/** How soon clients were served after a moment. */
export type Recovery = {
  /** `unknown` if the history ends before everyone's time is up. */
  readonly verdict: "valid" | "invalid" | "unknown";
  readonly reason: string;
  /** How long after the moment the first operation completed `ok`; `null` if none did. */
  readonly firstOkAfterUs: number | null;
  /** How long the client that waited longest waited for an `ok`, until the end of the history if in vain. */
  readonly longestWaitUs: number;
  /** The clients that were not served in time. */
  readonly unserved: readonly string[];
};

/**
 * Whether every client that wants something after `fromUs` has an operation completed `ok` within `withinUs`, counted
 * from then or from its first invocation after it, whichever is later. A client whose operation was open at `fromUs` and
 * that then gave up for good is not counted: it goes on, if at all, under another name.
 */
export function recoveryAfter(history: History, fromUs: number, withinUs: number): Recovery {
  const waits = waitsAfter(history, fromUs);
  let firstOkAfterUs: number | null = null;
  let longestWaitUs = 0;
  let undecided = 0;
  const unserved: string[] = [];
  for (const [process, { sinceUs, servedAtUs }] of waits) {
    const waitUs = (servedAtUs ?? history.endUs) - sinceUs;
    longestWaitUs = Math.max(longestWaitUs, waitUs);
    if (servedAtUs !== null) firstOkAfterUs = Math.min(firstOkAfterUs ?? Number.POSITIVE_INFINITY, servedAtUs - fromUs);
    if (waitUs > withinUs) unserved.push(process);
    else if (servedAtUs === null) undecided += 1;
  }
  const figures = { firstOkAfterUs, longestWaitUs, unserved };
  const seconds = `${withinUs / 1_000_000} s`;
  if (unserved.length > 0) {
    return { verdict: "invalid", reason: `Not served within ${seconds}: ${unserved.join(", ")}.`, ...figures };
  }
  if (undecided > 0 || waits.size === 0) {
    const reason =
      waits.size === 0 ? "No client wanted anything then." : `The history ends before ${seconds} are over.`;
    return { verdict: "unknown", reason, ...figures };
  }
  return { verdict: "valid", reason: `All ${waits.size} clients were served within ${seconds}.`, ...figures };
}

type Wait = { readonly sinceUs: number; servedAtUs: number | null };

function waitsAfter(history: History, fromUs: number): Map<string, Wait> {
  const waits = new Map<string, Wait>();
  for (const { process, outcome, invokedAtUs, completedAtUs } of history.operations) {
    if (completedAtUs !== null && completedAtUs < fromUs) continue;
    if (invokedAtUs < fromUs && outcome === "info" && completedAtUs !== null) continue;
    let wait = waits.get(process);
    if (wait === undefined) {
      wait = { sinceUs: Math.max(fromUs, invokedAtUs), servedAtUs: null };
      waits.set(process, wait);
    }
    if (outcome === "ok") wait.servedAtUs ??= completedAtUs;
  }
  return waits;
}

/** The beginnings and ends of operations as they happened. */
function* endsInOrder(
  operations: readonly Operation[],
): Generator<{ readonly operation: Operation; readonly begins: boolean }> {
  const completed = operations
    .filter(({ completeLine }) => completeLine !== null)
    .sort((a, b) => (a.completeLine ?? 0) - (b.completeLine ?? 0));
  let next = 0;
  for (const operation of operations) {
    for (let end = completed[next]; end !== undefined; end = completed[next]) {
      if ((end.completeLine ?? 0) > operation.invokeLine) break;
      yield { operation: end, begins: false };
      next += 1;
    }
    yield { operation, begins: true };
  }
  for (const operation of completed.slice(next)) yield { operation, begins: false };
}
