/** What the core hands out: everything that it wants done. */

import type {
  Configuration,
  Entry,
  HardState,
  LogIndex,
  MemberId,
  Message,
  RoleName,
  Snapshot,
  Term,
} from "./types.ts";

/** What to put on disk, all of it in one go. Saves are reported durable in the order of their numbers. */
export type Save = {
  readonly id: number;
  /** `null`: unchanged. */
  readonly hardState: HardState | null;
  /** A snapshot from the leader that takes the place of the whole log; comes before `entries`. */
  readonly snapshot: Snapshot | null;
  /** Entries in order; the first one replaces whatever the disk holds from its index on. */
  readonly entries: readonly Entry[];
};

/** The name under which the host asked for a read, given back when the read may be answered. */
export type ReadId = number;

/** What became of a read. */
export type ReadResult =
  /** Answer it from state machines that have applied `index`, or more. */
  | { readonly id: ReadId; readonly ready: true; readonly index: LogIndex }
  /** This try came to nothing and may be repeated. */
  | { readonly id: ReadId; readonly ready: false; readonly reason: string };

/** What happened, for people, screens and checks. Nothing in the core depends on it. */
export type RaftEvent =
  | { readonly type: "role"; readonly role: RoleName; readonly term: Term; readonly reason: string }
  | { readonly type: "leader"; readonly leader: MemberId | null; readonly term: Term }
  | { readonly type: "committed"; readonly index: LogIndex }
  | { readonly type: "truncated"; readonly from: LogIndex }
  | { readonly type: "configuration"; readonly index: LogIndex; readonly configuration: Configuration }
  | { readonly type: "snapshotReceived"; readonly index: LogIndex }
  /** The leader's snapshot is larger than this board takes (`snapshotBytesMax`): it cannot catch up until that is raised. */
  | { readonly type: "snapshotRefused"; readonly index: LogIndex; readonly sizeBytes: number }
  | { readonly type: "snapshotSent"; readonly to: MemberId; readonly index: LogIndex }
  | { readonly type: "transfer"; readonly to: MemberId; readonly phase: "begun" | "asked" | "abandoned" };

/**
 * One drain's worth of work. What is to be sent at once waits for nothing, so it goes first, and others work while this
 * board's disk does; what is held waits for the save; state and entries are taken in the order of the fields.
 */
export type Effects = {
  readonly save: Save | null;
  /** To send at once. */
  readonly send: readonly Message[];
  /** To send only when save number `heldUntil` is durable: they promise what it holds. */
  readonly held: readonly Message[];
  readonly heldUntil: number;
  /** The state machines take this state ... */
  readonly restore: Snapshot | null;
  /** ... and then these entries, which are committed. */
  readonly apply: readonly Entry[];
  readonly reads: readonly ReadResult[];
  readonly events: readonly RaftEvent[];
};
