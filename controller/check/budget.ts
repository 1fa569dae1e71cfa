/** What a check may cost. It is counted, so that the same history has the same verdict everywhere; time is optional. */

/** The bounds of the search for an order of the operations. */
export type CheckLimits = {
  /** How many configurations may be looked at in all. */
  readonly configurationsMax: number;
  /** How many configurations are kept beside each other: the bound on memory, with the next one. */
  readonly frontierMax: number;
  /** How many values that nobody saw a key is thought to have held. */
  readonly valuesMax: number;
  /** How long it may take, by the clock given; without one, time is not looked at. */
  readonly durationMsMax: number;
};

/** Generous: a history that needs more is hardly ever decided by patience. */
export const checkLimits: CheckLimits = {
  configurationsMax: 50_000_000,
  frontierMax: 20_000,
  valuesMax: 1_000_000,
  durationMsMax: 60_000,
};

/** Counts down what one check may cost. */
export class Budget {
  readonly limits: CheckLimits;
  readonly #nowMs: (() => number) | null;
  readonly #endMs: number;
  #explored = 0;
  #timeIsUp = false;

  constructor(limits: CheckLimits, nowMs: (() => number) | null) {
    this.limits = limits;
    this.#nowMs = nowMs;
    this.#endMs = nowMs === null ? Number.POSITIVE_INFINITY : nowMs() + limits.durationMsMax;
  }

  /** How many configurations were looked at so far. */
  get explored(): number {
    return this.#explored;
  }

  /** Takes the price of one configuration. False once nothing is left. */
  take(): boolean {
    this.#explored += 1;
    if (this.#nowMs !== null && (this.#explored & 1023) === 0 && this.#nowMs() > this.#endMs) this.#timeIsUp = true;
    return !this.isSpent;
  }

  get isSpent(): boolean {
    return this.#timeIsUp || this.#explored > this.limits.configurationsMax;
  }

  /** Which bound was met, in words. */
  get reason(): string {
    return this.#timeIsUp
      ? `the time for the check (${this.limits.durationMsMax / 1_000} s) ran out`
      : `more than ${this.limits.configurationsMax} configurations would have to be looked at`;
  }
}
