import { describe, expect, test } from "vitest";
import { createRandom } from "../random.ts";
import { simpleConfiguration } from "./configuration.ts";
import { accepted, aLeads } from "./testing/absent-boards.ts";
import { Cluster } from "./testing/cluster.ts";
import type { Heartbeat } from "./types.ts";

const three = ["a", "b", "c"];
const initial = simpleConfiguration(three);

/** a leads and has committed its first entry; the queue is empty. */
function aServes(options = {}): Cluster {
  const cluster = aLeads(three, { options });
  cluster.inject(accepted(cluster, "b", 1));
  cluster.drop();
  return cluster;
}

function heartbeatsTo(cluster: Cluster, to: string): readonly Heartbeat[] {
  return cluster.messages({ to }).filter((message): message is Heartbeat => message.type === "heartbeat");
}

function heard(cluster: Cluster, from: string, round: number): void {
  cluster.inject({ type: "heartbeatReply", from, to: "a", term: cluster.raft("a").term, round });
}

function holdsLease(cluster: Cluster): boolean {
  return cluster.raft("a").leaseUntil > cluster.board("a").now;
}

describe("linearizable reads at the leader", () => {
  test("given a read, when a majority has answered a round begun after it, then it is ready at the commit index of its arrival", () => {
    const cluster = aServes();
    expect(cluster.read("a", 7)).toBe(null);
    cluster.propose("a", "x");
    cluster.inject(accepted(cluster, "b", 2));
    expect(cluster.board("a").reads).toEqual([]);
    heard(cluster, "b", 1);
    expect(cluster.board("a").reads).toEqual([{ id: 7, ready: true, index: 1 }]);
  });

  test("given reads that come while a round is under way, when it is answered, then they share the next round", () => {
    const cluster = aServes();
    cluster.read("a", 1);
    for (const id of [2, 3, 4]) cluster.read("a", id);
    expect(heartbeatsTo(cluster, "b").map(({ round }) => round)).toEqual([1]);
    heard(cluster, "b", 1);
    expect(cluster.board("a").reads.map(({ id }) => id)).toEqual([1]);
    expect(heartbeatsTo(cluster, "b").map(({ round }) => round)).toEqual([1, 2]);
    heard(cluster, "c", 2);
    expect(cluster.board("a").reads.map(({ id }) => id)).toEqual([1, 2, 3, 4]);
  });

  test("given an answer to an earlier round, when it comes late, then it confirms nothing that was asked after that round", () => {
    const cluster = aServes();
    cluster.heartbeat("a");
    cluster.read("a", 1);
    heard(cluster, "b", 1);
    heard(cluster, "c", 1);
    expect(cluster.board("a").reads).toEqual([]);
    heard(cluster, "c", 2);
    expect(cluster.board("a").reads).toHaveLength(1);
  });

  test("given the same read asked twice, when the round is answered, then it is answered twice", () => {
    const cluster = aServes();
    cluster.read("a", 5);
    cluster.read("a", 5);
    heard(cluster, "b", 1);
    heard(cluster, "b", 2);
    expect(cluster.board("a").reads.map(({ id }) => id)).toEqual([5, 5]);
  });

  test("given a new leader that has committed nothing yet, when it is asked, then the read waits for its first entry", () => {
    const cluster = aLeads(three);
    cluster.read("a", 1);
    cluster.heartbeat("a");
    heard(cluster, "b", 1);
    expect(cluster.board("a").reads).toEqual([]);
    cluster.inject(accepted(cluster, "b", 1));
    expect(cluster.board("a").reads).toEqual([]);
    heard(cluster, "b", 2);
    expect(cluster.board("a").reads).toEqual([{ id: 1, ready: true, index: 1 }]);
  });

  test("given a lost round and a leader that writes all the time, when a heartbeat's time has passed, then everybody is asked again", () => {
    const cluster = aServes();
    cluster.read("a", 1);
    cluster.drop();
    for (let each = 2; each < 5; each += 1) {
      cluster.pass("a", 25);
      cluster.propose("a", "x");
      cluster.inject(accepted(cluster, "b", each));
    }
    expect(heartbeatsTo(cluster, "b").map(({ round }) => round)).toEqual([2]);
    heard(cluster, "b", 2);
    expect(cluster.board("a").reads).toMatchObject([{ id: 1, ready: true }]);
  });

  test("given heartbeats only to those who were sent nothing, when a read waits, then it does not wait for such a round", () => {
    const cluster = aServes();
    cluster.read("a", 1);
    cluster.pass("a", 40);
    cluster.propose("a", "x");
    cluster.read("a", 2);
    cluster.drop();
    heard(cluster, "b", 1);
    expect(cluster.board("a").reads).toMatchObject([{ id: 1 }]);
    expect(heartbeatsTo(cluster, "b")).toHaveLength(1);
    expect(heartbeatsTo(cluster, "c")).toHaveLength(1);
  });

  test("given one voter and a learner that says nothing, when it reads, then it needs nobody's answer", () => {
    const cluster = new Cluster({ initial: simpleConfiguration(["a"], ["l"]), boards: ["a"] });
    cluster.timeout("a");
    cluster.read("a", 1);
    expect(cluster.board("a").reads).toMatchObject([{ id: 1, ready: true }]);
  });

  test("given only a learner's answers, when a read waits for a majority, then they do not count", () => {
    const cluster = new Cluster({ initial: simpleConfiguration(["a", "b"], ["l"]) });
    cluster.elect("a");
    cluster.read("a", 1);
    cluster.settle({ to: "l" });
    cluster.settle({ from: "l" });
    expect(cluster.board("a").reads).toEqual([]);
    cluster.settle();
    expect(cluster.board("a").reads).toMatchObject([{ id: 1, ready: true }]);
  });

  test("given a leader that steps down, when reads wait, then each is told that it came to nothing", () => {
    const cluster = aServes();
    cluster.read("a", 1);
    cluster.inject({ type: "readIndex", from: "b", to: "a", term: 1, read: 9 });
    cluster.drop();
    cluster.pass("a", 300);
    expect(cluster.board("a").reads).toEqual([{ id: 1, ready: false, reason: "this board leads no longer" }]);
    expect(cluster.messages({ to: "b" })).toMatchObject([{ type: "readIndexReply", read: 9, index: null }]);
  });

  test("given as many reads as may wait, when one more comes, then it is refused", () => {
    const cluster = aServes({ pendingReadsMax: 2 });
    cluster.read("a", 1);
    cluster.read("a", 2);
    expect(cluster.read("a", 3)).toBe("too many reads are waiting");
  });
});

