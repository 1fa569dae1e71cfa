/** Sending the state itself, piece by piece, to a follower that is too far behind the log (§5.1, Figure 5.3). */

import { commitThrough } from "./commitment.ts";
import { assertInvariant } from "./invariant.ts";
import { beginSnapshot, type Progress } from "./progress.ts";
import { note, noteConfiguration, type State, send } from "./state.ts";
import type { Message, Snapshot, SnapshotChunk, SnapshotReply } from "./types.ts";

/** What the follower needs next is compacted away: begin with the snapshot. Its answer says how much of it it has. */
export function offerSnapshot(state: State, progress: Progress): void {
  const { snapshot } = state.log;
  assertInvariant(snapshot !== null, "what is compacted is in a snapshot", () => `entry ${progress.nextIndex} is gone`);
  beginSnapshot(progress, snapshot, state.now);
  sendChunk(state, progress);
}

/** The follower holds the first `offset` bytes: go on there. */
export function onSnapshotReply(state: State, progress: Progress, message: SnapshotReply): void {
  const { sending } = progress;
  if (sending.mode !== "snapshot" || sending.snapshot.index !== message.snapshotIndex) return;
  if (message.offset === sending.offset) return;
  sending.offset = message.offset;
  sending.advancedAt = state.now;
  sendChunk(state, progress);
}

/** Sends the piece that the follower needs next. */
export function sendChunk(state: State, progress: Progress): void {
  const { sending } = progress;
  if (sending.mode !== "snapshot") return;
  const { snapshot, offset } = sending;
  sending.sentAt = state.now;
  progress.lastSentAt = state.now;
  send(state, {
    type: "snapshot",
    from: state.id,
    to: progress.member,
    term: state.term,
    snapshotIndex: snapshot.index,
    snapshotTerm: snapshot.term,
    configuration: snapshot.configuration,
    offset,
    size: snapshot.data.length,
    data: snapshot.data.slice(offset, offset + state.options.snapshotChunkBytes),
  });
}

/** A follower receives a piece. Pieces of one snapshot fit together whichever leader sends them: it is the same state. */
export function onSnapshotChunk(state: State, message: SnapshotChunk): void {
  if (message.snapshotIndex <= state.commitIndex) {
    // Nothing new in it: say how far this board really is.
    accept(state, message, state.commitIndex);
    return;
  }
  if (state.log.termAt(message.snapshotIndex) === message.snapshotTerm) {
    // The log reaches the snapshot and agrees with it. Keep the log: what comes after may be acknowledged already.
    commitThrough(state, message.snapshotIndex);
    accept(state, message, message.snapshotIndex);
    return;
  }
  if (message.size > state.options.snapshotBytesMax) {
    note(state, { type: "snapshotRefused", index: message.snapshotIndex, sizeBytes: message.size });
    return;
  }
  const { incoming } = state;
  const isSame =
    incoming !== null &&
    incoming.index === message.snapshotIndex &&
    incoming.term === message.snapshotTerm &&
    incoming.size === message.size;
  const current = isSame
    ? incoming
    : {
        index: message.snapshotIndex,
        term: message.snapshotTerm,
        configuration: message.configuration,
        size: message.size,
        pieces: [],
        received: 0,
      };
  state.incoming = current;
  if (message.offset === current.received && message.offset + message.data.length <= current.size) {
    current.pieces.push(message.data);
    current.received += message.data.length;
  }
  if (current.received < current.size) {
    send(state, {
      type: "snapshotReply",
      from: state.id,
      to: message.from,
      term: state.term,
      snapshotIndex: message.snapshotIndex,
      offset: current.received,
    });
    return;
  }
  state.incoming = null;
  install(state, {
    index: current.index,
    term: current.term,
    configuration: current.configuration,
    data: current.pieces.join(""),
  });
  accept(state, message, message.snapshotIndex);
}

/** The snapshot takes the place of a log that does not reach it, or that disagrees with it. */
function install(state: State, snapshot: Snapshot): void {
  state.log.replaceBy(snapshot);
  state.unsavedFrom = snapshot.index + 1;
  state.unsavedSnapshot = snapshot;
  state.commitIndex = snapshot.index;
  state.appliedIndex = snapshot.index;
  state.outbox.restore = snapshot;
  note(state, { type: "snapshotReceived", index: snapshot.index });
  noteConfiguration(state);
}

function accept(state: State, message: Message, matchIndex: number): void {
  send(state, { type: "appendAccepted", from: state.id, to: message.from, term: state.term, matchIndex });
}
