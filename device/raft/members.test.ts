import { describe, expect, test } from "vitest";
import { simpleConfiguration } from "./configuration.ts";
import { accepted, aLeads } from "./testing/absent-boards.ts";
import { Cluster } from "./testing/cluster.ts";

/** a leads voters; others exist but are no members. */
function ledByA(voters: readonly string[], others: readonly string[] = [], learners: readonly string[] = []): Cluster {
  const boards = [...voters, ...learners, ...others];
  const cluster = new Cluster({ initial: simpleConfiguration(voters, learners), boards });
  cluster.elect("a");
  return cluster;
}

describe("one change at a time", () => {
  test("given a change that is not committed, when another is asked for, then it is refused until the first one is", () => {
    const cluster = ledByA(["a", "b", "c"], ["d", "e"]);
    expect(cluster.changeMembers("a", { voters: ["a", "b", "c"], learners: ["d"] }).ok).toBe(true);
    expect(cluster.changeMembers("a", { voters: ["a", "b", "c"], learners: ["d", "e"] })).toMatchObject({
      reason: "the last change, or this leader's first entry, is not committed yet",
    });
    cluster.settle();
    expect(cluster.changeMembers("a", { voters: ["a", "b", "c"], learners: ["d", "e"] }).ok).toBe(true);
  });

  test("given a new leader with a change of its predecessor in its log, when it is told to change, then it first commits an entry of its own", () => {
    const cluster = aLeads(["a", "b", "c"]);
    expect(cluster.changeMembers("a", { voters: ["a", "b"], learners: [] }).ok).toBe(false);
    cluster.inject(accepted(cluster, "b", 1));
    expect(cluster.changeMembers("a", { voters: ["a", "b"], learners: [] }).ok).toBe(true);
  });

  test("given a board that does not lead, when it is told to change the members, then it refuses", () => {
    const cluster = ledByA(["a", "b", "c"]);
    expect(cluster.changeMembers("b", { voters: ["a", "b"], learners: [] })).toMatchObject({ ok: false });
    expect(cluster.leaveJoint("b")).toMatchObject({ ok: false });
  });

  test("given a leader that crashed in a joint configuration, when the next one takes office, then it leaves it by itself", () => {
    const cluster = ledByA(["a", "b", "c"], [], ["d", "e"]);
    cluster.changeMembers("a", { voters: ["a", "d", "e"], learners: [] });
    cluster.deliver({ type: "append" });
    cluster.crash("a");
    cluster.drop();
    expect(cluster.raft("b").configuration.votersOutgoing).toEqual(["a", "b", "c"]);
    cluster.elect("d");
    cluster.quietly(() => {
      cluster.heartbeat("d");
      cluster.settle();
    });
    expect(cluster.raft("d").configuration).toEqual(simpleConfiguration(["a", "d", "e"]));
    expect(cluster.raft("e").commitIndex).toBe(cluster.raft("d").lastIndex);
  });
});

