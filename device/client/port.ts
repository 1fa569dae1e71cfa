/** What a client library needs of the place where it runs. */

import type { AnyRequest } from "../transport/envelope.ts";

/** A wire, a clock and a timer: MQTT and Node, or a simulated bench. */
export type ClientPort = {
  /** Publishes requests, together where they fit. What gets lost is published again later. */
  publish(requests: readonly AnyRequest[], way: Way): void;
  /** Microseconds by a clock that never goes back. */
  nowUs(): number;
  /** Has `wake` called at this time or soon after, instead of at the time that was asked for before. */
  wakeAt(atUs: number, wake: () => void): void;
  /** Calls back once everything has been done that is to be done now. */
  afterThisTurn(callback: () => void): void;
};

/** Whom requests are for. */
export type Way = {
  /** The board that is asked; `null`: whoever leads. */
  readonly board: string | null;
  /** They were published before, and no answer came by the way they took. */
  readonly again: boolean;
};
