/** Everything that the core remembers, and the small changes that every part of it makes. */

import type { RaftEvent, ReadId, ReadResult } from "./effects.ts";
import { assertInvariant } from "./invariant.ts";
import { type Log, weight } from "./log.ts";
import type { RaftOptions } from "./options.ts";
import type { Progress } from "./progress.ts";
import type { Rules } from "./rules.ts";
import type { Configuration, Entry, LogIndex, MemberId, Message, Random, Snapshot, Term, TimeUs } from "./types.ts";

/** The role of a member (§3.3) with what it keeps only in that role. */
export type Role =
  | { readonly name: "follower" }
  | { readonly name: "preCandidate"; readonly votes: Map<MemberId, boolean> }
  | {
      readonly name: "candidate";
      readonly votes: Map<MemberId, boolean>;
      /** Its own vote counts when this save is durable. */
      readonly ownVoteSave: number;
    }
  | Leadership;

/** What a leader keeps, from its election to its end. */
export type Leadership = {
  readonly name: "leader";
  /** Everyone else in the configuration, learners too. */
  readonly progress: Map<MemberId, Progress>;
  /** Bytes of entries in the log that are not committed yet. */
  uncommittedBytes: number;
  /** The latest heartbeat round begun, the latest that a quorum answered, and when those between began. */
  round: number;
  confirmedRound: number;
  readonly roundsUnderWay: { readonly round: number; readonly startedAt: TimeUs }[];
  /** When everyone was last asked, in one round. */
  roundToAllAt: TimeUs;
  /** Reads that wait for a round; `round` is `null` while they wait for the next one to begin. */
  reads: PendingRead[];
  /** Lease reads are good before this time. Once leadership was offered to another, never again in this term. */
  leaseUntil: TimeUs;
  leaseForfeited: boolean;
  /** Until then a majority has been heard from within an election time-out, whatever else happens. */
  hearsQuorumUntil: TimeUs;
  transfer: { readonly target: MemberId; readonly deadline: TimeUs; asked: boolean } | null;
};

/** A read that waits at the leader. */
export type PendingRead = {
  /** Who asked: this board's host, or a follower under its own number. */
  readonly asker: { readonly id: ReadId } | { readonly member: MemberId; readonly read: number };
  /** `null` while the leader cannot know the commit index yet. */
  index: LogIndex | null;
  round: number | null;
};

/** A snapshot on its way in, as far as it has come. */
export type IncomingSnapshot = {
  readonly index: LogIndex;
  readonly term: Term;
  readonly configuration: Configuration;
  readonly size: number;
  readonly pieces: string[];
  received: number;
};

/** All that one member remembers. */
export type State = {
  readonly id: MemberId;
  readonly options: RaftOptions;
  readonly rules: Rules;
  readonly random: Random;
  /** The configuration with which the cluster began. */
  readonly initial: Configuration;
  now: TimeUs;

  // Persistent state (Figure 2)
  term: Term;
  votedFor: MemberId | null;
  readonly log: Log;
  /** Not yet handed to the disk: whether the hard state changed, and entries from here on; and a received snapshot. */
  hardStateChanged: boolean;
  unsavedFrom: LogIndex;
  unsavedSnapshot: Snapshot | null;
  nextSaveId: number;

  // Volatile state (Figure 2)
  commitIndex: LogIndex;
  /** Handed out to be applied. */
  appliedIndex: LogIndex;

  role: Role;
  leader: MemberId | null;
  heardFromLeaderAt: TimeUs;
  electionDeadline: TimeUs;
  incoming: IncomingSnapshot | null;
  /** Reads that this follower asked its leader for, oldest first. */
  readonly askedReads: Map<number, { readonly id: ReadId; readonly askedAt: TimeUs }>;
  nextRead: number;

  readonly outbox: Outbox;
};

/** Effects gathered since the last drain. */
export type Outbox = {
  send: Message[];
  held: Message[];
  restore: Snapshot | null;
  reads: ReadResult[];
  events: RaftEvent[];
};

/** Sends a message: at once, or after what it promises is on disk. */
export function send(state: State, message: Message): void {
  if (state.rules.mustBeDurableFirst(message)) state.outbox.held.push(message);
  else state.outbox.send.push(message);
}

/** Notes for people and checks what happened. */
export function note(state: State, event: RaftEvent): void {
  state.outbox.events.push(event);
}

/** Enters a later term, with a vote to give in it. */
export function adoptTerm(state: State, term: Term): void {
  assertInvariant(term > state.term, "the term never falls", () => `${term} after ${state.term}`);
  state.term = term;
  state.votedFor = null;
  state.hardStateChanged = true;
}

/** Ends whatever role this member had; `leader` is whom it follows now, if it knows. */
export function becomeFollower(state: State, leader: MemberId | null, reason: string): void {
  if (state.role.name !== "follower") {
    if (state.role.name === "leader") failReads(state, state.role);
    state.role = { name: "follower" };
    note(state, { type: "role", role: "follower", term: state.term, reason });
  }
  setLeader(state, leader);
  restartElectionTimer(state);
}

/** Follows another leader, or none. */
export function setLeader(state: State, leader: MemberId | null): void {
  if (state.leader === leader) return;
  state.leader = leader;
  failAskedReads(state, "the leader changed");
  note(state, { type: "leader", leader, term: state.term });
}

/** The leader was heard: its followers wait anew. */
export function heardFromLeader(state: State): void {
  state.heardFromLeaderAt = state.now;
  restartElectionTimer(state);
}

/** Waits a random time before the next try, so that boards seldom try together (§3.4). */
export function restartElectionTimer(state: State): void {
  const { electionTimeoutMinUs, electionTimeoutMaxUs } = state.options;
  state.electionDeadline = state.now + state.random.between(electionTimeoutMinUs, electionTimeoutMaxUs);
}

/**
 * A board that starts waits for its first election from an option of its own on. With leases it waits as long as any
 * follower, since it may have promised a leader its protection just before it went down (§6.4.1).
 */
export function beginElectionTimer(state: State): void {
  const { firstElectionTimeoutMinUs: first, leaseReads } = state.options;
  if (leaseReads) restartElectionTimer(state);
  else state.electionDeadline = state.now + state.random.between(first, 2 * first);
}

/** Appends an entry of this leader's own term. */
export function appendOwn(state: State, leadership: Leadership, entry: Entry): void {
  state.log.append(entry);
  leadership.uncommittedBytes += weight(entry);
  if (entry.kind === "configuration") noteConfiguration(state);
}

/** Notes that another configuration is in force. */
export function noteConfiguration(state: State): void {
  note(state, { type: "configuration", index: state.log.configurationIndex, configuration: state.log.configuration });
}

/** Reads that wait at a leader who leads no longer: the askers are told, and may ask the next one. */
function failReads(state: State, leadership: Leadership): void {
  for (const read of leadership.reads) {
    if ("id" in read.asker) {
      state.outbox.reads.push({ id: read.asker.id, ready: false, reason: "this board leads no longer" });
    } else {
      const { member, read: number } = read.asker;
      send(state, { type: "readIndexReply", from: state.id, to: member, term: state.term, read: number, index: null });
    }
  }
}

/** Reads that this follower asked for and will not hear of any more. */
function failAskedReads(state: State, reason: string): void {
  for (const { id } of state.askedReads.values()) state.outbox.reads.push({ id, ready: false, reason });
  state.askedReads.clear();
}
