import { describe, expect, test } from "vitest";
import { simpleConfiguration } from "./configuration.ts";
import { accepted, aLeads } from "./testing/absent-boards.ts";
import { Cluster } from "./testing/cluster.ts";

const three = ["a", "b", "c"];
const initial = simpleConfiguration(three);

describe("a leader and its majority", () => {
  test("given a leader that hears one of two followers, when much time passes, then it stays", () => {
    const cluster = aLeads(three);
    for (let beat = 1; beat < 40; beat += 1) {
      cluster.heartbeat("a");
      cluster.inject({ type: "heartbeatReply", from: "b", to: "a", term: 1, round: beat });
    }
    expect(cluster.raft("a").role).toBe("leader");
  });

  test("given a leader that hears nobody, when an election time-out has passed and not before, then it steps down in its own term", () => {
    const cluster = aLeads(three);
    cluster.pass("a", 299);
    expect(cluster.raft("a").role).toBe("leader");
    cluster.pass("a", 1);
    expect(cluster.raft("a")).toMatchObject({ role: "follower", term: 1, leader: null });
  });

  test("given a leader that was paused for an hour, when time goes on, then it steps down before it says anything", () => {
    const cluster = aLeads(three);
    cluster.pass("a", 3_600_000);
    expect(cluster.raft("a").role).toBe("follower");
    expect(cluster.messages()).toEqual([]);
  });

  test("given a leader that hears only learners, when an election time-out has passed, then it steps down", () => {
    const cluster = aLeads(["a", "b"]);
    cluster.quietly(() => {
      cluster.inject(accepted(cluster, "b", 1));
      cluster.changeMembers("a", { voters: ["a", "b"], learners: ["l"] });
      cluster.pass("a", 200);
      cluster.inject({ type: "heartbeatReply", from: "l", to: "a", term: 1, round: 1 });
      cluster.pass("a", 100);
    });
    expect(cluster.raft("a").role).toBe("follower");
  });

  test("given a joint configuration, when the leader hears a majority of only one half, then it steps down", () => {
    const cluster = aLeads(["a"]);
    cluster.saved("a");
    cluster.changeMembers("a", { voters: ["a"], learners: ["b", "c"] });
    for (const from of ["b", "c"]) cluster.inject(accepted(cluster, from, 2));
    cluster.changeMembers("a", { voters: ["a", "b", "c"], learners: [] }, false);
    expect(cluster.raft("a").configuration.votersOutgoing).toEqual(["a"]);
    cluster.pass("a", 300);
    expect(cluster.raft("a").role).toBe("follower");
  });
});

describe("boards that would disturb", () => {
  test("given a leader that is well, when another campaigns, then whoever heard the leader within an election time-out passes it over", () => {
    const cluster = new Cluster({ initial });
    cluster.elect("a");
    cluster.pass("b", 299);
    const request = { type: "vote", from: "c", to: "b", term: 2, lastIndex: 9, lastTerm: 1, transfer: false } as const;
    cluster.inject(request);
    expect([cluster.raft("b").term, cluster.messages({ from: "b" }).length]).toEqual([1, 0]);
    cluster.pass("b", 1);
    cluster.inject(request);
    expect(cluster.messages({ from: "b" })).toMatchObject([{ type: "voteReply", granted: true, term: 2 }]);
  });

  test("given a board of a later term, when the leader of an earlier one speaks to it, then the leader learns of it and all meet in a new term", () => {
    const cluster = new Cluster({ initial });
    cluster.elect("a");
    cluster.inject({ type: "timeoutNow", from: "a", to: "c", term: 1 });
    cluster.drop({ from: "c" });
    expect(cluster.raft("c")).toMatchObject({ role: "candidate", term: 2 });
    cluster.heartbeat("a");
    cluster.settle();
    expect(cluster.raft("a")).toMatchObject({ role: "follower", term: 2 });
    cluster.elect("a");
    expect(cluster.raft("c")).toMatchObject({ role: "follower", leader: "a", term: 3 });
  });

  test("given a removed board that knows nothing of it, when its timer runs out again and again, then no term changes and nobody answers", () => {
    const cluster = new Cluster({ initial });
    cluster.elect("a");
    cluster.isolate("c");
    cluster.changeMembers("a", { voters: ["a", "b"], learners: [] });
    cluster.settle();
    cluster.heal();
    for (let each = 0; each < 3; each += 1) {
      cluster.timeout("c");
      cluster.settle();
    }
    expect([...cluster.boards.values()].map(({ raft }) => [raft.role, raft.term])).toEqual([
      ["leader", 1],
      ["follower", 1],
      ["preCandidate", 1],
    ]);
  });

  test("given a follower that heard its leader and then learned of a later term, when that term's candidate asks, then the leader is still protected", () => {
    const cluster = new Cluster({ initial, boards: ["b"] });
    cluster.inject({ type: "heartbeat", from: "a", to: "b", term: 1, commit: 0, match: 0, round: 1 });
    cluster.inject({ type: "preVoteReply", from: "c", to: "b", term: 2, granted: false });
    expect(cluster.raft("b").term).toBe(2);
    cluster.drop();
    const request = { type: "vote", from: "c", to: "b", term: 2, lastIndex: 0, lastTerm: 0, transfer: false } as const;
    cluster.inject(request);
    expect(cluster.messages()).toEqual([]);
    cluster.pass("b", 300);
    cluster.inject(request);
    expect(cluster.messages()).toMatchObject([{ type: "voteReply", granted: true }]);
  });

  test("given a hint with leases on, when a follower forgets its leader, then it keeps the protection that it promised", () => {
    const cluster = new Cluster({ initial, options: { leaseReads: true } });
    cluster.elect("a");
    cluster.forgetLeader("b", "a");
    const heard = cluster.board("b").now;
    expect(cluster.raft("b").leader).toBe("a");
    expect(cluster.raft("b").nextDeadline()).toBe(heard + 300_000);
    cluster.inject({ type: "preVote", from: "c", to: "b", term: 2, lastIndex: 9, lastTerm: 1, transfer: false });
    expect(cluster.messages({ from: "b" })).toEqual([]);
  });

  test("given leases, when a board restarts, then it protects the leader that it may just have heard", () => {
    const cluster = new Cluster({ initial, options: { leaseReads: true } });
    cluster.elect("a");
    cluster.crash("b");
    cluster.restart("b");
    const request = {
      type: "preVote",
      from: "c",
      to: "b",
      term: 2,
      lastIndex: 9,
      lastTerm: 1,
      transfer: false,
    } as const;
    cluster.inject(request);
    expect(cluster.messages({ from: "b" })).toEqual([]);
    cluster.pass("b", 300);
    cluster.inject(request);
    expect(cluster.messages({ from: "b" })).toHaveLength(1);
  });
});
