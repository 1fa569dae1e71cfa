/** How clients were served: who was answered when, and the times in which they waited and nobody was. */

import type { Operation } from "../check/index.ts";

/** A stretch of time from when somebody first waited until an operation completed `ok`, or the last one gave up. */
export type Stall = {
  readonly fromUs: number;
  readonly toUs: number;
  /** Whether it ended with an answer. */
  readonly answered: boolean;
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
    return this.#gaps()
      .filter((gap) => lengthOf(gap) > longerThanUs)
      .flatMap((gap) => this.#waitIn(gap) ?? [])
      .filter((stall) => lengthOf(stall) > longerThanUs);
  }

  /** The longest of all stalls; `null` if nobody ever waited. */
  longestStall(): Stall | null {
    let longest: Stall | null = null;
    for (const gap of this.#gaps().toSorted((one, other) => lengthOf(other) - lengthOf(one))) {
      // No wait is longer than the time without an answer in which it lies.
      if (longest !== null && lengthOf(gap) <= lengthOf(longest)) break;
      const stall = this.#waitIn(gap);
      if (stall !== null && (longest === null || lengthOf(stall) > lengthOf(longest))) longest = stall;
    }
    return longest;
  }

  /** The times between one answer and the next. */
  #gaps(): readonly Gap[] {
    const answersUs = this.#operations
      .filter(({ outcome }) => outcome === "ok")
      .map((operation) => this.#endOf(operation))
      .sort((one, other) => one - other);
    const gaps: Gap[] = [];
    let fromUs = 0;
    for (const toUs of answersUs) {
      gaps.push({ fromUs, toUs, answered: true });
      fromUs = toUs;
    }
    return [...gaps, { fromUs, toUs: this.#endUs, answered: false }];
  }

  /** The wait in a time without an answer: perhaps nobody asked at first, or in the end nobody waited any more. */
  #waitIn({ fromUs: lastUs, toUs, answered }: Gap): Stall | null {
    let fromUs = toUs;
    let untilUs = lastUs;
    let longestUs = 0;
    let operations = 0;
    for (let at = this.#firstSince(lastUs - this.#openUsMax); ; at += 1) {
      const operation = this.#operations[at];
      if (operation === undefined || operation.invokedAtUs >= toUs) break;
      const endedUs = this.#endOf(operation);
      if (endedUs <= lastUs) continue;
      operations += 1;
      fromUs = Math.min(fromUs, Math.max(operation.invokedAtUs, lastUs));
      untilUs = Math.max(untilUs, Math.min(endedUs, toUs));
      longestUs = Math.max(longestUs, endedUs - operation.invokedAtUs);
    }
    return operations === 0 ? null : { fromUs, toUs: untilUs, answered, operations, longestUs };
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

/** A time without an answer, up to the next one or the end of the run. */
type Gap = Pick<Stall, "fromUs" | "toUs" | "answered">;

function lengthOf({ fromUs, toUs }: Pick<Stall, "fromUs" | "toUs">): number {
  return toUs - fromUs;
}
