/**
 * The rules of Raft, each a small pure function: Figure 2 of the paper, and what the dissertation adds to it.
 *
 * The engine (the other files of this folder) calls these and decides nothing by itself, so this page is the whole
 * protocol's law. Break one rule and the simulator shows what it was for: that is what a mutant does.
 */

import type {
  Configuration,
  DurationUs,
  HardState,
  LogIndex,
  MemberId,
  Message,
  RoleName,
  Term,
  TimeUs,
} from "./types.ts";

// Terms (§3.3)

/** A message of a later term is news of an election: this board joins that term (Figure 2, "all servers"). */
function isLaterTerm(messageTerm: Term, currentTerm: Term): boolean {
  return messageTerm > currentTerm;
}

/** Whatever role a board had in an earlier term ends with that term: it becomes a follower (Figure 2, "all servers"). */
function mustStepDown(_role: RoleName): boolean {
  return true;
}

/** What must be on disk before anything that depends on it is said (Figure 2, "persistent state"). */
function hardStateToSave(term: Term, votedFor: MemberId | null): HardState {
  return { term, votedFor };
}

/** Whether this message makes a promise (or asks for one) that must outlive a crash, so that the disk comes first. */
function mustBeDurableFirst(message: Message): boolean {
  switch (message.type) {
    case "vote":
    case "appendAccepted":
      return true;
    case "voteReply":
      return message.granted;
    default:
      return false;
  }
}

// Votes (§3.4, §3.6.1)

/** Of two logs the more up-to-date ends in the later term or, in the same term, is at least as long (§3.6.1). */
function isLogUpToDate(candidateTerm: Term, candidateIndex: LogIndex, ownTerm: Term, ownIndex: LogIndex): boolean {
  return candidateTerm > ownTerm || (candidateTerm === ownTerm && candidateIndex >= ownIndex);
}

/** One vote a term, first come, first served; asked again, the same answer (§3.4). */
function isVoteFree(votedFor: MemberId | null, candidate: MemberId): boolean {
  return votedFor === null || votedFor === candidate;
}

/**
 * A board that hears from a leader ignores those who would replace it, so that a removed or cut-off board cannot
 * disturb the others (§4.2.3). A leader that hands over itself asks for the exception (§3.10).
 */
function isLeaderProtected(sinceHeardUs: DurationUs, electionTimeoutMinUs: DurationUs, transfer: boolean): boolean {
  return sinceHeardUs < electionTimeoutMinUs && !transfer;
}

// Quorums (§3.4, §4.3)

/** How many of `count` voters are a majority: any two majorities share a voter. */
function majorityOf(count: number): number {
  return Math.floor(count / 2) + 1;
}

/** The groups of voters that must each agree by majority: one, or the new and the old in a joint configuration (§4.3). */
function quorumGroups(configuration: Configuration): readonly (readonly MemberId[])[] {
  return configuration.votersOutgoing.length === 0
    ? [configuration.voters]
    : [configuration.voters, configuration.votersOutgoing];
}

// The log (§3.5)

/** A follower takes entries only if its log holds the entry before them, with the same term (Figure 2, AppendEntries 2). */
function isConsistent(termAtPrev: Term | null, prevTerm: Term): boolean {
  return termAtPrev === prevTerm;
}

/** An entry is overwritten only if it differs from the leader's: same index, other term (Figure 2, AppendEntries 3). */
function isConflict(ownTerm: Term, entryTerm: Term): boolean {
  return ownTerm !== entryTerm;
}

/** What a follower may take as committed: no more than the leader says, and no more than was just verified (AppendEntries 5). */
function followerCommitIndex(leaderCommit: LogIndex, verifiedIndex: LogIndex, _lastIndex: LogIndex): LogIndex {
  return Math.min(leaderCommit, verifiedIndex);
}

