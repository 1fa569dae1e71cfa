import { expect, test } from "vitest";
import { simpleConfiguration } from "./configuration.ts";
import { Cluster } from "./testing/cluster.ts";
import type { MemberId } from "./types.ts";

function keepTranscript(cluster: Cluster, name: string): Promise<void> {
  return expect(cluster.transcript).toMatchFileSnapshot(`./transcripts/${name}.txt`);
}

/** A cluster led by a, with boards that are no members yet. */
function clusterLedByA(voters: readonly MemberId[], others: readonly MemberId[] = []): Cluster {
  const cluster = new Cluster({ initial: simpleConfiguration(voters), boards: [...voters, ...others] });
  cluster.elect("a");
  return cluster;
}

/** Adds learners and lets them catch up. */
function addLearners(cluster: Cluster, voters: readonly MemberId[], learners: readonly MemberId[]): void {
  cluster.changeMembers("a", { voters, learners });
  cluster.settle();
  cluster.heartbeat("a");
  cluster.settle();
}

test("given a cluster of one, when a board is added, then it learns first and votes after", async () => {
  const cluster = clusterLedByA(["a"], ["b"]);
  cluster.tell(
    "A new board first learns: it receives the log but counts for nothing, so that the cluster stays available while it catches up (§4.2.1). To make it a voter before that is refused.",
  );
  const early = cluster.changeMembers("a", { voters: ["a", "b"], learners: [] });
  expect(early).toEqual({ ok: false, reason: "b must first be a learner and catch up" });
  addLearners(cluster, ["a"], ["b"]);
  expect(cluster.raft("b").lastIndex).toBe(2);

  cluster.tell(
    "One voter more takes one step: any majority of the old and any of the new share a board (§4.1). The new configuration counts as soon as it is in the log: the leader alone can no longer commit it.",
  );
  cluster.changeMembers("a", { voters: ["a", "b"], learners: [] });
  expect(cluster.raft("a").commitIndex).toBe(2);
  cluster.settle();
  expect(cluster.raft("a").commitIndex).toBe(3);
  cluster.status();
  await keepTranscript(cluster, "confchange-add-one");
});

test("given a leader that is told to leave, when the change is committed, then it has led it to the end and hands over", async () => {
  const cluster = clusterLedByA(["a", "b", "c"]);
  cluster.tell(
    "A leader removes itself (§4.2.2). Until the change is committed it leads a cluster that it is not part of: it replicates, but does not count itself. One follower's answer, enough before, is not a majority of b and c.",
  );
  cluster.changeMembers("a", { voters: ["b", "c"], learners: [] });
  cluster.propose("a", "x=1");
  cluster.deliver({ to: "b" });
  cluster.deliver({ from: "b" });
  expect(cluster.raft("a")).toMatchObject({ role: "leader", commitIndex: 1 });
  cluster.tell("With both, it is committed, and so is what was proposed meanwhile.");
  cluster.settle({ to: "c" });
  cluster.deliver({ from: "c" });
  expect(cluster.raft("a").role).toBe("follower");
  expect(cluster.board("a").state).toEqual([]);
  cluster.settle();
  expect(cluster.raft("b").role).toBe("leader");
  cluster.heartbeat("b");
  cluster.settle();
  expect(cluster.board("c").state).toEqual(["x=1"]);
  cluster.tell("The board that left never asks for votes.");
  cluster.timeout("a");
  expect(cluster.raft("a").role).toBe("follower");
  cluster.status();
  await keepTranscript(cluster, "confchange-remove-leader");
});

test("given a leader without a vote, when its change is committed, then it steps down and asks the one with the longest log to campaign", async () => {
  const cluster = clusterLedByA(["a", "b", "c"]);
  cluster.tell(
    "A leader that has no vote any more steps down when the change is committed (§4.2.2). It asks whoever has most of the log to campaign at once, so that nobody has to wait for a time-out.",
  );
  cluster.changeMembers("a", { voters: ["b", "c"], learners: ["a"] });
  cluster.settle({ type: "append" });
  cluster.deliver({ type: "appendAccepted" });
  expect(cluster.raft("a").role).toBe("follower");
  expect(cluster.messages({ type: "timeoutNow" })).toHaveLength(1);
  cluster.settle();
  cluster.status();
  expect(cluster.raft("b").role).toBe("leader");
  expect(cluster.raft("a")).toMatchObject({ role: "follower", leader: "b" });
  await keepTranscript(cluster, "confchange-leader-steps-down");
});

