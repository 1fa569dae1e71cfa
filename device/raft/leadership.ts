/** What a leader does by itself: takes office, says that it leads, resigns when nobody listens (§3.4, §6.2). */

import { membersOf, quorumReached } from "./configuration.ts";
import { sendDueHeartbeats } from "./heartbeat.ts";
import { weight } from "./log.ts";
import { createProgress } from "./progress.ts";
import { overdueRoundAt, repeatOverdueRound } from "./reads.ts";
import { appendOwn, becomeFollower, type Leadership, note, type State, setLeader } from "./state.ts";
import { checkTransfer } from "./transfer.ts";
import type { TimeUs } from "./types.ts";

/** Takes office with an empty entry, since only an entry of its own term tells it what is committed (§3.6.2, §6.4). */
export function becomeLeader(state: State): void {
  const leadership: Leadership = {
    name: "leader",
    progress: new Map(),
    uncommittedBytes: state.log
      .range(state.commitIndex + 1, state.log.lastIndex)
      .reduce((sum, entry) => sum + weight(entry), 0),
    round: 0,
    confirmedRound: 0,
    roundsUnderWay: [],
    roundToAllAt: Number.NEGATIVE_INFINITY,
    reads: [],
    leaseUntil: Number.NEGATIVE_INFINITY,
    leaseForfeited: false,
    transfer: null,
    hearsQuorumUntil: Number.NEGATIVE_INFINITY,
  };
  state.role = leadership;
  note(state, { type: "role", role: "leader", term: state.term, reason: "a majority voted for it" });
  setLeader(state, state.id);
  followMembers(state, leadership);
  appendOwn(state, leadership, { kind: "empty", index: state.log.lastIndex + 1, term: state.term });
}

/** Keeps one `Progress` for everyone else in the configuration in force. */
export function followMembers(state: State, leadership: Leadership): void {
  leadership.hearsQuorumUntil = Number.NEGATIVE_INFINITY;
  const members = membersOf(state.log.configuration);
  for (const member of leadership.progress.keys()) {
    if (!members.includes(member)) leadership.progress.delete(member);
  }
  for (const member of members) {
    if (member !== state.id && !leadership.progress.has(member)) {
      leadership.progress.set(member, createProgress(member, state.log.lastIndex + 1, state.now));
    }
  }
}

/** Time went by in office. */
export function leaderTick(state: State, leadership: Leadership): void {
  if (state.rules.mustLeaderResign(hearsQuorum(state, leadership))) {
    becomeFollower(state, null, "it has not heard from a majority for an election time-out");
    return;
  }
  checkTransfer(state, leadership);
  repeatOverdueRound(state, leadership);
  sendDueHeartbeats(state, leadership);
}

/** When `leaderTick` is next needed. */
export function leaderDeadline(state: State, leadership: Leadership): TimeUs {
  let deadline = Math.min(leadership.transfer?.deadline ?? Number.POSITIVE_INFINITY, overdueRoundAt(state, leadership));
  for (const progress of leadership.progress.values()) {
    deadline = Math.min(deadline, progress.lastSentAt + state.options.heartbeatUs);
  }
  return deadline;
}

/** Whether a majority was heard from within an election time-out, worked out anew only when the last answer runs out. */
function hearsQuorum(state: State, leadership: Leadership): boolean {
  if (state.now < leadership.hearsQuorumUntil) return true;
  const heardAt = quorumReached(state.log.configuration, state.rules, (voter) =>
    voter === state.id ? state.now : (leadership.progress.get(voter)?.lastHeardAt ?? Number.NEGATIVE_INFINITY),
  );
  leadership.hearsQuorumUntil = heardAt + state.options.electionTimeoutMinUs;
  return state.now < leadership.hearsQuorumUntil;
}
