/** What a replica needs from whoever runs it, a simulated world or a real board, and what it tells it. */

import type { Applied } from "../machine/host.ts";
import type { Entry, MemberId, RaftEvent, Save, Snapshot } from "../raft/index.ts";
import type { Damage, TornTail } from "../storage/index.ts";
import type { PeerMessage, Reply } from "../transport/protocol.ts";
import type { BoardId } from "./identity.ts";

/** Two clocks: one that never goes back, for time-outs, and one that says what time it is, for the cluster's time. */
export type Clock = {
  monotonicUs(): number;
  wallMs(): number;
};

/** The way by which a request came, by which its reply goes back; opaque here. */
export type Via = number;

/** Where messages go. Nothing is answered within a call. */
export type Wire = {
  /** To a board's inbox. May get lost. */
  send(board: BoardId, message: PeerMessage): void;
  reply(via: Via, reply: Reply): void;
  /** Whether this board wants clients' requests: only a leader does. */
  takeRequests(wanted: boolean): void;
  publishStatus(status: Status): void;
};

/** How a board takes part at the moment. */
export type Status = {
  readonly member: MemberId;
  readonly role: "opening" | "joining" | "follower" | "preCandidate" | "candidate" | "leader" | "stopped";
  readonly term: number;
  readonly leader: MemberId | null;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly lastIndex: number;
};

/** What happened at a replica, for people, screens and recorders. */
export type ReplicaEvent =
  | RaftEvent
  /** Storage is open; `tornTail`: what a power cut left half written, and was cut off. */
  | {
      readonly type: "opened";
      readonly member: MemberId;
      readonly lastIndex: number;
      readonly tornTail: TornTail | null;
    }
  /** The disk is broken before its end: this board does not vote with it any more. */
  | { readonly type: "damaged"; readonly damage: Damage }
  /** The disk was empty, or given up: this board starts over under a new identity. */
  | { readonly type: "reborn"; readonly member: MemberId }
  | { readonly type: "joining"; readonly member: MemberId; readonly board: BoardId }
  | { readonly type: "compacted"; readonly index: number }
  /** The replica ended for good. `invariant`: the one that does not hold, if it found itself in an impossible state. */
  | { readonly type: "stopped"; readonly reason: string; readonly invariant: string | null };

/** Watches a replica from inside, at each step that matters for correctness. Must not call back. */
export type Observer = {
  event(event: ReplicaEvent): void;
  saving(save: Save): void;
  saved(saveId: number): void;
  restored(snapshot: Snapshot): void;
  /** `applied` is `null` for entries that are no command. */
  applied(entry: Entry, applied: Applied | null): void;
  compacted(snapshot: Snapshot): void;
};