describe("reads at a follower", () => {
  test("given a follower, when it is asked, then it asks its leader and has the answer after the leader's round", () => {
    const cluster = new Cluster({ initial });
    cluster.elect("a");
    cluster.read("b", 3);
    cluster.settle();
    expect(cluster.board("b").reads).toEqual([{ id: 3, ready: true, index: 1 }]);
  });

  test("given a follower without a leader, when it is asked, then it refuses", () => {
    const cluster = new Cluster({ initial });
    expect(cluster.read("b", 1)).toBe("no leader is known");
  });

  test("given a read under way, when the leader changes, then it came to nothing, and the old answer is for nobody", () => {
    const cluster = new Cluster({ initial });
    cluster.elect("a");
    cluster.read("b", 3);
    const [question] = cluster.messages({ type: "readIndex" });
    cluster.drop();
    cluster.inject({ type: "heartbeat", from: "c", to: "b", term: 2, commit: 0, match: 0, round: 1 });
    expect(cluster.board("b").reads).toEqual([{ id: 3, ready: false, reason: "the leader changed" }]);
    if (question?.type !== "readIndex") throw new Error("b asked");
    cluster.inject({ type: "readIndexReply", from: "a", to: "b", term: 2, read: question.read, index: 1 });
    expect(cluster.board("b").reads).toHaveLength(1);
  });

  test("given an answer that got lost, when the leader goes on, then only the reads that are overdue come to nothing", () => {
    const cluster = new Cluster({ initial });
    cluster.elect("a");
    cluster.read("b", 1);
    cluster.drop();
    cluster.pass("b", 300);
    cluster.inject({ type: "heartbeat", from: "a", to: "b", term: 1, commit: 0, match: 0, round: 8 });
    cluster.pass("b", 300);
    cluster.read("b", 2);
    cluster.inject({ type: "heartbeat", from: "a", to: "b", term: 1, commit: 0, match: 0, round: 9 });
    expect(cluster.board("b").reads).toEqual([{ id: 1, ready: false, reason: "the leader's answer got lost" }]);
    cluster.settle();
    expect(cluster.board("b").reads).toMatchObject([{ id: 1 }, { id: 2, ready: true }]);
  });

  test("given a board that restarted, when an answer to a read of its earlier life comes, then it meets no read of this life", () => {
    const cluster = new Cluster({ initial, random: (id) => createRandom(id) });
    cluster.elect("a");
    cluster.read("b", 1);
    const [question] = cluster.messages({ type: "readIndex" });
    if (question?.type !== "readIndex") throw new Error("b asked");
    cluster.drop();
    cluster.crash("b");
    cluster.restart("b");
    cluster.inject({ type: "heartbeat", from: "a", to: "b", term: 1, commit: 0, match: 0, round: 9 });
    cluster.read("b", 2);
    cluster.inject({ type: "readIndexReply", from: "a", to: "b", term: 1, read: question.read, index: 1 });
    expect(cluster.board("b").reads).toEqual([]);
  });

  test("given a board that leads no longer, when a follower asks it, then it says so", () => {
    const cluster = new Cluster({ initial });
    cluster.elect("a");
    cluster.inject({ type: "readIndex", from: "c", to: "b", term: 1, read: 4 });
    expect(cluster.messages({ to: "c" })).toMatchObject([{ type: "readIndexReply", read: 4, index: null }]);
  });
});

