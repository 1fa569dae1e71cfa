/** A message arrives: whose term it is of, and who answers it (Figure 2, "rules for servers"). */

import { isVoter } from "./configuration.ts";
import { campaign, isProtected, onPreVote, onVote, onVoteReply, refuseVote } from "./election.ts";
import { answerStale, onAppend, onHeartbeat } from "./following.ts";
import { assertInvariant } from "./invariant.ts";
import type { Progress } from "./progress.ts";
import { onReadIndex, onReadIndexReply } from "./reads.ts";
import { onAppendAccepted, onAppendRejected, onHeartbeatReply } from "./replication.ts";
import { onSnapshotChunk, onSnapshotReply } from "./snapshots.ts";
import { adoptTerm, becomeFollower, heardFromLeader, type Leadership, type State } from "./state.ts";
import type { MemberId, Message } from "./types.ts";

/** Takes a message in that is meant for this board. */
export function dispatch(state: State, message: Message): void {
  const isVoteRequest = message.type === "vote" || message.type === "preVote";
  // In the present term too: a board that heard its leader and then learned of a later term still owes it protection.
  if (isVoteRequest && message.term >= state.term && isProtected(state, message)) return;
  if (message.type === "preVote") {
    onPreVote(state, message);
    return;
  }
  const isPreVoteGranted = message.type === "preVoteReply" && message.granted;
  if (isPreVoteGranted) {
    // It speaks of a term that does not exist yet.
    if (message.term === state.term + 1) onVoteReply(state, message);
    return;
  }
  if (state.rules.isLaterTerm(message.term, state.term)) {
    adoptTerm(state, message.term);
    if (state.rules.mustStepDown(state.role.name)) becomeFollower(state, null, `${message.from} is in a later term`);
  }
  if (message.term < state.term) {
    if (isFromLeader(message)) answerStale(state, message);
    else if (message.type === "vote") refuseVote(state, message);
    return;
  }
  stepInTerm(state, message);
}

/** A message of the present term. */
function stepInTerm(state: State, message: Message): void {
  if (isFromLeader(message)) hearLeader(state, message.from);
  switch (message.type) {
    case "vote":
      onVote(state, message);
      return;
    case "voteReply":
    case "preVoteReply":
      onVoteReply(state, message);
      return;
    case "append":
      onAppend(state, message);
      return;
    case "heartbeat":
      onHeartbeat(state, message);
      return;
    case "snapshot":
      onSnapshotChunk(state, message);
      return;
    case "timeoutNow":
      if (state.role.name === "follower" && isVoter(state.log.configuration, state.id)) campaign(state, true);
      return;
    case "readIndex":
      onReadIndex(state, message);
      return;
    case "readIndexReply":
      onReadIndexReply(state, message);
      return;
    case "appendAccepted":
    case "appendRejected":
    case "heartbeatReply":
    case "snapshotReply": {
      const { role } = state;
      const progress = role.name === "leader" ? role.progress.get(message.from) : undefined;
      if (role.name === "leader" && progress !== undefined) hearFollower(state, role, progress, message);
      return;
    }
    case "preVote":
      return;
    default:
      message satisfies never;
  }
}

function hearLeader(state: State, from: MemberId): void {
  assertInvariant(
    state.role.name !== "leader",
    "a term has one leader",
    () => `${from} also leads term ${state.term}, which ${state.id} leads`,
  );
  if (state.role.name !== "follower" || state.leader !== from) {
    becomeFollower(state, from, `${from} leads term ${state.term}`);
  }
  heardFromLeader(state);
}

/** Whether only a leader sends such a message, so that its arrival says who leads. */
function isFromLeader(message: Message): boolean {
  return (
    message.type === "append" ||
    message.type === "heartbeat" ||
    message.type === "snapshot" ||
    message.type === "timeoutNow"
  );
}

function hearFollower(
  state: State,
  leadership: Leadership,
  progress: Progress,
  message: Extract<Message, { type: "appendAccepted" | "appendRejected" | "heartbeatReply" | "snapshotReply" }>,
): void {
  progress.lastHeardAt = state.now;
  switch (message.type) {
    case "appendAccepted":
      onAppendAccepted(state, leadership, progress, message);
      return;
    case "appendRejected":
      onAppendRejected(state, progress, message);
      return;
    case "heartbeatReply":
      onHeartbeatReply(state, leadership, progress, message);
      return;
    case "snapshotReply":
      onSnapshotReply(state, progress, message);
      return;
    default:
      message satisfies never;
  }
}
