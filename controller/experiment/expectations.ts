/** What an experiment expects of its run. */

import { formatDurationUs, parseDurationUs } from "../../sim/duration.ts";

/** A promise that a run keeps or breaks. */
export type Promised =
  /** The history could have happened at one place, one operation after the other, each between its begin and its end. */
  | { readonly kind: "linearizable" }
  /** Nothing that a client asked for once was done twice, and nothing that was acknowledged is missing. */
  | { readonly kind: "exactly-once" }
  /** Each time, so soon afterwards, some operation of a client succeeds. */
  | { readonly kind: "available"; readonly withinUs: number; readonly of: Moment }
  /** Each time, so soon afterwards, a board leads that a majority follows. */
  | { readonly kind: "leader"; readonly withinUs: number; readonly of: Moment };

/** `heal`: a fault ended and nothing is broken any more, each time; `fault`: a fault began, each time. */
export type Moment = "heal" | "fault";

/** A promise, and whether the run must keep it or, to teach what breaks it, must break it. */
export type Expectation = { readonly promise: Promised; readonly outcome: "kept" | "broken" };

/** Whether a promise of safety is expected to break, so that clients are to see what cannot be. */
export function expectsLie(expect: readonly Expectation[]): boolean {
  return expect.some(({ promise: { kind }, outcome }) => outcome === "broken" && isSafety(kind));
}

function isSafety(kind: Promised["kind"]): boolean {
  return kind === "linearizable" || kind === "exactly-once";
}

/** What a promise looks like in a file. */
export const promisePattern =
  /^(linearizable|exactly-once|(available|leader) within \d{1,9}(\.\d{1,6})?(us|ms|s|m|h) of (heal|fault))$/;

/** Reads a promise that matches `promisePattern`. */
export function parsePromise(text: string): Promised {
  if (text === "linearizable" || text === "exactly-once") return { kind: text };
  const [what, , duration = "", , moment] = text.split(" ");
  return {
    kind: what === "leader" ? "leader" : "available",
    withinUs: parseDurationUs(duration),
    of: moment === "fault" ? "fault" : "heal",
  };
}

/** The promise as it is written in a file. */
export function formatPromise(promise: Promised): string {
  switch (promise.kind) {
    case "linearizable":
    case "exactly-once":
      return promise.kind;
    case "available":
    case "leader":
      return `${promise.kind} within ${formatDurationUs(promise.withinUs)} of ${promise.of}`;
    default:
      return promise satisfies never;
  }
}
