/**
 * Mutants: one law broken on purpose, to see what it was for. The simulator must catch every one of them; that is how we
 * know that a run without a finding means something.
 */

import { type SessionRules, sessionRules } from "../device/machine/sessions.ts";
import { type Rules, rules } from "../device/raft/index.ts";
import { type Laws, lawful } from "./laws.ts";

/** One law broken on purpose. */
export type Mutant = {
  readonly name: string;
  /** The section of the dissertation whose rule it breaks. */
  readonly section: string;
  /** What goes wrong, in one sentence. */
  readonly consequence: string;
  readonly laws: Laws;
};

/** Breaks rules of consensus. The types of `rules` are those of its functions, so a broken one must fit in its place. */
function consensus(broken: Partial<Rules>): Laws {
  return { ...lawful, rules: { ...rules, ...broken } };
}

/** Breaks rules of sessions. */
function sessions(broken: Partial<SessionRules>): Laws {
  return { ...lawful, sessionRules: { ...sessionRules, ...broken } };
}

/** All mutants; each is caught by a campaign. */
export const mutants: readonly Mutant[] = [
  {
    name: "votes-without-looking-at-the-log",
    section: "§3.6.1",
    consequence: "A board that lacks committed entries becomes leader and overwrites them.",
    laws: consensus({ isLogUpToDate: () => true }),
  },
  {
    name: "votes-twice-in-a-term",
    section: "§3.4",
    consequence: "Two candidates get a majority each, and the term has two leaders.",
    laws: consensus({ isVoteFree: () => true }),
  },
  {
    name: "forgets-its-vote-at-restart",
    section: "§3.8",
    consequence: "A board that restarts votes again in the same term, for another candidate.",
    laws: consensus({ hardStateToSave: (term) => ({ term, votedFor: null }) }),
  },
  {
    name: "forgets-its-term",
    section: "§3.8",
    consequence: "A board that restarts goes back to a term in which it already gave its word.",
    laws: consensus({ hardStateToSave: (_term, votedFor) => ({ term: 0, votedFor }) }),
  },
  {
    name: "acknowledges-before-durable",
    section: "§3.8",
    consequence: "A leader counts entries that a power cut then takes away.",
    laws: consensus({ mustBeDurableFirst: () => false }),
  },
  {
    name: "counts-itself-before-durable",
    section: "§10.2.1",
    consequence: "A leader commits what only a minority has on disk, itself not among them.",
    laws: consensus({ leaderMatchIndex: (_durableIndex, lastIndex) => lastIndex }),
  },
  {
    name: "commits-an-old-term-by-counting",
    section: "§3.6.2",
    consequence: "An entry on a majority is taken for committed, and still overwritten by a later leader (Figure 3.7).",
    laws: consensus({ mayCommitByCounting: (entryTerm) => entryTerm !== null }),
  },
  {
    name: "skips-the-consistency-check",
    section: "§3.5",
    consequence: "A follower puts new entries behind old ones that its leader does not have.",
    laws: consensus({ isConsistent: (termAtPrev) => termAtPrev !== null }),
  },
  {
    name: "truncates-without-a-conflict",
    section: "§3.5",
    consequence: "A late message makes a follower throw away entries that it has acknowledged.",
    laws: consensus({ isConflict: () => true }),
  },
  {
    name: "takes-half-for-a-majority",
    section: "§3.4",
    consequence: "Two halves of the cluster decide without a board in common.",
    laws: consensus({ majorityOf: (count) => Math.max(1, Math.floor(count / 2)) }),
  },
  {
    name: "answers-before-commit",
    section: "§3.5",
    consequence: "A client is told of a write that the next leader has never heard of.",
    laws: consensus({ appliableIndex: (commitIndex, durableIndex) => Math.max(commitIndex, durableIndex) }),
  },
  {
    name: "reads-at-an-old-leader-without-asking",
    section: "§6.4",
    consequence: "A leader that was replaced without noticing answers with what was true before.",
    laws: consensus({ mayAnswerAlone: () => true }),
  },
  {
    name: "reads-at-a-new-leader-before-its-first-commit",
    section: "§6.4",
    consequence: "A new leader that does not know yet what is committed answers with less than was acknowledged.",
    laws: consensus({ mayServeReads: () => true }),
  },
  {
    name: "does-not-step-down-on-a-higher-term",
    section: "§3.3",
    consequence: "An old leader leads on in a term that has a leader of its own.",
    laws: consensus({ mustStepDown: (role) => role !== "leader" }),
  },
  {
    name: "applies-a-retry-twice",
    section: "§6.3",
    consequence: "A client that repeats an unanswered request adds twice.",
    laws: sessions({ isRepeat: () => false }),
  },
  {
    name: "counts-only-the-new-half-in-joint-consensus",
    section: "§4.3",
    consequence: "Old and new voters decide apart from each other while the cluster changes.",
    laws: consensus({ quorumGroups: (configuration) => [configuration.voters] }),
  },
  {
    name: "allows-two-changes-at-once",
    section: "§4.1",
    consequence: "Two changes of one board each make a change of two, and majorities no longer overlap.",
    laws: consensus({ mayChangeConfiguration: () => true }),
  },
  {
    name: "snapshots-without-sessions",
    section: "§6.3",
    consequence: "A board that starts from a snapshot applies a repeated request again.",
    laws: sessions({ snapshotSessions: () => [] }),
  },
  {
    name: "snapshots-without-configuration",
    section: "§5.1",
    consequence: "A board that starts from a snapshot asks the wrong boards for a majority.",
    laws: consensus({ snapshotConfiguration: (_atSnapshot, initial) => initial }),
  },
  {
    name: "leases-that-ignore-clock-drift",
    section: "§6.4.1",
    consequence: "A leader with a slow clock believes in its lease when others have elected the next.",
    laws: consensus({ leaseUntil: (roundStartedAt, electionTimeoutMinUs) => roundStartedAt + electionTimeoutMinUs }),
  },
  {
    name: "commits-beyond-what-was-verified",
    section: "§3.5",
    consequence: "A follower applies old entries of its own that its leader does not have.",
    laws: consensus({
      followerCommitIndex: (leaderCommit, _verifiedIndex, lastIndex) => Math.min(leaderCommit, lastIndex),
    }),
  },
];

/** The mutant of that name, or `undefined`. */
export function mutantNamed(name: string): Mutant | undefined {
  return mutants.find((mutant) => mutant.name === name);
}
