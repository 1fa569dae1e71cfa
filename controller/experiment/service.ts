/** How clients were served: who was answered when, and the times in which they waited and nobody was. */

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

/** The operations of a run that ended at `endUs`, in the order of their invocations, asked for times. */
export class Service {
  readonly #operations: readonly Operation[];
  readonly #endUs: number;
  /** No operation is open for longer: those that were open at a moment began at most so long before it. */
  readonly #openUsMax: number;

  constructor(operations: readonly Operation[], endUs: number) {
    this.#operations = operations;
    this.#endUs = endUs;
    this.#openUsMax = operations.reduce((most, each) => Math.max(most, this.#endOf(each) - each.invokedAtUs), 0);
  }

  /** When, from a moment on, an operation first succeeded; only those that also began from then on, if so asked. */
  firstAnswerUs(fromUs: number, begunFromThen: boolean): number | null {
    let firstUs: number | null = null;
    for (let at = this.#firstSince(begunFromThen ? fromUs : fromUs - this.#openUsMax); ; at += 1) {
      const operation = this.#operations[at];
      if (operation === undefined || (firstUs !== null && operation.invokedAtUs > firstUs)) return firstUs;
      const endedUs = operation.completedAtUs;
      if (operation.outcome !== "ok" || endedUs === null || endedUs < fromUs) continue;
      firstUs = Math.min(firstUs ?? endedUs, endedUs);
    }
  }

  /** The stalls longer than this, in the order of time. */
  stalls(longerThanUs: number): readonly Stall[] {
    const answersUs = this.#operations
      .filter(({ outcome }) => outcome === "ok")
      .map((operation) => this.#endOf(operation))
      .sort((one, other) => one - other);
    const stalls: Stall[] = [];
    let lastUs = 0;
    for (const answerUs of [...answersUs, this.#endUs]) {
      const stall = answerUs - lastUs > longerThanUs ? this.#waitBetween(lastUs, answerUs) : null;
      if (stall !== null && stall.toUs - stall.fromUs > longerThanUs) stalls.push(stall);
      lastUs = answerUs;
    }
    return stalls;
  }

  /** The wait that ended at `toUs`: nobody was answered since `lastUs`, but perhaps nobody asked at first. */
  #waitBetween(lastUs: number, toUs: number): Stall | null {
    let fromUs = toUs;
    let longestUs = 0;
    let waiting = 0;
    for (let at = this.#firstSince(lastUs - this.#openUsMax); ; at += 1) {
      const operation = this.#operations[at];
      if (operation === undefined || operation.invokedAtUs >= toUs) break;
      const endedUs = this.#endOf(operation);
      if (endedUs <= lastUs) continue;
      waiting += 1;
      fromUs = Math.min(fromUs, Math.max(operation.invokedAtUs, lastUs));
      longestUs = Math.max(longestUs, endedUs - operation.invokedAtUs);
    }
    return waiting === 0 ? null : { fromUs, toUs, operations: waiting, longestUs };
  }

  #endOf({ completedAtUs }: Operation): number {
    return completedAtUs ?? this.#endUs;
  }

  /** The place of the first operation that began at this moment or later. */
  #firstSince(atUs: number): number {
    let low = 0;
    let high = this.#operations.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#operations[middle]?.invokedAtUs ?? atUs) < atUs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
