import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { simpleConfiguration } from "./configuration.ts";
import { rules } from "./rules.ts";
import type { Message, RoleName } from "./types.ts";

const term = fc.nat(20);
const index = fc.nat(20);

describe("terms", () => {
  test("only a greater term is later", () => {
    expect(rules.isLaterTerm(3, 2)).toBe(true);
    expect(rules.isLaterTerm(2, 2)).toBe(false);
    expect(rules.isLaterTerm(1, 2)).toBe(false);
  });

  test("every role ends with its term", () => {
    const roles: readonly RoleName[] = ["follower", "preCandidate", "candidate", "leader"];
    expect(roles.map((role) => rules.mustStepDown(role))).toEqual([true, true, true, true]);
  });

  test("both the term and the vote are saved", () => {
    expect(rules.hardStateToSave(4, "b")).toEqual({ term: 4, votedFor: "b" });
  });
});

describe("what the disk comes before", () => {
  const to = { from: "a", to: "b", term: 1 } as const;
  test("asking for votes, voting and acknowledging wait for the disk", () => {
    const promises: readonly Message[] = [
      { ...to, type: "vote", lastIndex: 0, lastTerm: 0, transfer: false },
      { ...to, type: "voteReply", granted: true },
      { ...to, type: "appendAccepted", matchIndex: 1 },
    ];
    expect(promises.filter((message) => !rules.mustBeDurableFirst(message))).toEqual([]);
  });

  test("what promises nothing goes out at once", () => {
    const others: readonly Message[] = [
      { ...to, type: "preVote", lastIndex: 0, lastTerm: 0, transfer: false },
      { ...to, type: "preVoteReply", granted: true },
      { ...to, type: "voteReply", granted: false },
      { ...to, type: "append", prevIndex: 0, prevTerm: 0, entries: [], commit: 0 },
      { ...to, type: "appendRejected", prevIndex: 1, conflictTerm: 0, conflictIndex: 0, lastIndex: 0 },
      { ...to, type: "heartbeat", commit: 0, match: 0, round: 1 },
      { ...to, type: "heartbeatReply", round: 1 },
      { ...to, type: "timeoutNow" },
    ];
    expect(others.filter((message) => rules.mustBeDurableFirst(message))).toEqual([]);
  });
});

describe("votes", () => {
  test("a log that ends in a later term is more up to date, however short", () => {
    expect(rules.isLogUpToDate(3, 1, 2, 9)).toBe(true);
    expect(rules.isLogUpToDate(2, 9, 3, 1)).toBe(false);
  });

  test("in the same term the longer log is more up to date, and an equal one is enough", () => {
    expect(rules.isLogUpToDate(2, 4, 2, 5)).toBe(false);
    expect(rules.isLogUpToDate(2, 5, 2, 5)).toBe(true);
    expect(rules.isLogUpToDate(2, 6, 2, 5)).toBe(true);
  });

  test("of any two logs at least one is up to date for the other, and both only if they end alike", () => {
    fc.assert(
      fc.property(term, index, term, index, (termA, indexA, termB, indexB) => {
        const [forB, forA] = [
          rules.isLogUpToDate(termA, indexA, termB, indexB),
          rules.isLogUpToDate(termB, indexB, termA, indexA),
        ];
        expect(forA || forB).toBe(true);
        expect(forA && forB).toBe(termA === termB && indexA === indexB);
      }),
    );
  });

  test("a vote is free for anybody once, and for the same candidate again", () => {
    expect(rules.isVoteFree(null, "b")).toBe(true);
    expect(rules.isVoteFree("b", "b")).toBe(true);
    expect(rules.isVoteFree("c", "b")).toBe(false);
  });

  test("a leader is protected for one election time-out after it was heard, except from whom it asked itself", () => {
    expect(rules.isLeaderProtected(299_999, 300_000, false)).toBe(true);
    expect(rules.isLeaderProtected(300_000, 300_000, false)).toBe(false);
    expect(rules.isLeaderProtected(0, 300_000, true)).toBe(false);
    expect(rules.isLeaderProtected(Number.POSITIVE_INFINITY, 300_000, false)).toBe(false);
  });
});

