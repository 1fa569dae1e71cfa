/** The two clocks of a board, which a bench of local processes may set wrong. */

import type { Clock } from "../replica/host.ts";

/** See `Clock`; a drift holds for both clocks, a jump for the wall clock alone. */
export class BoardClock implements Clock {
  /** The true time from which the present drift counts, and what the clock showed then. */
  #sinceUs = trueUs();
  #shownUs = trueUs();
  #driftPpm = 0;
  readonly #epochUs = Date.now() * 1_000 - trueUs();
  #jumpedUs = 0;

  monotonicUs(): number {
    const elapsedUs = trueUs() - this.#sinceUs;
    return this.#shownUs + elapsedUs + Math.floor((elapsedUs * this.#driftPpm) / 1_000_000);
  }

  wallMs(): number {
    // Without an order to be wrong it follows the operating system's clock, and whoever sets that.
    if (this.#driftPpm === 0 && this.#shownUs === this.#sinceUs) return Date.now() + Math.round(this.#jumpedUs / 1_000);
    return Math.floor((this.#epochUs + this.monotonicUs() + this.#jumpedUs) / 1_000);
  }

  /** From now on it gains so many parts in a million; negative: it loses. */
  setDrift(driftPpm: number): void {
    this.#shownUs = this.monotonicUs();
    this.#sinceUs = trueUs();
    this.#driftPpm = driftPpm;
  }

  /** Sets the wall clock wrong by so much more. */
  jump(byUs: number): void {
    this.#jumpedUs += byUs;
  }
}

/** Microseconds since the process began, by a clock that nobody sets. */
function trueUs(): number {
  return Math.floor(performance.now() * 1_000);
}
