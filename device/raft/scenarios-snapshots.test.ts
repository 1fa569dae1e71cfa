import { expect, test } from "vitest";
import { simpleConfiguration } from "./configuration.ts";
import { Cluster } from "./testing/cluster.ts";

const three = simpleConfiguration(["a", "b", "c"]);

function keepTranscript(cluster: Cluster, name: string): Promise<void> {
  return expect(cluster.transcript).toMatchFileSnapshot(`./transcripts/${name}.txt`);
}

function followerC(cluster: Cluster): unknown {
  return cluster.raft("a").followers()[1];
}

test("given a follower behind the compacted log, when it is heard again, then it gets the snapshot and then the log", async () => {
  const cluster = new Cluster({ initial: three, options: { snapshotChunkBytes: 8 } });
  cluster.tell(
    "c was cut off while the others went on and compacted their logs. What it lacks exists only in the snapshot now, so the leader sends that, piece by piece (§5.1, Figure 5.3), and then the entries that came after it. A piece gets lost on the way: c says how much it holds, and the leader goes on from there.",
  );
  cluster.elect("a");
  cluster.isolate("c");
  cluster.quietly(() => {
    for (const command of ["x=1", "x=2", "x=3", "x=4"]) {
      cluster.propose("a", command);
      cluster.settle();
    }
  });
  cluster.compact("a");
  cluster.propose("a", "x=5");
  cluster.settle();
  cluster.heal();
  cluster.heartbeat("a");
  cluster.deliver();
  cluster.deliver({ from: "c" });
  cluster.deliver({ to: "c", type: "append" });
  cluster.deliver({ from: "c", type: "appendRejected" });
  expect(followerC(cluster)).toMatchObject({ sending: "snapshot", matchIndex: 1 });
  cluster.deliver({ type: "snapshot" });
  cluster.deliver({ type: "snapshotReply" });
  cluster.tell("The second piece gets lost.");
  cluster.drop({ type: "snapshot" });
  cluster.heartbeat("a");
  cluster.settle();
  cluster.status();
  expect(followerC(cluster)).toMatchObject({ sending: "replicate", matchIndex: 6 });
  cluster.quietly(() => {
    cluster.heartbeat("a");
    cluster.settle();
  });
  expect(cluster.board("c").state).toEqual(["x=1", "x=2", "x=3", "x=4", "x=5"]);
  await keepTranscript(cluster, "slow-follower-after-compaction");
});

test("given a snapshot that reaches the end of the log, when it is installed, then the leader knows at once and sends ahead", async () => {
  const cluster = new Cluster({ initial: three });
  cluster.tell(
    "The snapshot covers the leader's whole log, so no entry follows it. The follower answers the last piece as it would an append: up to here we agree. That alone must bring it back to being replicated to (§5.1, Figure 5.3), or it would stay in doubt until somebody proposes.",
  );
  cluster.quietly(() => {
    cluster.isolate("c");
  });
  cluster.elect("a");
  cluster.quietly(() => {
    cluster.propose("a", "x=1");
    cluster.settle();
  });
  cluster.compact("a");
  cluster.heal();
  cluster.heartbeat("a");
  cluster.settle();
  expect(followerC(cluster)).toMatchObject({ sending: "replicate", matchIndex: 2 });
  expect(cluster.raft("c")).toMatchObject({ lastIndex: 2, commitIndex: 2, snapshotIndex: 2 });
  cluster.status();
  await keepTranscript(cluster, "snapshot-succeed-via-app-resp");
});

test("given a snapshot under way, when the follower turns out to have come further by itself, then the leader drops the snapshot", async () => {
  const cluster = new Cluster({ initial: three, options: { snapshotChunkBytes: 4 } });
  cluster.tell(
    "The leader took c for far behind and began to send its snapshot as of 5. But an append sent long before, as late as can be, brought c to 4, and the leader's log still reaches back to there: c's answer ends the snapshot, and the log does the rest (§5.1, Figure 5.3).",
  );
  cluster.elect("a");
  cluster.quietly(() => {
    for (const command of ["x=1", "x=2", "x=3"]) cluster.propose("a", command);
  });
  const late = cluster.messages({ to: "c", type: "append" });
  cluster.quietly(() => {
    cluster.drop({ to: "c" });
    cluster.settle();
    cluster.propose("a", "x=4");
    cluster.drop({ to: "c" });
    cluster.settle();
  });
  cluster.compact("a", 1);
  cluster.heartbeat("a");
  cluster.heartbeat("a");
  cluster.deliver({ type: "heartbeat" });
  cluster.deliver({ type: "heartbeatReply" });
  expect(followerC(cluster)).toMatchObject({ sending: "snapshot", matchIndex: 1 });
  cluster.tell("The first piece is lost, and the late appends arrive.");
  cluster.drop({ type: "snapshot" });
  for (const message of late) cluster.inject(message);
  cluster.settle();
  cluster.status();
  expect(followerC(cluster)).toMatchObject({ sending: "replicate", matchIndex: 5 });
  expect(cluster.raft("c").snapshotIndex).toBe(0);
  await keepTranscript(cluster, "snapshot-succeed-via-app-resp-behind");
});