describe("lease reads", () => {
  test("given an answered round, when the leader is asked within the lease, then it answers by itself, and after it not", () => {
    const cluster = aServes({ leaseReads: true, clockDriftMaxPpm: 0 });
    cluster.heartbeat("a");
    heard(cluster, "b", 1);
    cluster.drop();
    cluster.read("a", 1, true);
    expect(cluster.board("a").reads).toMatchObject([{ id: 1, ready: true }]);
    cluster.pass("a", 299);
    expect(holdsLease(cluster)).toBe(true);
    cluster.pass("a", 1);
    expect(holdsLease(cluster)).toBe(false);
  });

  test("given leases off, when a lease read is asked for, then it is confirmed by a majority like any other", () => {
    const cluster = aServes();
    cluster.heartbeat("a");
    heard(cluster, "b", 1);
    cluster.read("a", 1, true);
    expect(cluster.board("a").reads).toEqual([]);
  });

  test("given a follower that was asked to campaign, when the leader is read by lease, then no lease of this term counts any more", () => {
    const cluster = aServes({ leaseReads: true });
    cluster.heartbeat("a");
    heard(cluster, "b", 1);
    expect(holdsLease(cluster)).toBe(true);
    cluster.transfer("a", "b");
    expect(holdsLease(cluster)).toBe(false);
    cluster.pass("a", 250);
    heard(cluster, "b", 2);
    cluster.pass("a", 250);
    heard(cluster, "b", 3);
    cluster.pass("a", 150);
    heard(cluster, "b", 4);
    expect(cluster.raft("a").role).toBe("leader");
    expect(holdsLease(cluster)).toBe(false);
  });
});
