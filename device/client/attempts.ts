/** When a request is sent again: each attempt waits longer for its answer than the one before, and never exactly. */

import type { Random } from "../random.ts";
import type { Request } from "../transport/protocol.ts";

/** The pauses between attempts. */
export type AttemptTiming = {
  /** How long the first attempt waits for an answer; each later one twice as long, up to the maximum. */
  readonly attemptTimeoutUs: number;
  readonly attemptTimeoutUsMax: number;
  /** How long after a board answered "try again" the first time; later twice as long, up to the same maximum. */
  readonly retryDelayUs: number;
};

/** The attempts at one request so far. */
export type Attempts = {
  readonly request: Request;
  readonly firstAtUs: number;
  /** When to send it again if no answer has come by then. */
  nextAtUs: number;
  timeoutUs: number;
  retryDelayUs: number;
  /** A board answered the latest attempt with "try again", so the next one comes early. */
  hastened: boolean;
};

/** The first attempt, made now. */
export function firstAttempt(request: Request, nowUs: number, timing: AttemptTiming, random: Random): Attempts {
  const { attemptTimeoutUs: timeoutUs, retryDelayUs } = timing;
  const nextAtUs = nowUs + jittered(timeoutUs, random);
  return { request, firstAtUs: nowUs, nextAtUs, timeoutUs, retryDelayUs, hastened: false };
}

/** Notes that one more attempt is made now. */
export function nextAttempt(attempts: Attempts, nowUs: number, timing: AttemptTiming, random: Random): void {
  attempts.timeoutUs = Math.min(2 * attempts.timeoutUs, timing.attemptTimeoutUsMax);
  attempts.retryDelayUs = Math.min(2 * attempts.retryDelayUs, timing.attemptTimeoutUsMax);
  attempts.nextAtUs = nowUs + jittered(attempts.timeoutUs, random);
  attempts.hastened = false;
}

/**
 * Brings the next attempt forward, because a board answered "try again". Once an attempt: several boards may answer the
 * same attempt so, and must not be answered with a flood.
 */
export function hasten(attempts: Attempts, nowUs: number, random: Random): void {
  if (attempts.hastened) return;
  attempts.hastened = true;
  attempts.nextAtUs = Math.min(attempts.nextAtUs, nowUs + jittered(attempts.retryDelayUs, random));
}

/** About `durationUs`, a quarter more or less, so that clients which failed together do not all return together. */
function jittered(durationUs: number, random: Random): number {
  const quarterUs = Math.floor(durationUs / 4);
  return random.between(durationUs - quarterUs, durationUs + quarterUs + 1);
}
