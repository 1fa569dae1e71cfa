/**
 * A board's own clocks, which do not agree with the world's.
 *
 * The monotonic clock drifts, but never jumps and never goes back: by it the board measures how long things take. The
 * wall clock is the same oscillator plus an offset that can jump, as when a time server corrects it. All whole
 * microseconds, worked out with integers below 2^53, so exactly the same everywhere.
 */
export class BoardClock {
  /** At `fromWorldUs` the monotonic clock showed `fromLocalUs`; since then it gains `driftPpm`. */
  private fromWorldUs: number;
  private fromLocalUs: number;
  private driftPpm = 0;
  private wallOffsetUs: number;

  /** A clock without drift. At `worldUs` its monotonic time is `monotonicUs` and its wall time `wallUs`. */
  constructor(worldUs: number, monotonicUs: number, wallUs: number) {
    this.fromWorldUs = worldUs;
    this.fromLocalUs = monotonicUs;
    this.wallOffsetUs = wallUs - monotonicUs;
  }

  /** What the monotonic clock shows at a moment of the world, which must not be before the last change of drift. */
  monotonicUs(worldUs: number): number {
    const elapsedUs = worldUs - this.fromWorldUs;
    if (this.driftPpm === 0) return this.fromLocalUs + elapsedUs;
    // Whole seconds apart from the rest, so that no product comes near 2^53, however long the run.
    const seconds = Math.floor(elapsedUs / million);
    const restUs = elapsedUs - seconds * million;
    return this.fromLocalUs + elapsedUs + seconds * this.driftPpm + Math.floor((restUs * this.driftPpm) / million);
  }

  /** What the wall clock shows at a moment of the world. */
  wallUs(worldUs: number): number {
    return this.monotonicUs(worldUs) + this.wallOffsetUs;
  }

  /**
   * The first moment of the world at which the monotonic clock shows `monotonicUs` or more, if its drift stays as it is:
   * after `setDrift` what was worked out before is no longer true. For what has passed: the last change of drift.
   */
  worldUs(monotonicUs: number): number {
    const waitUs = monotonicUs - this.fromLocalUs;
    if (waitUs <= 0) return this.fromWorldUs;
    if (this.driftPpm === 0) return this.fromWorldUs + waitUs;
    const rate = million + this.driftPpm;
    const seconds = Math.floor(waitUs / rate);
    const restUs = waitUs - seconds * rate;
    return this.fromWorldUs + seconds * million + Math.ceil((restUs * million) / rate);
  }

  /** From `worldUs` on the clock gains so many microseconds in each second of the world; negative: it loses them. */
  setDrift(worldUs: number, driftPpm: number): void {
    if (!Number.isInteger(driftPpm) || Math.abs(driftPpm) > driftPpmMax) {
      throw new RangeError(
        `A clock cannot drift by ${driftPpm} ppm: give a whole number from -${driftPpmMax} to ${driftPpmMax}.`,
      );
    }
    this.fromLocalUs = this.monotonicUs(worldUs);
    this.fromWorldUs = worldUs;
    this.driftPpm = driftPpm;
  }

  /** Sets the wall clock forward by `byUs`, or back. */
  jumpWall(byUs: number): void {
    this.wallOffsetUs += byUs;
  }
}

/** Half as fast, or half as fast again: far worse than any quartz, for experiments with leases. */
export const driftPpmMax = 500_000;

const million = 1_000_000;
