/** Linearizable reads without the log: read index, at the leader and through it, and leases (§6.4, §6.4.1). */

import { quorumReached } from "./configuration.ts";
import type { ReadId } from "./effects.ts";
import { beginRound } from "./heartbeat.ts";
import { type Leadership, type PendingRead, type State, send } from "./state.ts";
import type { ReadIndexReply, ReadIndexRequest, TimeUs } from "./types.ts";

/** Takes in a read of this board's host. Returns why not, or `null`; its result comes with the effects. */
export function askRead(state: State, id: ReadId, useLease: boolean): string | null {
  if (state.role.name === "leader") return takeRead(state, state.role, { id }, useLease);
  if (state.leader === null) return "no leader is known";
  if (state.askedReads.size >= state.options.pendingReadsMax) return "too many reads are waiting";
  const read = state.nextRead;
  state.nextRead += 1;
  state.askedReads.set(read, { id, askedAt: state.now });
  send(state, { type: "readIndex", from: state.id, to: state.leader, term: state.term, read });
  return null;
}

/** A follower asks. */
export function onReadIndex(state: State, message: ReadIndexRequest): void {
  const asker = { member: message.from, read: message.read };
  const refused = state.role.name === "leader" ? takeRead(state, state.role, asker, false) : "does not lead";
  if (refused !== null) answer(state, asker, null);
}

/** The leader answers this follower. */
export function onReadIndexReply(state: State, message: ReadIndexReply): void {
  const asked = state.askedReads.get(message.read);
  if (asked === undefined) return;
  state.askedReads.delete(message.read);
  const { id } = asked;
  if (message.index !== null) state.outbox.reads.push({ id, ready: true, index: message.index });
  else state.outbox.reads.push({ id, ready: false, reason: "the leader could not take the read" });
}

/** Gives up on reads whose answer must have got lost; the oldest come first. */
export function failOverdueReads(state: State): void {
  const overdue = state.now - state.options.electionTimeoutMaxUs;
  for (const [read, { id, askedAt }] of state.askedReads) {
    if (askedAt > overdue) return;
    state.askedReads.delete(read);
    state.outbox.reads.push({ id, ready: false, reason: "the leader's answer got lost" });
  }
}

function takeRead(state: State, leadership: Leadership, asker: PendingRead["asker"], useLease: boolean): string | null {
  if (leadership.reads.length >= state.options.pendingReadsMax) return "too many reads are waiting";
  const knowsCommit = state.rules.mayServeReads(state.log.termAt(state.commitIndex), state.term);
  if (knowsCommit && state.rules.mayAnswerAlone(useLease && holdsLease(state, leadership))) {
    answer(state, asker, state.commitIndex);
    return null;
  }
  leadership.reads.push({ asker, index: knowsCommit ? state.commitIndex : null, round: null });
  if (knowsCommit) askRound(state, leadership);
  return null;
}

/** Whether the leader may answer lease reads by itself at this moment. */
function holdsLease(state: State, leadership: Leadership): boolean {
  return state.options.leaseReads && !leadership.leaseForfeited && state.now < leadership.leaseUntil;
}

/** Reads that came before the leader knew the commit index: now it does. */
export function releaseEarlyReads(state: State, leadership: Leadership): void {
  if (leadership.reads.length === 0) return;
  if (!state.rules.mayServeReads(state.log.termAt(state.commitIndex), state.term)) return;
  let released = false;
  for (const read of leadership.reads) {
    if (read.index !== null) continue;
    read.index = state.commitIndex;
    released = true;
  }
  if (released) askRound(state, leadership);
}

/** A quorum may have answered a round: that renews the lease and confirms the reads that waited for it. */
export function confirmReads(state: State, leadership: Leadership): void {
  const confirmed = quorumReached(state.log.configuration, state.rules, (voter) =>
    voter === state.id ? leadership.round : (leadership.progress.get(voter)?.heardRound ?? 0),
  );
  if (confirmed > leadership.confirmedRound) {
    leadership.confirmedRound = confirmed;
    renewLease(state, leadership);
  }
  if (leadership.reads.length === 0) return;
  const waiting: PendingRead[] = [];
  for (const read of leadership.reads) {
    const { index, round } = read;
    if (index !== null && round !== null && state.rules.isReadConfirmed(round, leadership.confirmedRound)) {
      answer(state, read.asker, index);
    } else {
      waiting.push(read);
    }
  }
  leadership.reads = waiting;
  askRound(state, leadership);
}

/** Begins a round for reads that wait for one, unless a round for earlier reads is under way: they share the next. */
function askRound(state: State, leadership: Leadership): void {
  let waits = false;
  for (const { index, round } of leadership.reads) {
    if (round !== null && round > leadership.confirmedRound) return;
    waits ||= index !== null;
  }
  if (!waits) return;
  beginRound(state, leadership);
  // Where this board's own vote is a majority, nobody needs to answer.
  confirmReads(state, leadership);
}

/** Asks everyone again after a heartbeat's time, if reads still wait: the round, or its answers, may have got lost. */
export function repeatOverdueRound(state: State, leadership: Leadership): void {
  if (state.now < overdueRoundAt(state, leadership)) return;
  beginRound(state, leadership);
  confirmReads(state, leadership);
}

/** When the round for which reads wait is to be repeated; infinity if none wait. */
export function overdueRoundAt(state: State, leadership: Leadership): TimeUs {
  const waits = leadership.reads.some(({ round }) => round !== null);
  return waits ? leadership.roundToAllAt + state.options.heartbeatUs : Number.POSITIVE_INFINITY;
}

function renewLease(state: State, leadership: Leadership): void {
  const { roundsUnderWay } = leadership;
  while (roundsUnderWay.length > 0) {
    const oldest = roundsUnderWay[0];
    if (oldest === undefined || oldest.round > leadership.confirmedRound) return;
    roundsUnderWay.shift();
    const { electionTimeoutMinUs, clockDriftMaxPpm } = state.options;
    const until = state.rules.leaseUntil(oldest.startedAt, electionTimeoutMinUs, clockDriftMaxPpm);
    leadership.leaseUntil = Math.max(leadership.leaseUntil, until);
  }
}

function answer(state: State, asker: PendingRead["asker"], index: number | null): void {
  if ("id" in asker) {
    if (index !== null) state.outbox.reads.push({ id: asker.id, ready: true, index });
    return;
  }
  send(state, {
    type: "readIndexReply",
    from: state.id,
    to: asker.member,
    term: state.term,
    read: asker.read,
    index,
  });
}
