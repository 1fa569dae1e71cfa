/** Elections: asking whether one would succeed, holding one, voting (§3.4, §4.2.3, §9.6). */

import { isQuorum, isQuorumLost, isVoter } from "./configuration.ts";
import { becomeLeader } from "./leadership.ts";
import { adoptTerm, becomeFollower, note, restartElectionTimer, type State, send, setLeader } from "./state.ts";
import type { MemberId, VoteReply, VoteRequest } from "./types.ts";

/** The leader was not heard for an election time-out: it is forgotten, and a voter asks whether it could win (§9.6). */
export function electionTimedOut(state: State): void {
  restartElectionTimer(state);
  setLeader(state, null);
  if (!mayCampaign(state)) return;
  state.role = { name: "preCandidate", votes: new Map([[state.id, true]]) };
  note(state, { type: "role", role: "preCandidate", term: state.term, reason: "no leader heard in time" });
  askForVotes(state, "preVote", false);
  countVotes(state);
}

/** Starts an election in the next term (§3.4). `transfer`: at the leader's own wish. */
export function campaign(state: State, transfer: boolean): void {
  adoptTerm(state, state.term + 1);
  setLeader(state, null);
  state.votedFor = state.id;
  state.role = { name: "candidate", votes: new Map(), ownVoteSave: state.nextSaveId };
  note(state, {
    type: "role",
    role: "candidate",
    term: state.term,
    reason: transfer ? "the leader hands over" : "a majority would vote for it",
  });
  restartElectionTimer(state);
  askForVotes(state, "vote", transfer);
}

/**
 * A board that was voted out is still needed until that is committed: its log may be the only one that is up to date
 * enough to win. It does not count its own vote then (§4.2.2). Any configuration from the commit index on may be the one
 * that is really committed.
 */
function mayCampaign({ log, commitIndex, id }: State): boolean {
  return log.configurationsFrom(commitIndex).some((configuration) => isVoter(configuration, id));
}

/** This board's own vote is on disk, so it counts. */
export function ownVoteDurable(state: State, saveId: number): void {
  const { role } = state;
  if (role.name !== "candidate" || saveId < role.ownVoteSave || role.votes.has(state.id)) return;
  role.votes.set(state.id, true);
  countVotes(state);
}

/** Whether a request is to be passed over without a word, because the leader that it would replace is well (§4.2.3). */
export function isProtected(state: State, request: VoteRequest): boolean {
  const sinceHeardUs = state.role.name === "leader" ? 0 : state.now - state.heardFromLeaderAt;
  return state.rules.isLeaderProtected(sinceHeardUs, state.options.electionTimeoutMinUs, request.transfer);
}

/**
 * A pre-vote promises nothing and changes nothing: "in that term I would vote for you". Whoever says so lets the other
 * try first, and of two that ask at the same time one gives way: boards that miss the same leader at the same moment
 * would otherwise split the votes.
 */
export function onPreVote(state: State, request: VoteRequest): void {
  const granted = request.term > state.term && isUpToDate(state, request);
  if (granted) letTryFirst(state, request.from);
  reply(state, request, "preVoteReply", granted);
}

function letTryFirst(state: State, other: MemberId): void {
  if (state.role.name === "preCandidate" && other < state.id) {
    becomeFollower(state, null, `${other} asks as well, and is let try first`);
    state.electionDeadline = state.now;
  }
  if (state.role.name !== "follower") return;
  state.electionDeadline = Math.max(state.electionDeadline, state.now + state.options.heartbeatUs);
}

/** Grants the vote of this term or refuses it; a vote granted is a promise, so its answer waits for the disk (§3.4). */
export function onVote(state: State, request: VoteRequest): void {
  const granted = state.rules.isVoteFree(state.votedFor, request.from) && isUpToDate(state, request);
  if (granted) {
    if (state.votedFor !== request.from) {
      state.votedFor = request.from;
      state.hardStateChanged = true;
    }
    restartElectionTimer(state);
  }
  reply(state, request, "voteReply", granted);
}

/** A candidate of an earlier term learns of the present one. */
export function refuseVote(state: State, request: VoteRequest): void {
  reply(state, request, "voteReply", false);
}

/** An answer to a request of this board for votes, or for what votes it would get. */
export function onVoteReply(state: State, message: VoteReply): void {
  const { role } = state;
  if (role.name === "preCandidate" && message.type === "preVoteReply") {
    role.votes.set(message.from, message.granted);
  } else if (role.name === "candidate" && message.type === "voteReply") {
    role.votes.set(message.from, message.granted);
  } else {
    return;
  }
  countVotes(state);
}

function countVotes(state: State): void {
  const { role } = state;
  if (role.name !== "preCandidate" && role.name !== "candidate") return;
  const { configuration } = state.log;
  if (isQuorum(configuration, state.rules, (voter) => role.votes.get(voter) === true)) {
    if (role.name === "preCandidate") campaign(state, false);
    else becomeLeader(state);
  } else if (isQuorumLost(configuration, state.rules, (voter) => role.votes.get(voter) === false)) {
    becomeFollower(state, null, "a majority refused its vote");
  }
}

function askForVotes(state: State, type: "vote" | "preVote", transfer: boolean): void {
  const term = type === "preVote" ? state.term + 1 : state.term;
  const { lastIndex, lastTerm, configuration } = state.log;
  const ask = (voter: MemberId): void => {
    if (voter === state.id) return;
    send(state, { type, from: state.id, to: voter, term, lastIndex, lastTerm, transfer });
  };
  configuration.voters.forEach(ask);
  configuration.votersOutgoing.filter((voter) => !configuration.voters.includes(voter)).forEach(ask);
}

function isUpToDate(state: State, request: VoteRequest): boolean {
  return state.rules.isLogUpToDate(request.lastTerm, request.lastIndex, state.log.lastTerm, state.log.lastIndex);
}

function reply(state: State, request: VoteRequest, type: "voteReply" | "preVoteReply", granted: boolean): void {
  const term = granted ? request.term : state.term;
  send(state, { type, from: state.id, to: request.from, term, granted });
}
