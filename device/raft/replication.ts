/** The leader's side of replication: sending the log, and learning how far each follower is (§3.5). */

import { advanceCommit } from "./commitment.ts";
import { assertInvariant } from "./invariant.ts";
import { sizeOf } from "./log.ts";
import { beginProbe, beginReplicate, noteMatch, type Progress } from "./progress.ts";
import { confirmReads } from "./reads.ts";
import { offerSnapshot, sendChunk } from "./snapshots.ts";
import { type Leadership, note, type State, send } from "./state.ts";
import { askIfCaughtUp } from "./transfer.ts";
import type { AppendAccepted, AppendRejected, HeartbeatReply } from "./types.ts";

/** Sends every follower what it may be sent now. */
export function replicate(state: State, leadership: Leadership): void {
  for (const progress of leadership.progress.values()) sendEntries(state, progress);
}

function sendEntries(state: State, progress: Progress): void {
  const { log, options } = state;
  while (progress.nextIndex <= log.lastIndex || progress.sending.mode === "probe") {
    const { sending } = progress;
    if (sending.mode === "snapshot") return;
    if (sending.mode === "probe" && sending.askedAt !== null) return;
    if (sending.mode === "replicate" && isFull(state, sending.inFlight.length, sending.bytesInFlight)) return;
    const prevIndex = progress.nextIndex - 1;
    const prevTerm = log.termAt(prevIndex);
    if (prevTerm === null) {
      offerSnapshot(state, progress);
      return;
    }
    const entries = log.slice(progress.nextIndex, options.appendEntriesMax, options.appendBytesMax);
    send(state, {
      type: "append",
      from: state.id,
      to: progress.member,
      term: state.term,
      prevIndex,
      prevTerm,
      entries,
      commit: state.commitIndex,
    });
    progress.lastSentAt = state.now;
    if (sending.mode === "probe") {
      sending.askedAt = state.now;
    } else {
      const bytes = entries.reduce((sum, entry) => sum + sizeOf(entry), 0);
      sending.inFlight.push({ lastIndex: prevIndex + entries.length, bytes, sentAt: state.now });
      sending.bytesInFlight += bytes;
      progress.nextIndex += entries.length;
    }
  }
}

function isFull(state: State, appends: number, bytes: number): boolean {
  return appends >= state.options.inFlightAppendsMax || bytes >= state.options.inFlightBytesMax;
}

/** The follower holds more than was known: count it, and send on. */
export function onAppendAccepted(
  state: State,
  leadership: Leadership,
  progress: Progress,
  message: AppendAccepted,
): void {
  assertInvariant(
    message.matchIndex <= state.log.lastIndex,
    "no follower agrees with entries that its leader lacks",
    () => `${message.from} agrees up to ${message.matchIndex}, the log ends at ${state.log.lastIndex}`,
  );
  noteMatch(progress, message.matchIndex);
  const { sending } = progress;
  if (sending.mode === "probe") {
    beginReplicate(progress);
  } else if (sending.mode === "snapshot" && progress.matchIndex >= sending.snapshot.index) {
    note(state, { type: "snapshotSent", to: progress.member, index: sending.snapshot.index });
    beginReplicate(progress);
  } else if (sending.mode === "snapshot" && progress.matchIndex >= state.log.baseIndex) {
    // It got there without the snapshot.
    beginReplicate(progress);
  }
  if (progress.matchIndex > state.commitIndex) advanceCommit(state, leadership);
  // What was just committed may have been the end of its office.
  if (state.role === leadership) askIfCaughtUp(state, leadership);
}

/**
 * The logs differ at `prevIndex`. With the follower's term there, a whole term is skipped at a time, from either side
 * (§3.5, end): what we hold of later terms is not theirs, and if we hold nothing of that term, none of it is ours.
 */
export function onAppendRejected(state: State, progress: Progress, message: AppendRejected): void {
  const { sending } = progress;
  if (sending.mode === "snapshot") return;
  const isStale =
    sending.mode === "probe" ? message.prevIndex !== progress.nextIndex - 1 : message.prevIndex <= progress.matchIndex;
  if (isStale) return;
  const candidate = state.log.lastIndexWithTermAtMost(
    Math.min(message.prevIndex - 1, message.lastIndex),
    message.conflictTerm,
  );
  const isShared = state.log.termAt(candidate) === message.conflictTerm;
  const agreesAtMost = isShared ? candidate : Math.min(candidate, message.conflictIndex - 1);
  beginProbe(progress, Math.max(1, agreesAtMost + 1));
}

/** The follower still follows: that confirms reads (§6.4), and shows what got lost. */
export function onHeartbeatReply(
  state: State,
  leadership: Leadership,
  progress: Progress,
  message: HeartbeatReply,
): void {
  progress.heardRound = Math.max(progress.heardRound, message.round);
  if (message.round > leadership.confirmedRound) confirmReads(state, leadership);
  resendIfLost(state, progress);
}

/** The follower is there, but an answer is overdue: what was asked, or sent ahead, must have got lost. */
function resendIfLost(state: State, progress: Progress): void {
  const { sending } = progress;
  const overdue = state.now - state.options.heartbeatUs;
  switch (sending.mode) {
    case "probe":
      if (sending.askedAt !== null && sending.askedAt <= overdue) sending.askedAt = null;
      return;
    case "replicate": {
      const oldest = sending.inFlight[0];
      if (oldest !== undefined && oldest.sentAt <= overdue) beginProbe(progress, progress.matchIndex + 1);
      return;
    }
    case "snapshot":
      if (sending.sentAt <= overdue) sendChunk(state, progress);
      return;
    default:
      sending satisfies never;
  }
}
