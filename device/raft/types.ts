/**
 * The words of Raft as types: what stands in the log, who belongs to the cluster, what boards say to each other.
 *
 * Sections (§) throughout `device/raft` are those of Diego Ongaro's dissertation, "Consensus: Bridging Theory and
 * Practice" (2014); "Figure 2" is the one-page summary in the Raft paper (Ongaro and Ousterhout, 2014).
 */

/** A logical time: at most one leader is elected in a term (§3.3). Starts at 0; the first election makes it 1. */
export type Term = number;

/** The position of an entry in the log. The first entry has index 1; 0 means "before the log". */
export type LogIndex = number;

/**
 * The identity under which a board takes part in consensus. It is the board's name until the board loses its disk;
 * after that it is `<board>.<incarnation>`, a new member, because the old one made promises that nobody remembers.
 */
export type MemberId = string;

/** Time as the host of the core tells it: whole microseconds since some fixed moment; it never goes back. */
export type TimeUs = number;

/** A length of time in whole microseconds. */
export type DurationUs = number;

/**
 * Who belongs to the cluster (§4). While `votersOutgoing` is not empty the configuration is joint: a decision needs a
 * majority of `voters` and a majority of `votersOutgoing` (§4.3). All lists are sorted and hold each member once.
 */
export type Configuration = {
  /** Those whose votes and acknowledgements count. In a joint configuration: the new ones. */
  readonly voters: readonly MemberId[];
  /** The old voters while a joint configuration is in force, otherwise empty. */
  readonly votersOutgoing: readonly MemberId[];
  /** Those who receive the log but neither vote nor count (§4.2.1). */
  readonly learners: readonly MemberId[];
  /** Voters of the old configuration that become learners when the joint configuration is left. */
  readonly learnersNext: readonly MemberId[];
  /** Whether the leader leaves this joint configuration by itself as soon as it is committed. */
  readonly autoLeave: boolean;
};

/** One entry of the replicated log. Immutable: the same object may be in the log, in a message and on its way to disk. */
export type Entry =
  /** What a new leader appends so that it can commit what came before (§3.6.2, §6.4). */
  | { readonly kind: "empty"; readonly index: LogIndex; readonly term: Term }
  /** A command for the state machines: ASCII text (so its length is its size in bytes), opaque to consensus. */
  | { readonly kind: "command"; readonly index: LogIndex; readonly term: Term; readonly data: string }
  /** A change of the cluster, in force for a board as soon as it is in its log (§4.1). */
  | {
      readonly kind: "configuration";
      readonly index: LogIndex;
      readonly term: Term;
      readonly configuration: Configuration;
    };

/** What must survive a crash besides the log (Figure 2, "persistent state"). */
export type HardState = { readonly term: Term; readonly votedFor: MemberId | null };

/** The state machines' state as of one entry; it stands for the whole log up to that entry (§5.1). */
export type Snapshot = {
  /** The last entry that the snapshot covers, and its term. */
  readonly index: LogIndex;
  readonly term: Term;
  /** The configuration in force at that entry. */
  readonly configuration: Configuration;
  /** The state itself: ASCII text, opaque to consensus. */
  readonly data: string;
};

/** What every message says of itself. A term of another board than the sender's own stands only in (pre-)vote requests. */
type Addressed = { readonly from: MemberId; readonly to: MemberId; readonly term: Term };

/** RequestVote (Figure 2, §3.4) and, before it, the question whether it would succeed (pre-vote, §9.6). */
export type VoteRequest = Addressed & {
  readonly type: "vote" | "preVote";
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
  /** The current leader asked for this election (leadership transfer, §3.10): no need to protect it. */
  readonly transfer: boolean;
};

/** The answer to a vote request; `term` is the one asked for if granted, the answerer's own otherwise. */
export type VoteReply = Addressed & { readonly type: "voteReply" | "preVoteReply"; readonly granted: boolean };

