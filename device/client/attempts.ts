/** When a request is sent again: each attempt waits longer for its answer than the one before, and never exactly. */

import type { Random } from "../random.ts";

/** The pauses between attempts. */
export type AttemptTiming = {
  /** How long the first attempt waits for an answer; each later one twice as long, up to the maximum. */
  readonly attemptTimeoutUs: number;
  readonly attemptTimeoutUsMax: number;
  /** How long after a board answered "try again" the first time; later twice as long, up to the same maximum. */
  readonly retryDelayUs: number;
};

/** The attempts at one request so far. */
export type Attempts<Sent> = {
  readonly request: Sent;
  readonly firstAtUs: number;
  latestAtUs: number;
  /** When to send it again if no answer has come by then. */
  nextAtUs: number;
  timeoutUs: number;
  retryDelayUs: number;
  /** A board answered the latest attempt with "try again", so the next one comes early. */
  hastened: boolean;
};

/** However often one hears of new leaders, a request is not sent again sooner than this after it was. */
const pauseUsMin = 20_000;

/** The first attempt, made now. */
export function firstAttempt<Sent>(
  request: Sent,
  nowUs: number,
  timing: AttemptTiming,
  random: Random,
): Attempts<Sent> {
  const { attemptTimeoutUs: timeoutUs, retryDelayUs } = timing;
  const nextAtUs = nowUs + jittered(timeoutUs, random);
  return { request, firstAtUs: nowUs, latestAtUs: nowUs, nextAtUs, timeoutUs, retryDelayUs, hastened: false };
}

/** Notes that one more attempt is made now. */
export function nextAttempt(attempts: Attempts<unknown>, nowUs: number, timing: AttemptTiming, random: Random): void {
  attempts.timeoutUs = Math.min(2 * attempts.timeoutUs, timing.attemptTimeoutUsMax);
  attempts.retryDelayUs = Math.min(2 * attempts.retryDelayUs, timing.attemptTimeoutUsMax);
  attempts.latestAtUs = nowUs;
  attempts.nextAtUs = nowUs + jittered(attempts.timeoutUs, random);
  attempts.hastened = false;
}

/**
 * Brings the next attempt forward, because a board answered "try again". Once an attempt: several boards may answer the
 * same attempt so, and must not be answered with a flood.
 */
export function hasten(attempts: Attempts<unknown>, nowUs: number, random: Random): void {
  if (attempts.hastened) return;
  attempts.hastened = true;
  attempts.nextAtUs = Math.min(attempts.nextAtUs, nowUs + jittered(attempts.retryDelayUs, random));
}

/**
 * Has the next attempt made at `atUs` or as soon after it as may be, with the patience of a first one: whoever left the
 * earlier attempts unanswered is not the one that is asked now.
 */
export function beginAnew(attempts: Attempts<unknown>, atUs: number, timing: AttemptTiming): void {
  attempts.timeoutUs = timing.attemptTimeoutUs;
  attempts.retryDelayUs = timing.retryDelayUs;
  attempts.nextAtUs = Math.min(attempts.nextAtUs, Math.max(atUs, attempts.latestAtUs + pauseUsMin));
}

/** About `durationUs`, a quarter more or less, so that clients which failed together do not all return together. */
function jittered(durationUs: number, random: Random): number {
  const quarterUs = Math.floor(durationUs / 4);
  return random.between(durationUs - quarterUs, durationUs + quarterUs + 1);
}
