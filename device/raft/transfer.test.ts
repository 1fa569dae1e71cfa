import { describe, expect, test } from "vitest";
import { simpleConfiguration } from "./configuration.ts";
import { accepted } from "./testing/absent-boards.ts";
import { Cluster } from "./testing/cluster.ts";

const three = ["a", "b", "c"];

function ledByA(settings = {}): Cluster {
  const cluster = new Cluster({ initial: simpleConfiguration(three), ...settings });
  cluster.elect("a");
  return cluster;
}

function leaders(cluster: Cluster): readonly string[] {
  return [...cluster.boards.values()].filter(({ raft }) => raft.role === "leader").map(({ id }) => id);
}

describe("handing leadership over", () => {
  test("given a follower that is up to date, when it is chosen, then it leads at once, though everybody hears the old leader", () => {
    const cluster = ledByA();
    expect(cluster.transfer("a", "b")).toBe(null);
    cluster.settle();
    expect(leaders(cluster)).toEqual(["b"]);
    expect(cluster.raft("a")).toMatchObject({ leader: "b", term: 2 });
  });

  test("given a board that does not lead, when it is told to hand over, then it refuses", () => {
    const cluster = ledByA();
    expect(cluster.transfer("b", "c")).toBe("this board does not lead");
  });

  test("given a follower that lacks entries, when it is chosen, then it is brought up to date first", () => {
    const cluster = ledByA();
    cluster.isolate("c");
    cluster.propose("a", "x");
    cluster.settle();
    cluster.heal();
    cluster.transfer("a", "c");
    expect(cluster.messages({ type: "timeoutNow" })).toEqual([]);
    cluster.heartbeat("a");
    cluster.settle();
    expect(leaders(cluster)).toEqual(["c"]);
    expect(cluster.raft("c").lastIndex).toBe(3);
  });

  test("given a follower that needs a snapshot, when it is chosen, then it leads after it has it", () => {
    const cluster = ledByA({ options: { snapshotChunkBytes: 2 } });
    cluster.isolate("c");
    for (const data of ["x", "y"]) cluster.propose("a", data);
    cluster.settle();
    cluster.compact("a");
    cluster.heal();
    cluster.transfer("a", "c");
    cluster.heartbeat("a");
    cluster.settle();
    expect(leaders(cluster)).toEqual(["c"]);
    expect(cluster.board("c").state).toEqual(["x", "y"]);
  });

  test("given the leader itself, a stranger, a learner or one of the old half, when it is chosen, then the leader refuses", () => {
    const cluster = new Cluster({ initial: simpleConfiguration(["a", "b"], ["l"]), boards: ["a", "b", "l"] });
    cluster.elect("a");
    expect(cluster.transfer("a", "a")).toBe("a leads already");
    expect(cluster.transfer("a", "x")).toBe("x is not a member of this cluster");
    expect(cluster.transfer("a", "l")).toBe("l has no vote in the configuration in force");
    expect(leaders(cluster)).toEqual(["a"]);
  });

  test("given a target that never answers, when an election time-out has passed, then the leader goes on leading and takes proposals", () => {
    const cluster = ledByA();
    cluster.isolate("c");
    cluster.transfer("a", "c");
    for (let beat = 0; beat < 12; beat += 1) {
      cluster.heartbeat("a");
      cluster.settle();
    }
    expect(cluster.propose("a", "x").ok).toBe(true);
    expect(leaders(cluster)).toEqual(["a"]);
  });

  test("given a transfer under way, when something is proposed or members are to be changed, then both are refused with the reason", () => {
    const cluster = ledByA();
    cluster.isolate("c");
    cluster.transfer("a", "c");
    const refused = { ok: false, reason: "leadership is passing to c" };
    expect(cluster.propose("a", "x")).toEqual(refused);
    expect(cluster.changeMembers("a", { voters: ["a", "b"], learners: [] })).toEqual(refused);
    expect(cluster.leaveJoint("a")).toEqual(refused);
  });

  test("given a transfer under way, when the leader learns of a later term, then it steps down and the transfer is over", () => {
    const cluster = ledByA();
    cluster.isolate("c");
    cluster.transfer("a", "c");
    cluster.heal();
    cluster.inject({ type: "vote", from: "b", to: "a", term: 2, lastIndex: 1, lastTerm: 1, transfer: true });
    expect(cluster.raft("a")).toMatchObject({ role: "follower", term: 2 });
  });

  test.each([
    { about: "removed", target: { voters: ["a", "b"], learners: [] } },
    { about: "demoted", target: { voters: ["a", "b"], learners: ["c"] } },
  ])("given a change by which c is $about, when c is chosen, then the leader refuses", ({ target }) => {
    const cluster = ledByA();
    cluster.changeMembers("a", target);
    expect(cluster.transfer("a", "c")).not.toBe(null);
    cluster.settle();
    expect(leaders(cluster)).toEqual(["a"]);
  });

  test("given a new leader by transfer, when it hands back, then the first one leads again", () => {
    const cluster = ledByA();
    cluster.transfer("a", "b");
    cluster.settle();
    cluster.heartbeat("b");
    cluster.settle();
    cluster.transfer("b", "a");
    cluster.settle();
    expect(leaders(cluster)).toEqual(["a"]);
    expect(cluster.raft("a").term).toBe(3);
  });

  test("given a transfer to one board, when another is chosen, then the first is abandoned for the second", () => {
    const cluster = ledByA();
    cluster.isolate("c");
    cluster.transfer("a", "c");
    expect(cluster.transfer("a", "b")).toBe(null);
    cluster.settle();
    expect(leaders(cluster)).toEqual(["b"]);
    const phases = cluster
      .board("a")
      .events.flatMap((event) => (event.type === "transfer" ? [`${event.to} ${event.phase}`] : []));
    expect(phases).toEqual(["c begun", "c asked", "c abandoned", "b begun", "b asked"]);
  });

  test("given a transfer to one board, when the same is chosen again, then its time does not begin anew", () => {
    const cluster = ledByA();
    cluster.isolate("c");
    cluster.propose("a", "x");
    cluster.settle();
    cluster.transfer("a", "c");
    const abandoned = (): boolean =>
      cluster.board("a").events.some((event) => event.type === "transfer" && event.phase === "abandoned");
    for (let beat = 0; beat < 11; beat += 1) {
      cluster.heartbeat("a");
      cluster.settle();
      cluster.transfer("a", "c");
    }
    expect(abandoned()).toBe(false);
    cluster.heartbeat("a");
    expect(abandoned()).toBe(true);
  });

  test("given a board that is no voter, when it is asked to campaign, then it does not", () => {
    const cluster = new Cluster({ initial: simpleConfiguration(["a", "b"], ["l"]), boards: ["a", "b", "l"] });
    cluster.elect("a");
    cluster.inject({ type: "timeoutNow", from: "a", to: "l", term: 1 });
    expect(cluster.raft("l")).toMatchObject({ role: "follower", term: 1 });
  });

  test("given a request to campaign that comes twice or late, when it comes, then only the first in its term counts", () => {
    const cluster = ledByA();
    cluster.inject({ type: "timeoutNow", from: "a", to: "b", term: 1 });
    cluster.inject({ type: "timeoutNow", from: "a", to: "b", term: 1 });
    expect(cluster.raft("b")).toMatchObject({ role: "candidate", term: 2 });
  });

  test("given a leader that left office by the same answer that completes a transfer, when it is counted, then only one board is asked to campaign", () => {
    const cluster = ledByA();
    cluster.changeMembers("a", { voters: ["b", "c"], learners: [] });
    cluster.drop();
    cluster.transfer("a", "c");
    cluster.inject(accepted(cluster, "b", 2));
    cluster.inject(accepted(cluster, "c", 2));
    expect(cluster.raft("a").role).toBe("follower");
    expect(cluster.messages({ type: "timeoutNow" })).toHaveLength(1);
  });
});