/** AppendEntries (Figure 2, §3.5). */
export type Append = Addressed & {
  readonly type: "append";
  /** The entry just before `entries`, by which the follower checks that its log agrees so far. */
  readonly prevIndex: LogIndex;
  readonly prevTerm: Term;
  readonly entries: readonly Entry[];
  /** The leader's commit index. */
  readonly commit: LogIndex;
};

/** The answer to an append (or to a whole snapshot): up to `matchIndex` the logs agree, durably. */
export type AppendAccepted = Addressed & { readonly type: "appendAccepted"; readonly matchIndex: LogIndex };

/** The follower's log did not hold (`prevIndex`, `prevTerm`); the rest lets the leader skip whole terms (§3.5, end). */
export type AppendRejected = Addressed & {
  readonly type: "appendRejected";
  /** The `prevIndex` that was refused, so that a late rejection is known as such. */
  readonly prevIndex: LogIndex;
  /** The term that the follower has at the conflict (or at its end, if that comes first), and where that term starts. */
  readonly conflictTerm: Term;
  readonly conflictIndex: LogIndex;
  /** Where the follower's log ends. */
  readonly lastIndex: LogIndex;
};

/** "I still lead" with nothing to append; its answers also confirm reads (§6.4). Never moves a follower's log. */
export type Heartbeat = Addressed & {
  readonly type: "heartbeat";
  /** The leader's commit index. */
  readonly commit: LogIndex;
  /** Up to here this follower's log is known to agree with the leader's: it has acknowledged so much. */
  readonly match: LogIndex;
  /** Counts the leader's heartbeat rounds in this term; its answer says which round was heard. */
  readonly round: number;
};
/** "I heard that round." */
export type HeartbeatReply = Addressed & { readonly type: "heartbeatReply"; readonly round: number };

/** One piece of a snapshot (InstallSnapshot, Figure 5.3). The pieces of one snapshot arrive in order or are asked for again. */
export type SnapshotChunk = Addressed & {
  readonly type: "snapshot";
  readonly snapshotIndex: LogIndex;
  readonly snapshotTerm: Term;
  readonly configuration: Configuration;
  /** Where `data` stands in the whole, and how long the whole is, both in bytes (ASCII characters). */
  readonly offset: number;
  readonly size: number;
  readonly data: string;
};
/** "Of that snapshot I hold the first `offset` bytes": the leader goes on there, also after a lost piece. */
export type SnapshotReply = Addressed & {
  readonly type: "snapshotReply";
  readonly snapshotIndex: LogIndex;
  readonly offset: number;
};

/** The leader hands over: "campaign now" (§3.10). */
export type TimeoutNow = Addressed & { readonly type: "timeoutNow" };

/** A follower asks its leader for a read index, under a number of its own (§6.4, end). */
export type ReadIndexRequest = Addressed & { readonly type: "readIndex"; readonly read: number };
/** The index that the follower must have applied before it answers that read; `null`: ask again, I do not lead. */
export type ReadIndexReply = Addressed & {
  readonly type: "readIndexReply";
  readonly read: number;
  readonly index: LogIndex | null;
};

/** Everything that boards say to each other about consensus. */
export type Message =
  | VoteRequest
  | VoteReply
  | Append
  | AppendAccepted
  | AppendRejected
  | Heartbeat
  | HeartbeatReply
  | SnapshotChunk
  | SnapshotReply
  | TimeoutNow
  | ReadIndexRequest
  | ReadIndexReply;

/** Draws whole numbers: the core's only source of chance, injected and seeded per board. */
export type Random = {
  /** A whole number, at least `min` and less than `max`, each as likely as the others. */
  between(min: number, max: number): number;
};

/** What a board may be in consensus (§3.3); a pre-candidate asks whether an election would succeed (§9.6). */
export type RoleName = "follower" | "preCandidate" | "candidate" | "leader";
