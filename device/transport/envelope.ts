/**
 * What every payload says of itself, whoever sends it.
 *
 * On the wire all payloads are JSON. Raft's are one line of JSON and, after it, a line for each entry that they carry:
 * an entry's data is the very text that stands in the log, so it is encoded once and never again.
 */

import type { Json } from "../json.ts";
import type { Administration, PeerMessage, Reply, Request } from "./protocol.ts";

/** Who sends it, since which start of its process, as which of its payloads. */
export type Origin = {
  readonly from: string;
  /** Grows with every start of the sender's process. */
  readonly boot: number;
  /** Grows with every payload of this boot. */
  readonly seq: number;
};

/** `adrift/<cluster>/raft/<to>/<from>`. */
export type PeerEnvelope = Origin & {
  /** Counts the sender's connections to this broker: what an earlier one still delivers comes too late. */
  readonly connection: number;
  /** When it was sent, by the sender's own monotonic clock, in milliseconds: to tell what was held up on the way. */
  readonly atMs: number;
  readonly messages: readonly PeerMessage[];
};

/** `adrift/<cluster>/request/<client>` and `adrift/<cluster>/board/<id>/request/<client>`. */
export type RequestEnvelope = Origin & { readonly requests: readonly AnyRequest[] };

/** `adrift/<cluster>/reply/<client>`. */
export type ReplyEnvelope = Origin & { readonly replies: readonly Reply[] };

/** Everything that a client may ask. Administration is the controller's. */
export type AnyRequest = Request | Administration | BoardRequest;

/** What is asked of one board, whatever its role. */
export type BoardRequest =
  /** How it takes part: a `BoardStatus`. */
  | { readonly type: "status"; readonly client: string; readonly request: number }
  /**
   * What its flight recorder holds after the record of this number, as far as it fits in one reply:
   * `{ "records": [...], "last": <number of the newest record that there is> }`.
   */
  | { readonly type: "flight"; readonly client: string; readonly request: number; readonly after: number }
  /** What its clocks show: a `BoardTime`. */
  | { readonly type: "time"; readonly client: string; readonly request: number }
  /** That it blinks, so that a person finds it. The answer, `true`, comes when it begins. */
  | { readonly type: "identify"; readonly client: string; readonly request: number; readonly forMs: number };

/** What the clocks of a board show, those by which its flight recorder notes when something happened. */
export type BoardTime = {
  readonly boot: number;
  /** By a clock that nobody sets, microseconds since some moment of this boot. */
  readonly monotonicUs: number;
  /** Microseconds since 1970. */
  readonly wallUs: number;
};

/** `adrift/<cluster>/board/<id>/status`, retained. */
export type StatusEnvelope = Origin & {
  /** `false` in the will, which the broker publishes when the board's connection ends without a farewell. */
  readonly online: boolean;
  /** How the board takes part; `null` in the will and in the farewell. */
  readonly status: BoardStatus | null;
};

/** How a board takes part, for everybody. */
export type BoardStatus = {
  readonly member: string;
  readonly role: "opening" | "joining" | "follower" | "preCandidate" | "candidate" | "leader" | "stopped";
  readonly term: number;
  readonly leader: string | null;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly lastIndex: number;
  /** Who votes, as far as this board knows. */
  readonly voters: readonly string[];
  /** Who receives the log and does not vote, as far as this board knows. */
  readonly learners: readonly string[];
  /** The board's software. */
  readonly version: string;
  /** Whether its network interface has a carrier; `null` where nobody can tell. */
  readonly carrier: boolean | null;
};

/** `adrift/<cluster>/board/<id>/event`: one record of the flight recorder, as it happens. */
export type EventEnvelope = Origin & { readonly record: FlightRecord };

/** Something that happened on a board, as its flight recorder keeps it. */
export type FlightRecord = {
  /** Grows with each of the board's records, through all its boots; a boot may leave numbers out. */
  readonly number: number;
  readonly boot: number;
  /** By the board's wall clock, microseconds since 1970; and by its monotonic clock, microseconds. */
  readonly wallUs: number;
  readonly monotonicUs: number;
  /** See `Happening` in `device/board/happening.ts`. */
  readonly happening: Json;
};