/** A leader counts itself only for what its own disk holds; it may write in parallel with its followers (§10.2.1). */
function leaderMatchIndex(durableIndex: LogIndex, _lastIndex: LogIndex): LogIndex {
  return durableIndex;
}

// Commitment (§3.6.2)

/** Counting replicas commits only entries of the leader's own term; older ones follow with them (Figure 3.7 shows why). */
function mayCommitByCounting(entryTerm: Term | null, currentTerm: Term): boolean {
  return entryTerm === currentTerm;
}

/** State machines are given committed entries only (Figure 2, "all servers"), at a leader too. */
function appliableIndex(commitIndex: LogIndex, _durableIndex: LogIndex): LogIndex {
  return commitIndex;
}

// Leadership (§6.2)

/** A leader that has not heard from a majority within an election timeout no longer leads anybody (§6.2). */
function mustLeaderResign(heardFromQuorum: boolean): boolean {
  return !heardFromQuorum;
}

// Reads (§6.4)

/** A new leader knows the commit index only after it has committed an entry of its own term (§6.4, step 1). */
function mayServeReads(termAtCommitIndex: Term | null, currentTerm: Term): boolean {
  return termAtCommitIndex === currentTerm;
}

/** Without asking a majority, a leader answers only while it holds a lease (§6.4.1): another may lead already (§6.4). */
function mayAnswerAlone(holdsLease: boolean): boolean {
  return holdsLease;
}

/** A read is linearizable only if a majority confirmed, after it arrived, that this board still leads (§6.4, step 3). */
function isReadConfirmed(readRound: number, confirmedRound: number): boolean {
  return confirmedRound >= readRound;
}

/**
 * Until when, on its own clock, a leader may answer reads without asking (§6.4.1): followers who answered a round keep
 * other candidates out for an election timeout from its start, on their clocks. With every clock's rate within
 * 1 ± drift of true time, the leader's may run slow and the followers' fast, hence (1 - drift) / (1 + drift).
 */
function leaseUntil(roundStartedAt: TimeUs, electionTimeoutMinUs: DurationUs, clockDriftMaxPpm: number): TimeUs {
  return (
    roundStartedAt +
    Math.floor((electionTimeoutMinUs * (1_000_000 - clockDriftMaxPpm)) / (1_000_000 + clockDriftMaxPpm))
  );
}

// Membership (§4)

/** The next change may begin only when the last one is committed (§4.1), and this leader has committed something itself. */
function mayChangeConfiguration(
  configurationIndex: LogIndex,
  commitIndex: LogIndex,
  termAtCommitIndex: Term | null,
  currentTerm: Term,
): boolean {
  return configurationIndex <= commitIndex && termAtCommitIndex === currentTerm;
}

/** A learner becomes a voter only when it lacks so little that it will not hold up commitment (§4.2.1). */
function isCaughtUp(matchIndex: LogIndex, lastIndex: LogIndex, lagEntriesMax: number): boolean {
  return matchIndex + lagEntriesMax >= lastIndex;
}

/** A snapshot carries the configuration as of its last entry, for whoever knows nothing but the snapshot (§5.1). */
function snapshotConfiguration(atSnapshot: Configuration, _initial: Configuration): Configuration {
  return atSnapshot;
}

/** All rules by name. A mutant is a copy with one of them replaced. */
export const rules = {
  isLaterTerm,
  mustStepDown,
  hardStateToSave,
  mustBeDurableFirst,
  isLogUpToDate,
  isVoteFree,
  isLeaderProtected,
  majorityOf,
  quorumGroups,
  isConsistent,
  isConflict,
  followerCommitIndex,
  leaderMatchIndex,
  mayCommitByCounting,
  appliableIndex,
  mustLeaderResign,
  mayServeReads,
  mayAnswerAlone,
  isReadConfirmed,
  leaseUntil,
  mayChangeConfiguration,
  isCaughtUp,
  snapshotConfiguration,
} as const;

/** The rules as a board follows them; `rules` is the lawful set. */
export type Rules = typeof rules;