describe("quorums", () => {
  test("a majority is more than half", () => {
    expect([1, 2, 3, 4, 5, 6, 7].map((count) => rules.majorityOf(count))).toEqual([1, 2, 2, 3, 3, 4, 4]);
  });

  test("a joint configuration decides in both of its groups", () => {
    const simple = simpleConfiguration(["a", "b"]);
    expect(rules.quorumGroups(simple)).toEqual([["a", "b"]]);
    expect(rules.quorumGroups({ ...simple, votersOutgoing: ["c"] })).toEqual([["a", "b"], ["c"]]);
  });
});

describe("the log", () => {
  test("entries are taken only after an entry of the same term, which must be there", () => {
    expect(rules.isConsistent(3, 3)).toBe(true);
    expect(rules.isConsistent(2, 3)).toBe(false);
    expect(rules.isConsistent(null, 3)).toBe(false);
  });

  test("only another term at the same index is a conflict", () => {
    expect(rules.isConflict(2, 3)).toBe(true);
    expect(rules.isConflict(3, 3)).toBe(false);
  });

  test("a follower commits no more than the leader says and no more than was verified, whatever else its log holds", () => {
    expect(rules.followerCommitIndex(7, 5, 9)).toBe(5);
    expect(rules.followerCommitIndex(4, 5, 9)).toBe(4);
  });

  test("a leader counts what its own disk holds, not what its log holds", () => {
    expect(rules.leaderMatchIndex(4, 9)).toBe(4);
  });
});

describe("commitment", () => {
  test("only an entry of the present term is committed by counting", () => {
    expect(rules.mayCommitByCounting(3, 3)).toBe(true);
    expect(rules.mayCommitByCounting(2, 3)).toBe(false);
    expect(rules.mayCommitByCounting(null, 3)).toBe(false);
  });

  test("what is committed is applied, durable here or not, and nothing else", () => {
    expect(rules.appliableIndex(5, 3)).toBe(5);
    expect(rules.appliableIndex(5, 9)).toBe(5);
  });

  test("a leader resigns when it does not hear from a quorum", () => {
    expect(rules.mustLeaderResign(false)).toBe(true);
    expect(rules.mustLeaderResign(true)).toBe(false);
  });
});

describe("reads", () => {
  test("a leader serves reads once the last committed entry is of its own term", () => {
    expect(rules.mayServeReads(3, 3)).toBe(true);
    expect(rules.mayServeReads(2, 3)).toBe(false);
    expect(rules.mayServeReads(null, 3)).toBe(false);
  });

  test("a read is confirmed by its own round or a later one", () => {
    expect(rules.isReadConfirmed(5, 4)).toBe(false);
    expect(rules.isReadConfirmed(5, 5)).toBe(true);
    expect(rules.isReadConfirmed(5, 6)).toBe(true);
  });

  test("a lease ends before any follower's protection can, with clocks as bad as is allowed", () => {
    fc.assert(
      fc.property(
        fc.nat(10_000_000),
        fc.integer({ min: 1000, max: 5_000_000 }),
        fc.nat(999_999),
        (start, timeout, drift) => {
          const until = rules.leaseUntil(start, timeout, drift);
          // The leader's clock runs slow, a follower's fast: true time passes on in millionths.
          const leaseTrue = (until - start) / (1_000_000 - drift);
          const protectionTrue = timeout / (1_000_000 + drift);
          expect(until).toBeGreaterThanOrEqual(start);
          expect(leaseTrue).toBeLessThanOrEqual(protectionTrue * (1 + 1e-9));
        },
      ),
    );
    expect(rules.leaseUntil(1000, 300_000, 0)).toBe(301_000);
  });
});

describe("membership", () => {
  test("a change waits until the last one is committed, and until this leader has committed something", () => {
    expect(rules.mayChangeConfiguration(4, 5, 3, 3)).toBe(true);
    expect(rules.mayChangeConfiguration(5, 5, 3, 3)).toBe(true);
    expect(rules.mayChangeConfiguration(6, 5, 3, 3)).toBe(false);
    expect(rules.mayChangeConfiguration(4, 5, 2, 3)).toBe(false);
  });

  test("a learner has caught up when it lacks no more than is allowed", () => {
    expect(rules.isCaughtUp(36, 100, 64)).toBe(true);
    expect(rules.isCaughtUp(35, 100, 64)).toBe(false);
  });

  test("a snapshot carries the configuration of its own last entry", () => {
    const [now, initial] = [simpleConfiguration(["a", "b"]), simpleConfiguration(["a"])];
    expect(rules.snapshotConfiguration(now, initial)).toBe(now);
  });
});