describe("adding and removing boards", () => {
  test("given a new learner, when it joins, then it gets the log, does not count, and never campaigns", () => {
    const cluster = ledByA(["a", "b"], ["l"]);
    cluster.changeMembers("a", { voters: ["a", "b"], learners: ["l"] });
    cluster.settle();
    expect(cluster.raft("l")).toMatchObject({ lastIndex: 2, leader: "a" });
    cluster.propose("a", "x");
    cluster.drop({ to: "b" });
    cluster.settle();
    expect(cluster.raft("l").lastIndex).toBe(3);
    expect(cluster.raft("a").commitIndex).toBe(2);
    cluster.timeout("l");
    expect(cluster.raft("l").role).toBe("follower");
  });

  test("given a learner that lacks too much, when it is to be promoted, then that is refused until it has caught up", () => {
    const cluster = new Cluster({ initial: simpleConfiguration(["a"], ["l"]), options: { promotionLagEntriesMax: 2 } });
    cluster.isolate("l");
    cluster.elect("a");
    for (const data of ["1", "2", "3"]) cluster.propose("a", data);
    expect(cluster.changeMembers("a", { voters: ["a", "l"], learners: [] })).toMatchObject({
      reason: "l still lacks 4 entries",
    });
    cluster.heal();
    cluster.heartbeat("a");
    cluster.settle();
    expect(cluster.changeMembers("a", { voters: ["a", "l"], learners: [] }).ok).toBe(true);
    cluster.settle();
    expect(cluster.raft("l").configuration.voters).toEqual(["a", "l"]);
  });

  test("given a promoted learner, when the leader is gone, then it can be elected", () => {
    const cluster = ledByA(["a", "b"], [], ["l"]);
    cluster.changeMembers("a", { voters: ["a", "b", "l"], learners: [] });
    cluster.settle();
    cluster.heartbeat("a");
    cluster.settle();
    cluster.crash("a");
    cluster.elect("l");
    expect(cluster.raft("b").leader).toBe("l");
  });

  test("given a removed follower, when the change is in the leader's log, then it is sent nothing more and what it says counts for nothing", () => {
    const cluster = ledByA(["a", "b", "c"]);
    cluster.changeMembers("a", { voters: ["a", "b"], learners: [] });
    cluster.heartbeat("a");
    expect(cluster.messages({ to: "c" })).toEqual([]);
    cluster.inject(accepted(cluster, "c", 2));
    expect(cluster.raft("a").commitIndex).toBe(1);
    cluster.settle();
    expect(cluster.raft("a").commitIndex).toBe(2);
  });

  test("given a removed learner, when the change is committed, then only voters are left", () => {
    const cluster = ledByA(["a", "b"], [], ["l"]);
    cluster.changeMembers("a", { voters: ["a", "b"], learners: [] });
    cluster.settle();
    expect(cluster.raft("b").configuration).toEqual(simpleConfiguration(["a", "b"]));
    expect(
      cluster
        .raft("a")
        .followers()
        .map(({ member }) => member),
    ).toEqual(["b"]);
  });

  test("given two voters of whom one is dead, when the dead one is removed, then what waited is committed by the other alone", () => {
    const cluster = ledByA(["a", "b"]);
    cluster.crash("b");
    cluster.propose("a", "x");
    cluster.settle();
    expect(cluster.raft("a").commitIndex).toBe(1);
    cluster.read("a", 1);
    expect(cluster.changeMembers("a", { voters: ["a"], learners: [] }).ok).toBe(true);
    expect(cluster.board("a").state).toEqual(["x"]);
    cluster.heartbeat("a");
    expect(cluster.board("a").reads).toMatchObject([{ id: 1, ready: true }]);
  });

  test("given a voter that is demoted, when the change is committed, then it learns on and votes no more", () => {
    const cluster = ledByA(["a", "b", "c"]);
    cluster.changeMembers("a", { voters: ["a", "b"], learners: ["c"] });
    cluster.settle();
    cluster.heartbeat("a");
    cluster.settle();
    cluster.timeout("c");
    expect(cluster.raft("c")).toMatchObject({ role: "follower", lastIndex: 2 });
  });

  test("given new voters of whom too few are heard from, when the change is asked for, then it is refused rather than stuck", () => {
    const cluster = aLeads(["a"]);
    cluster.changeMembers("a", { voters: ["a"], learners: ["b", "c"] });
    for (const from of ["b", "c"]) cluster.inject(accepted(cluster, from, 2));
    cluster.pass("a", 600);
    expect(cluster.changeMembers("a", { voters: ["a", "b", "c"], learners: [] })).toMatchObject({ ok: false });
    cluster.inject(accepted(cluster, "b", 2));
    expect(cluster.changeMembers("a", { voters: ["a", "b", "c"], learners: [] })).toMatchObject({ ok: true });
  });

  test("given a change in the log of a follower, when it is not committed, then it is in force there all the same", () => {
    const cluster = ledByA(["a", "b", "c"], ["d"]);
    cluster.changeMembers("a", { voters: ["a", "b", "c"], learners: ["d"] });
    cluster.deliver({ to: "b" });
    expect(cluster.raft("b")).toMatchObject({ commitIndex: 1, configurationIndex: 2 });
    expect(cluster.raft("b").configuration.learners).toEqual(["d"]);
  });

  test("given a change that was taken, when the board crashes and starts again, then the change is still in force", () => {
    const cluster = ledByA(["a", "b", "c"]);
    cluster.changeMembers("a", { voters: ["a", "b"], learners: [] });
    cluster.settle();
    cluster.compact("a");
    cluster.crash("a");
    cluster.restart("a");
    expect(cluster.raft("a").configuration).toEqual(simpleConfiguration(["a", "b"]));
  });
});
