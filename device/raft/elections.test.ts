import { describe, expect, test } from "vitest";
import { simpleConfiguration } from "./configuration.ts";
import { defaultRaftOptions, type RaftOptions } from "./options.ts";
import { Raft } from "./raft.ts";
import { accepted, aLeads, diskOf, electA, onlyA } from "./testing/absent-boards.ts";
import { Cluster } from "./testing/cluster.ts";
import type { Message, RoleName } from "./types.ts";

const three = ["a", "b", "c"];
const initial = simpleConfiguration(three);

/** A cluster of five in which only those boards run. */
function fiveWith(running: readonly string[]): Cluster {
  return new Cluster({ initial: simpleConfiguration(["a", "b", "c", "d", "e"]), boards: running });
}

describe("electing a leader", () => {
  test.each([
    { boards: ["a", "b", "c", "d", "e"], role: "leader" },
    { boards: ["a", "b", "c"], role: "leader" },
    { boards: ["a", "b"], role: "preCandidate" },
    { boards: ["a"], role: "preCandidate" },
  ])("given five voters of whom $boards run, when a asks, then it ends as $role", ({ boards, role }) => {
    const cluster = fiveWith(boards);
    cluster.timeout("a");
    cluster.settle();
    expect(cluster.raft("a").role).toBe(role);
    expect(cluster.raft("a").term).toBe(role === "leader" ? 1 : 0);
  });

  test("given voters with longer logs of an earlier term, when a candidate of a later term asks, then it wins and overwrites them", () => {
    const cluster = new Cluster({
      initial,
      disks: { a: diskOf([1, 3]), b: diskOf([1, 2, 2, 2], 3), c: diskOf([1, 2, 2], 3) },
    });
    cluster.timeout("a");
    cluster.settle();
    expect(cluster.raft("a").role).toBe("leader");
    for (const { raft } of cluster.boards.values()) {
      expect([1, 2, 3, 4].map((index) => raft.termAt(index))).toEqual([1, 3, 4, null]);
    }
  });

  test("given two boards with newer logs and three without, when one of the three was elected by them, then the newer logs are overwritten", () => {
    const disks = { a: diskOf([1], 2), b: diskOf([1], 2), c: diskOf([2], 2), d: diskOf([], 2), e: diskOf([1], 2) };
    const cluster = new Cluster({ initial: simpleConfiguration(["a", "b", "c", "d", "e"]), disks });
    cluster.timeout("a");
    cluster.settle();
    expect(cluster.raft("a").role).toBe("leader");
    expect([...cluster.boards.values()].map(({ raft }) => [raft.termAt(1), raft.termAt(2)])).toEqual(
      Array.from({ length: 5 }, () => [1, 3]),
    );
  });

  test("given three boards, when each in turn is elected, then every term has its one leader and all follow it", () => {
    const cluster = new Cluster({ initial });
    for (const [place, id] of ["a", "b", "c", "a"].entries()) {
      cluster.elect(id);
      expect([...cluster.boards.values()].map(({ raft }) => [raft.leader, raft.term])).toEqual(
        three.map(() => [id, place + 1]),
      );
    }
  });

  test("given one voter alone, when its timer runs out, then it needs nobody", () => {
    const cluster = new Cluster({ initial: simpleConfiguration(["a"]) });
    cluster.timeout("a");
    expect(cluster.raft("a")).toMatchObject({ role: "leader", term: 1, commitIndex: 1 });
  });

  test("given a board that is not a voter, when its timer runs out, then it does not campaign, but forgets the leader", () => {
    const cluster = new Cluster({ initial: simpleConfiguration(["a", "b"], ["c"]), boards: ["a", "b", "c", "d"] });
    cluster.elect("a");
    expect(cluster.raft("c").leader).toBe("a");
    cluster.read("c", 1);
    cluster.drop();
    cluster.timeout("c");
    cluster.timeout("d");
    expect([cluster.raft("c").role, cluster.raft("d").role]).toEqual(["follower", "follower"]);
    expect(cluster.raft("c").leader).toBe(null);
    expect(cluster.board("c").reads).toMatchObject([{ id: 1, ready: false }]);
    expect(cluster.messages()).toEqual([]);
  });

  test("given a leader, when the time for an election passes on it, then it goes on leading those who answer and never campaigns", () => {
    const cluster = new Cluster({ initial });
    cluster.elect("a");
    for (let beat = 0; beat < 30; beat += 1) {
      cluster.heartbeat("a");
      cluster.settle();
    }
    expect(cluster.raft("a")).toMatchObject({ role: "leader", term: 1 });
  });
});