test("given two boards to add at once, when told so, then the cluster goes through a joint configuration and leaves it by itself", async () => {
  const cluster = clusterLedByA(["a"], ["b", "c"]);
  cluster.tell(
    "Two voters more at once: the old majority (a alone) and the new one (two of a, b, c) could decide without each other, so for a while both must agree (§4.3, joint consensus). As soon as the joint configuration is committed, the leader goes on to the new one.",
  );
  addLearners(cluster, ["a"], ["b", "c"]);
  cluster.changeMembers("a", { voters: ["a", "b", "c"], learners: [] });
  expect(cluster.raft("a").configuration.votersOutgoing).toEqual(["a"]);
  expect(cluster.changeMembers("a", { voters: ["a"], learners: [] }).ok).toBe(false);
  cluster.settle();
  expect(cluster.raft("a").configuration).toEqual(simpleConfiguration(["a", "b", "c"]));
  expect(cluster.raft("a").commitIndex).toBe(cluster.raft("a").configurationIndex);
  cluster.status();
  await keepTranscript(cluster, "confchange-add-two-automatic");
});

test("given two boards to add at once without leaving by itself, when the joint configuration is committed, then it stays until told", async () => {
  const cluster = clusterLedByA(["a"], ["b", "c"]);
  cluster.tell(
    "The same by hand (§4.3): the cluster works in the joint configuration, also for proposals, until it is told to leave. It cannot be told so before the joint configuration is committed.",
  );
  addLearners(cluster, ["a"], ["b", "c"]);
  cluster.changeMembers("a", { voters: ["a", "b", "c"], learners: [] }, false);
  expect(cluster.leaveJoint("a")).toEqual({ ok: false, reason: "the joint configuration is not committed yet" });
  cluster.settle();
  cluster.propose("a", "x=1");
  cluster.settle();
  expect(cluster.raft("a").configuration.votersOutgoing).toEqual(["a"]);
  expect(cluster.board("a").state).toEqual(["x=1"]);
  cluster.leaveJoint("a");
  cluster.settle();
  expect(cluster.raft("a").configuration).toEqual(simpleConfiguration(["a", "b", "c"]));
  expect(cluster.leaveJoint("a")).toEqual({ ok: false, reason: "the configuration in force is not joint" });
  cluster.status();
  await keepTranscript(cluster, "confchange-add-two-explicit");
});

test("given a leader to be replaced by a new board, when told so, then both happen in one joint change and another board leads on", async () => {
  const cluster = clusterLedByA(["a", "b", "c"], ["d"]);
  cluster.tell(
    "The leader a is replaced by d in one change (§4.3). In the joint configuration decisions need two of a, b, c and two of b, c, d. When the new configuration is committed, a has no vote, steps down, and asks another to campaign.",
  );
  addLearners(cluster, ["a", "b", "c"], ["d"]);
  cluster.changeMembers("a", { voters: ["b", "c", "d"], learners: [] });
  cluster.tell("The old majority alone does not commit the joint configuration: d and c are silent, a and b have it.");
  cluster.deliver({ to: "b" });
  cluster.deliver({ from: "b" });
  const joint = cluster.raft("a").configurationIndex;
  expect(cluster.raft("a").commitIndex).toBeLessThan(joint);
  cluster.tell("With d there are two of the new three as well.");
  cluster.deliver({ to: "d" });
  cluster.deliver({ from: "d" });
  expect(cluster.raft("a").commitIndex).toBe(joint);
  cluster.settle();
  cluster.heartbeat("b");
  cluster.settle();
  cluster.status();
  expect(cluster.raft("b").role).toBe("leader");
  expect(cluster.raft("d").configuration).toEqual(simpleConfiguration(["b", "c", "d"]));
  await keepTranscript(cluster, "confchange-replace-leader");
});

test("given a leader that removed itself and crashed, when only its log has the change, then it campaigns though it has no vote", async () => {
  const cluster = clusterLedByA(["a", "b"]);
  cluster.tell(
    "Board a of two removes itself, and crashes before b hears of it. Back again, its log is ahead of b's, so b cannot win; and a has no vote in its own latest configuration. Yet it is needed, until that configuration is committed: it campaigns without counting itself (§4.2.2), leads b there, and goes.",
  );
  cluster.changeMembers("a", { voters: ["b"], learners: [] });
  cluster.crash("a");
  cluster.drop();
  cluster.restart("a");
  cluster.tell("b cannot win: a, whose vote counts in b's configuration, has the longer log.");
  cluster.pass("a", 300);
  cluster.timeout("b");
  cluster.settle();
  expect(cluster.raft("b").role).not.toBe("leader");
  cluster.tell("a can.");
  cluster.pass("b", 300);
  cluster.timeout("a");
  cluster.settle();
  expect(cluster.raft("b").role).toBe("leader");
  expect(cluster.raft("b").configuration).toEqual(simpleConfiguration(["b"]));
  cluster.status();
  await keepTranscript(cluster, "confchange-voted-out-but-needed");
});
