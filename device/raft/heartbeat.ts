/** Heartbeats: one round tells every follower that the leader still leads, and its answers tell the leader (§3.4, §6.4). */

import type { Progress } from "./progress.ts";
import { type Leadership, type State, send } from "./state.ts";

/** Begins a round to everyone, and with it the confirmation of the reads that wait for one. */
export function beginRound(state: State, leadership: Leadership): void {
  nextRound(state, leadership);
  leadership.roundToAllAt = state.now;
  for (const read of leadership.reads) if (read.index !== null) read.round ??= leadership.round;
  for (const progress of leadership.progress.values()) sendHeartbeat(state, leadership, progress);
}

/**
 * Begins a round to those who were sent nothing for a heartbeat's time; an append says as much as a heartbeat. No read
 * waits for such a round: those whom it passes over might never answer it.
 */
export function sendDueHeartbeats(state: State, leadership: Leadership): void {
  const dueAt = state.now - state.options.heartbeatUs;
  let begun = false;
  for (const progress of leadership.progress.values()) {
    if (progress.lastSentAt > dueAt) continue;
    if (!begun) nextRound(state, leadership);
    begun = true;
    sendHeartbeat(state, leadership, progress);
  }
}

function nextRound(state: State, leadership: Leadership): void {
  leadership.round += 1;
  leadership.roundsUnderWay.push({ round: leadership.round, startedAt: state.now });
}

function sendHeartbeat(state: State, leadership: Leadership, progress: Progress): void {
  progress.lastSentAt = state.now;
  send(state, {
    type: "heartbeat",
    from: state.id,
    to: progress.member,
    term: state.term,
    commit: state.commitIndex,
    // A follower may hold other entries beyond what it is known to share with us; those must not look committed.
    match: progress.matchIndex,
    round: leadership.round,
  });
}