describe("two at once", () => {
  test("given two candidates in one term, when their votes are split, then neither leads, and a later term has one leader", () => {
    const cluster = new Cluster({ initial: simpleConfiguration(["a", "b", "c", "d"]) });
    cluster.quietly(() => {
      cluster.timeout("a");
      cluster.timeout("b");
      cluster.drop({ type: "preVote", from: "a", to: "b" });
      cluster.drop({ type: "preVote", from: "b", to: "a" });
      cluster.deliver({ type: "preVote" });
      cluster.deliver({ type: "preVoteReply" });
    });
    expect([cluster.raft("a").role, cluster.raft("b").role]).toEqual(["candidate", "candidate"]);
    cluster.deliver({ from: "a", to: "c" });
    cluster.deliver({ from: "b", to: "d" });
    cluster.settle();
    expect([...cluster.boards.values()].filter(({ raft }) => raft.role === "leader")).toEqual([]);
    cluster.timeout("b");
    cluster.settle();
    expect(cluster.raft("b")).toMatchObject({ role: "leader", term: 2 });
    expect(cluster.raft("a").leader).toBe("b");
  });

  test("given two that ask at once and a third that can hear only one, when that one leads, then the other joins it without a new term", () => {
    const cluster = new Cluster({ initial });
    cluster.timeout("a");
    cluster.timeout("c");
    cluster.drop({ from: "c" });
    cluster.settle();
    expect(cluster.raft("a")).toMatchObject({ role: "leader", term: 1 });
    cluster.timeout("c");
    cluster.settle();
    cluster.heartbeat("a");
    cluster.settle();
    expect(cluster.raft("c")).toMatchObject({ role: "follower", leader: "a", term: 1 });
  });

  test("given a candidate with an old log, when it is back from a partition, then it is refused and the leader's log goes on", () => {
    const cluster = new Cluster({ initial });
    cluster.elect("a");
    cluster.isolate("c");
    cluster.propose("a", "x");
    cluster.settle();
    cluster.timeout("c");
    cluster.timeout("c");
    cluster.heal();
    cluster.pass("b", 300);
    cluster.timeout("c");
    cluster.settle();
    expect(cluster.raft("c")).toMatchObject({ role: "preCandidate", term: 1 });
    cluster.heartbeat("a");
    cluster.settle();
    expect(cluster.raft("a")).toMatchObject({ role: "leader", term: 1 });
    expect(cluster.raft("c").lastIndex).toBe(2);
  });

  test("given a candidate that lost, when the winner's append comes, then it concedes and takes the winner's log", () => {
    const cluster = new Cluster({ initial, disks: { a: diskOf([1], 1) } });
    cluster.timeout("c");
    cluster.drop();
    cluster.timeout("a");
    cluster.settle();
    expect(cluster.raft("c")).toMatchObject({ role: "follower", leader: "a", lastIndex: 2 });
  });

  test("given an election that was lost, when the save of its own vote ends late, then that vote counts for nothing", () => {
    const cluster = onlyA(three, { slowDisks: ["a"] });
    cluster.timeout("a");
    cluster.inject({ type: "preVoteReply", from: "b", to: "a", term: 1, granted: true });
    expect(cluster.raft("a").role).toBe("candidate");
    cluster.inject({ type: "heartbeat", from: "b", to: "a", term: 1, commit: 0, match: 0, round: 1 });
    cluster.saved("a");
    expect(cluster.raft("a")).toMatchObject({ role: "follower", leader: "b" });
    cluster.timeout("a");
    cluster.inject({ type: "preVoteReply", from: "b", to: "a", term: 2, granted: true });
    cluster.inject({ type: "voteReply", from: "b", to: "a", term: 1, granted: true });
    expect(cluster.raft("a")).toMatchObject({ role: "candidate", term: 2 });
  });

  test("given a vote not yet on the candidate's own disk, when another's vote comes, then two of three need the own one durable", () => {
    const cluster = onlyA(["a", "b"], { slowDisks: ["a"] });
    cluster.timeout("a");
    cluster.inject({ type: "preVoteReply", from: "b", to: "a", term: 1, granted: true });
    expect(cluster.messages({ type: "vote" })).toEqual([]);
    cluster.inject({ type: "voteReply", from: "b", to: "a", term: 1, granted: true });
    expect(cluster.raft("a").role).toBe("candidate");
    cluster.saved("a");
    expect(cluster.raft("a").role).toBe("leader");
  });
});

