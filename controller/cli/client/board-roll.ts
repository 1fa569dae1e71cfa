/** What is known of the boards of a running cluster, from what they say and from what brokers say of them. */

import { boardOf } from "../../../device/replica/identity.ts";
import type { BoardStatus, StatusEnvelope } from "../../../device/transport/envelope.ts";

/** One board, as far as anybody knows. */
export type BoardLine = {
  readonly board: string;
  /** `silent`: brokers take it for connected, but it says nothing. `offline`: no broker has it. */
  readonly presence: "online" | "silent" | "offline";
  /** What it last said; `null` if it has said nothing. */
  readonly status: BoardStatus | null;
  /** How long ago it was last heard, in milliseconds; `null` if it was not heard since the command began. */
  readonly lastSeenMs: number | null;
  /** The brokers on which it is, by their names. */
  readonly brokers: readonly string[];
};

type Entry = {
  status: BoardStatus | null;
  /** The boot and the number of the payload by which `status` came. */
  boot: number;
  seq: number;
  seenAtMs: number | null;
  /** When it was first heard of. */
  readonly knownSinceMs: number;
  readonly onlineAt: Set<string>;
};

/** A board says how it is once a second. One that has missed this much is silent. */
const silentAfterMs = 2_500;
/** One that was only just heard of has not had time to say anything. */
const graceMs = 1_000;

/** See the head of this file. */
export class BoardRoll {
  readonly #entries = new Map<string, Entry>();

  /** The names of all boards that were heard of. */
  get boards(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /** A status came by a broker. What a broker retained says nothing of when the board was heard. */
  heard({ from, boot, seq, online, status }: StatusEnvelope, broker: string, atMs: number, isRetained: boolean): void {
    const entry = this.#entry(from, atMs);
    if (online) entry.onlineAt.add(broker);
    else entry.onlineAt.delete(broker);
    if (status === null) return;
    for (const voter of status.voters) this.#entry(boardOf(voter), atMs);
    if (boot < entry.boot || (boot === entry.boot && seq < entry.seq)) return;
    Object.assign(entry, { status, boot, seq });
    if (!isRetained) entry.seenAtMs = atMs;
  }

  /** The board itself answered. */
  answered(board: string, status: BoardStatus, atMs: number): void {
    Object.assign(this.#entry(board, atMs), { status, seenAtMs: atMs });
  }

  /** A broker cannot be reached, so what it said no longer counts. */
  lostBroker(broker: string): void {
    for (const entry of this.#entries.values()) entry.onlineAt.delete(broker);
  }

  /** All boards, by name. */
  lines(nowMs: number): readonly BoardLine[] {
    return [...this.#entries]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([board, entry]) => ({
        board,
        presence: presenceOf(entry, nowMs),
        status: entry.status,
        lastSeenMs: entry.seenAtMs === null ? null : nowMs - entry.seenAtMs,
        brokers: [...entry.onlineAt].sort(),
      }));
  }

  #entry(board: string, atMs: number): Entry {
    const known = this.#entries.get(board);
    if (known !== undefined) return known;
    const entry: Entry = { status: null, boot: 0, seq: 0, seenAtMs: null, knownSinceMs: atMs, onlineAt: new Set() };
    this.#entries.set(board, entry);
    return entry;
  }
}

function presenceOf({ onlineAt, seenAtMs, knownSinceMs }: Entry, nowMs: number): BoardLine["presence"] {
  if (onlineAt.size === 0) return "offline";
  const isHeard = seenAtMs === null ? nowMs - knownSinceMs < graceMs : nowMs - seenAtMs < silentAfterMs;
  return isHeard ? "online" : "silent";
}
