/**
 * Keeps out what comes too late from other boards. A broker, a kernel's buffer or a cable that was cut and healed may
 * deliver what is long overtaken; Raft would survive it, but a late message is worse than a lost one: it costs elections
 * and brings answers to questions that nobody asks any more.
 */

import type { DropReason } from "./decoded.ts";
import type { PeerEnvelope } from "./envelope.ts";

/** What a gate lets pass. */
export type PeerGateOptions = {
  /** Every board that may speak: nobody else is remembered, so that memory has a bound. */
  readonly boards: readonly string[];
  /** How much longer than the fastest ones lately a payload may have been on its way. 1,000 unless told. */
  readonly heldUpMsMax?: number;
  /** A board that lost its disk counts its boots anew: it is believed after so long a silence. 10,000 unless told. */
  readonly forgetAfterMs?: number;
};

/** Decides of each payload of another board whether it is new enough. */
export class PeerGate {
  readonly #senders: ReadonlyMap<string, Sender>;
  readonly #heldUpMsMax: number;
  readonly #forgetAfterMs: number;

  constructor({ boards, heldUpMsMax = 1_000, forgetAfterMs = 10_000 }: PeerGateOptions) {
    this.#senders = new Map(boards.map((board) => [board, { latest: null, acceptedMs: 0, delays: new Delays() }]));
    this.#heldUpMsMax = heldUpMsMax;
    this.#forgetAfterMs = forgetAfterMs;
  }

  /** `null` if the payload may pass, otherwise why not. `nowMs` is of this board's monotonic clock. */
  accept(envelope: PeerEnvelope, nowMs: number): DropReason | null {
    const sender = this.#senders.get(envelope.from);
    if (sender === undefined) return "foreign";
    const overtaken = sender.latest === null ? null : overtakenBy(sender.latest, envelope);
    if (overtaken !== null) {
      const isForgotten = nowMs - sender.acceptedMs > this.#forgetAfterMs;
      if (overtaken !== "oldBoot" || !isForgotten) return overtaken;
    }
    if (sender.latest?.boot !== envelope.boot) sender.delays = new Delays();
    const { boot, connection, seq } = envelope;
    sender.latest = { boot, connection, seq };
    // The two clocks show different times, so only differences between delays mean anything.
    const delayMs = nowMs - envelope.atMs;
    if (delayMs - sender.delays.smallestMs(delayMs, nowMs) > this.#heldUpMsMax) return "stale";
    sender.acceptedMs = nowMs;
    return null;
  }
}

/** Which payload of a board was the last. */
type Place = { readonly boot: number; readonly connection: number; readonly seq: number };

type Sender = { latest: Place | null; acceptedMs: number; delays: Delays };

/** What is wrong with a payload that is not newer than the latest. */
function overtakenBy(latest: Place, { boot, connection, seq }: Place): DropReason | null {
  if (boot !== latest.boot) return boot < latest.boot ? "oldBoot" : null;
  if (connection !== latest.connection) return connection < latest.connection ? "oldConnection" : null;
  return seq <= latest.seq ? "repeated" : null;
}

/**
 * The smallest delay of the last 10 to 20 seconds in which anything was heard. Older ones are forgotten, as clocks drift
 * apart; through a silence the last ones stay, as what comes first after it is what may have been held up.
 */
class Delays {
  #startMs = Number.NEGATIVE_INFINITY;
  #smallestMs = Number.POSITIVE_INFINITY;
  #smallestBeforeMs = Number.POSITIVE_INFINITY;

  /** The smallest delay, `delayMs` included. */
  smallestMs(delayMs: number, nowMs: number): number {
    if (nowMs - this.#startMs > windowMs) {
      this.#startMs = nowMs;
      this.#smallestBeforeMs = this.#smallestMs;
      this.#smallestMs = Number.POSITIVE_INFINITY;
    }
    this.#smallestMs = Math.min(this.#smallestMs, delayMs);
    return Math.min(this.#smallestMs, this.#smallestBeforeMs);
  }
}

const windowMs = 10_000;