/** Puts board a into each role in term 1, or 0 where the role comes before any term. */
const inRole: Readonly<Record<RoleName, () => Cluster>> = {
  follower: () => {
    const cluster = onlyA(three);
    cluster.inject({ type: "heartbeat", from: "c", to: "a", term: 1, commit: 0, match: 0, round: 1 });
    cluster.pass("a", 300);
    return cluster;
  },
  preCandidate: () => {
    const cluster = onlyA(three, { disks: { a: diskOf([], 1) } });
    cluster.timeout("a");
    return cluster;
  },
  candidate: () => {
    const cluster = onlyA(three);
    cluster.timeout("a");
    cluster.inject({ type: "preVoteReply", from: "b", to: "a", term: 1, granted: true });
    return cluster;
  },
  leader: () => aLeads(three),
};
const roles = Object.keys(inRole) as readonly RoleName[];

describe("asked for a vote", () => {
  test.each(roles)(
    "given a %s, when a request of a later term by the leader's own wish comes, then it votes and follows",
    (role) => {
      const cluster = inRole[role]();
      cluster.inject({ type: "vote", from: "b", to: "a", term: 2, lastIndex: 9, lastTerm: 1, transfer: true });
      expect(cluster.messages({ to: "b", type: "voteReply" })).toMatchObject([{ granted: true, term: 2 }]);
      expect(cluster.raft("a")).toMatchObject({ role: "follower", term: 2 });
      expect(cluster.board("a").disk.hardState).toEqual({ term: 2, votedFor: "b" });
    },
  );

  test.each(roles.filter((role) => role !== "leader"))(
    "given a %s, when a pre-vote comes, then it is granted, and nothing changes",
    (role) => {
      const cluster = inRole[role]();
      const { term } = cluster.raft("a");
      cluster.inject({
        type: "preVote",
        from: "b",
        to: "a",
        term: term + 1,
        lastIndex: 9,
        lastTerm: 1,
        transfer: false,
      });
      expect(cluster.messages({ to: "b", type: "preVoteReply" })).toMatchObject([{ granted: true, term: term + 1 }]);
      expect(cluster.raft("a")).toMatchObject({ role, term });
    },
  );

  test("given a leader, when a pre-vote or a vote comes that it did not ask for, then it passes it over", () => {
    const cluster = aLeads(three);
    for (const type of ["preVote", "vote"] as const) {
      cluster.inject({ type, from: "b", to: "a", term: 2, lastIndex: 9, lastTerm: 1, transfer: false });
    }
    expect(cluster.messages()).toEqual([]);
    expect(cluster.raft("a")).toMatchObject({ role: "leader", term: 1 });
  });

  test.each([
    { voter: [1, 1], lastTerm: 1, lastIndex: 2, granted: true },
    { voter: [1, 1], lastTerm: 1, lastIndex: 3, granted: true },
    { voter: [1, 1], lastTerm: 1, lastIndex: 1, granted: false },
    { voter: [1, 1], lastTerm: 2, lastIndex: 1, granted: true },
    { voter: [1, 2], lastTerm: 1, lastIndex: 9, granted: false },
    { voter: [], lastTerm: 0, lastIndex: 0, granted: true },
  ])(
    "given a log of terms $voter, when a candidate's ends at $lastIndex/$lastTerm, then granted is $granted, also for pre-votes",
    ({ voter, lastTerm, lastIndex, granted }) => {
      const cluster = onlyA(three, { disks: { a: diskOf(voter, 2) } });
      for (const type of ["preVote", "vote"] as const) {
        cluster.inject({ type, from: "b", to: "a", term: 3, lastIndex, lastTerm, transfer: false });
        expect(cluster.messages({ to: "b", type: `${type}Reply` })).toMatchObject([{ granted }]);
      }
    },
  );

  test("given a vote in this term, when the same candidate asks again and then another, then the first is told yes again and the other no", () => {
    const cluster = onlyA(three);
    const request = { type: "vote", to: "a", term: 1, lastIndex: 0, lastTerm: 0, transfer: false } as const;
    for (const from of ["b", "b", "c"]) cluster.inject({ ...request, from });
    expect(cluster.messages({ type: "voteReply" }).map((reply) => "granted" in reply && reply.granted)).toEqual([
      true,
      true,
      false,
    ]);
  });

  test("given a vote that was durable, when the board crashes and starts again, then it does not vote for another in that term", () => {
    const cluster = onlyA(three);
    const request = { type: "vote", to: "a", term: 1, lastIndex: 0, lastTerm: 0, transfer: false } as const;
    cluster.inject({ ...request, from: "b" });
    cluster.crash("a");
    cluster.restart("a");
    cluster.inject({ ...request, from: "c" });
    expect(cluster.messages({ to: "c" })).toMatchObject([{ granted: false }]);
  });

  test("given a vote that was not durable yet, when the board crashes, then nobody was told of it", () => {
    const cluster = onlyA(three, { slowDisks: ["a"] });
    cluster.inject({ type: "vote", from: "b", to: "a", term: 1, lastIndex: 0, lastTerm: 0, transfer: false });
    expect(cluster.messages()).toEqual([]);
    cluster.crash("a");
    cluster.restart("a");
    expect(cluster.board("a").disk.hardState).toEqual({ term: 0, votedFor: null });
  });
});

