/** The follower's side of replication: checking, overwriting, appending, acknowledging (§3.5). */

import { commitThrough } from "./commitment.ts";
import { assertInvariant } from "./invariant.ts";
import { failOverdueReads } from "./reads.ts";
import { note, noteConfiguration, type State, send } from "./state.ts";
import type { Append, Entry, Heartbeat, LogIndex, Message } from "./types.ts";

/** AppendEntries at the receiver (Figure 2). */
export function onAppend(state: State, message: Append): void {
  const { log, rules } = state;
  if (message.prevIndex < log.baseIndex) {
    // What it starts from is compacted here, hence committed, hence the same in every leader's log.
    acknowledge(state, message, state.commitIndex);
    return;
  }
  if (!rules.isConsistent(log.termAt(message.prevIndex), message.prevTerm)) {
    reject(state, message);
    return;
  }
  for (const entry of message.entries) takeEntry(state, entry);
  const verifiedIndex = message.prevIndex + message.entries.length;
  followCommit(state, rules.followerCommitIndex(message.commit, verifiedIndex, log.lastIndex));
  acknowledge(state, message, verifiedIndex);
}

/** The leader is there; what it says is committed and known to be here, is committed here. */
export function onHeartbeat(state: State, message: Heartbeat): void {
  const { lastIndex } = state.log;
  assertInvariant(
    message.match <= lastIndex,
    "acknowledged entries are never lost",
    () => `${message.from} knows this log up to ${message.match}, it ends at ${lastIndex}`,
  );
  followCommit(state, state.rules.followerCommitIndex(message.commit, message.match, lastIndex));
  failOverdueReads(state);
  send(state, { type: "heartbeatReply", from: state.id, to: message.from, term: state.term, round: message.round });
}

/** Answers one who speaks for an earlier term, so that it learns of the present one and stops. */
export function answerStale(state: State, message: Message): void {
  send(state, {
    type: "appendRejected",
    from: state.id,
    to: message.from,
    term: state.term,
    prevIndex: 0,
    conflictTerm: 0,
    conflictIndex: 0,
    lastIndex: 0,
  });
}

function takeEntry(state: State, entry: Entry): void {
  const { log } = state;
  if (entry.index <= log.baseIndex) return;
  const ownTerm = log.termAt(entry.index);
  if (ownTerm !== null) {
    if (!state.rules.isConflict(ownTerm, entry.term)) return;
    assertInvariant(
      entry.index > state.commitIndex,
      "committed entries are never overwritten",
      () =>
        `entry ${entry.index} of term ${ownTerm} by one of term ${entry.term}; committed up to ${state.commitIndex}`,
    );
    const configurationIndex = log.configurationIndex;
    log.truncateFrom(entry.index);
    state.unsavedFrom = Math.min(state.unsavedFrom, entry.index);
    note(state, { type: "truncated", from: entry.index });
    if (log.configurationIndex !== configurationIndex) noteConfiguration(state);
  }
  log.append(entry);
  if (entry.kind === "configuration") noteConfiguration(state);
}

function followCommit(state: State, index: LogIndex): void {
  if (index > state.commitIndex) commitThrough(state, index);
}

function acknowledge(state: State, message: Append, matchIndex: LogIndex): void {
  send(state, { type: "appendAccepted", from: state.id, to: message.from, term: state.term, matchIndex });
}

function reject(state: State, message: Append): void {
  const { log } = state;
  const conflictAt = Math.min(message.prevIndex, log.lastIndex);
  send(state, {
    type: "appendRejected",
    from: state.id,
    to: message.from,
    term: state.term,
    prevIndex: message.prevIndex,
    conflictTerm: log.termAt(conflictAt) ?? 0,
    conflictIndex: log.firstIndexOfTermAt(conflictAt),
    lastIndex: log.lastIndex,
  });
}
