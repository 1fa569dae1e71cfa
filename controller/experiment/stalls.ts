/** The times in which clients waited, and none of them was answered. */

import type { Operation } from "../check/index.ts";

/** A stretch of time in which operations were open all the while and none completed `ok`. */
export type Stall = {
  readonly fromUs: number;
  readonly toUs: number;
  /** How many operations were open at some moment of it. */
  readonly operations: number;
  /** How long the slowest of them was open in all. */
  readonly longestUs: number;
};

/** The stalls longer than `longerThanUs` of a run that ended at `endUs`, in the order of time. */
export function stallsOf(operations: readonly Operation[], longerThanUs: number, endUs: number): readonly Stall[] {
  const answersUs = operations
    .filter(({ outcome }) => outcome === "ok")
    .map(({ completedAtUs }) => completedAtUs ?? endUs)
    .toSorted((one, other) => one - other);
  const stalls: Stall[] = [];
  let lastUs = 0;
  for (const answerUs of [...answersUs, endUs]) {
    const stall = answerUs - lastUs > longerThanUs ? stallBetween(operations, lastUs, answerUs, endUs) : null;
    if (stall !== null && stall.toUs - stall.fromUs > longerThanUs) stalls.push(stall);
    lastUs = answerUs;
  }
  return stalls;
}

/** The wait that ended at `toUs`: nobody was answered since `lastUs`, but perhaps nobody asked at first. */
function stallBetween(operations: readonly Operation[], lastUs: number, toUs: number, endUs: number): Stall | null {
  let fromUs = toUs;
  let longestUs = 0;
  let waiting = 0;
  for (const { invokedAtUs, completedAtUs } of operations) {
    const untilUs = completedAtUs ?? endUs;
    if (invokedAtUs >= toUs || untilUs <= lastUs) continue;
    waiting += 1;
    fromUs = Math.min(fromUs, Math.max(invokedAtUs, lastUs));
    longestUs = Math.max(longestUs, untilUs - invokedAtUs);
  }
  return waiting === 0 ? null : { fromUs, toUs, operations: waiting, longestUs };
}