describe("replies to votes", () => {
  test("given a candidate, when late, repeated or foreign replies come, then only votes of this term by voters count", () => {
    const cluster = onlyA(["a", "b", "c", "d", "e"]);
    cluster.timeout("a");
    for (const from of ["b", "b", "x", "y"])
      cluster.inject({ type: "preVoteReply", from, to: "a", term: 1, granted: true });
    expect(cluster.raft("a").role).toBe("preCandidate");
    cluster.inject({ type: "preVoteReply", from: "c", to: "a", term: 1, granted: true });
    for (const from of ["b", "b", "x"]) cluster.inject({ type: "voteReply", from, to: "a", term: 1, granted: true });
    cluster.inject({ type: "preVoteReply", from: "d", to: "a", term: 1, granted: true });
    expect(cluster.raft("a").role).toBe("candidate");
    cluster.inject({ type: "voteReply", from: "c", to: "a", term: 1, granted: true });
    expect(cluster.raft("a").role).toBe("leader");
  });

  test("given a pre-candidate of a smaller term, when a refusal tells it of the present one, then it catches up and can be elected", () => {
    const cluster = new Cluster({ initial, disks: { a: diskOf([1], 1), b: diskOf([1], 4), c: diskOf([1], 4) } });
    cluster.timeout("a");
    cluster.settle();
    expect(cluster.raft("a")).toMatchObject({ role: "follower", term: 4 });
    cluster.timeout("a");
    cluster.settle();
    expect(cluster.raft("a")).toMatchObject({ role: "leader", term: 5 });
  });

  test("given a candidate that most refuse, when the last hope is gone, then it follows and waits for its next turn", () => {
    const cluster = inRole.candidate();
    for (const from of ["b", "c"]) cluster.inject({ type: "voteReply", from, to: "a", term: 1, granted: false });
    expect(cluster.raft("a")).toMatchObject({ role: "follower", term: 1, leader: null });
  });

  test("given a new leader with entries of old terms, when it takes office, then it counts their bytes and commits them with its own entry", () => {
    const cluster = onlyA(three, { disks: { a: diskOf([1, 1], 1) }, options: { uncommittedBytesMax: 80 } });
    electA(cluster, three);
    expect(cluster.propose("a", "x".repeat(40)).ok).toBe(false);
    cluster.inject(accepted(cluster, "b", 3));
    expect(cluster.raft("a").commitIndex).toBe(3);
    expect(cluster.propose("a", "x".repeat(40)).ok).toBe(true);
  });
});

test("given any role, when a message is addressed to another board, then nothing happens", () => {
  const foreign: Message = { type: "heartbeat", from: "b", to: "c", term: 9, commit: 0, match: 0, round: 1 };
  for (const role of roles) {
    const cluster = inRole[role]();
    const { term } = cluster.raft("a");
    cluster.raft("a").step(foreign);
    expect(cluster.raft("a")).toMatchObject({ role, term });
  }
});

describe("the first election after a start", () => {
  function deadlineOf(options: Partial<RaftOptions>): number {
    const raft = new Raft({
      id: "a",
      initial,
      hardState: { term: 0, votedFor: null },
      log: { snapshot: null, entries: [] },
      options: { ...defaultRaftOptions, firstElectionTimeoutMinUs: 100_000, ...options },
      random: { between: (min) => min },
      now: 7,
    });
    return raft.nextDeadline() - 7;
  }

  test("given a board that starts, then it waits from the time on that its options give to a first election", () => {
    expect(deadlineOf({})).toBe(100_000);
  });

  test("given lease reads, then it waits as long as any follower: it may have promised its protection before", () => {
    expect(deadlineOf({ leaseReads: true })).toBe(defaultRaftOptions.electionTimeoutMinUs);
  });
});

describe("boards that miss the same leader at the same moment", () => {
  function aboutToAsk(): Raft {
    return new Raft({
      id: "b",
      initial,
      hardState: { term: 1, votedFor: null },
      log: { snapshot: null, entries: [] },
      options: { ...defaultRaftOptions, firstElectionTimeoutMinUs: 10_000 },
      random: { between: (min) => min },
      now: 0,
    });
  }
  const preVote = { type: "preVote", from: "a", to: "b", lastIndex: 0, lastTerm: 0, transfer: false } as const;

  test("given a board that is about to ask, when it grants another's pre-vote, then it lets the other try first", () => {
    const raft = aboutToAsk();
    raft.step({ ...preVote, term: 2 });
    expect(raft.nextDeadline()).toBe(defaultRaftOptions.heartbeatUs);
  });

  test("given a board that is about to ask, when it refuses another's pre-vote, then it asks as soon as it would have", () => {
    const raft = aboutToAsk();
    raft.step({ ...preVote, term: 1 });
    expect(raft.nextDeadline()).toBe(10_000);
  });

  test("given two boards that ask at the same time, then one gives way, and the first election has a winner", () => {
    const cluster = new Cluster({ initial });
    cluster.timeout("b");
    cluster.timeout("c");
    cluster.settle();
    expect(cluster.raft("b").role).toBe("leader");
    expect(cluster.raft("b").term).toBe(1);
  });
});
