import { describe, expect, test } from "vitest";
import { simpleConfiguration } from "./configuration.ts";
import { accepted, aLeads, diskOf, onlyA } from "./testing/absent-boards.ts";
import { Cluster } from "./testing/cluster.ts";
import type { Configuration, SnapshotChunk } from "./types.ts";

const three = ["a", "b", "c"];
const initial = simpleConfiguration(three);

/** One piece of a snapshot as of 5/1, sent to a by b, the leader of term 1. */
function piece(data: string, offset: number, size: number, configuration: Configuration = initial): SnapshotChunk {
  const place = { snapshotIndex: 5, snapshotTerm: 1, configuration };
  return { type: "snapshot", from: "b", to: "a", term: 1, ...place, offset, size, data };
}

/** a leads, has compacted everything up to 4, and sends b its snapshot in pieces of 4 bytes; b holds nothing of it yet. */
function aSendsSnapshot(): Cluster {
  const cluster = aLeads(three, { options: { snapshotChunkBytes: 4 } });
  for (const data of ["11", "22", "33"]) cluster.propose("a", data);
  cluster.inject(accepted(cluster, "c", 4));
  cluster.compact("a");
  cluster.drop();
  const rejected = { type: "appendRejected", prevIndex: 0, conflictTerm: 0, conflictIndex: 0, lastIndex: 0 } as const;
  cluster.inject({ ...rejected, from: "b", to: "a", term: 1 });
  return cluster;
}

function piecesSent(cluster: Cluster): readonly number[] {
  return cluster.messages({ to: "b" }).flatMap((message) => (message.type === "snapshot" ? [message.offset] : []));
}

describe("sending a snapshot", () => {
  test("given a follower that needs what is compacted, when it says so, then it is sent the first piece and no entries", () => {
    const cluster = aSendsSnapshot();
    expect(piecesSent(cluster)).toEqual([0]);
    expect(cluster.raft("a").followers()[0]).toMatchObject({ member: "b", sending: "snapshot" });
    cluster.propose("a", "x");
    expect(cluster.messages({ to: "b", type: "append" })).toEqual([]);
  });

  test("given answers that are late, repeated or of another snapshot, when they come, then the transfer does not multiply", () => {
    const cluster = aSendsSnapshot();
    const held = (snapshotIndex: number, offset: number) =>
      cluster.inject({ type: "snapshotReply", from: "b", to: "a", term: 1, snapshotIndex, offset });
    held(4, 4);
    held(4, 4);
    held(3, 2);
    expect(piecesSent(cluster)).toEqual([0, 4]);
  });

  test("given a follower that restarted in the middle, when it says that it holds nothing, then the snapshot begins again", () => {
    const cluster = aSendsSnapshot();
    for (const offset of [4, 0]) {
      cluster.inject({ type: "snapshotReply", from: "b", to: "a", term: 1, snapshotIndex: 4, offset });
    }
    expect(piecesSent(cluster)).toEqual([0, 4, 0]);
  });

  test("given a lost piece, when a heartbeat is answered, then the piece is sent again", () => {
    const cluster = aSendsSnapshot();
    cluster.heartbeat("a");
    cluster.inject({ type: "heartbeatReply", from: "b", to: "a", term: 1, round: 1 });
    expect(piecesSent(cluster)).toEqual([0, 0]);
  });

  test("given the whole snapshot received, when the follower says so, then it is replicated to from there", () => {
    const cluster = aSendsSnapshot();
    cluster.propose("a", "x");
    cluster.inject(accepted(cluster, "b", 4));
    expect(cluster.raft("a").followers()[0]).toMatchObject({ sending: "replicate", matchIndex: 4 });
    expect(cluster.messages({ to: "b", type: "append" })).toMatchObject([{ prevIndex: 4, entries: [{ data: "x" }] }]);
  });

  test("given a follower that disagrees by a late rejection, when its snapshot is under way, then the snapshot goes on", () => {
    const cluster = aSendsSnapshot();
    cluster.inject({
      type: "appendRejected",
      from: "b",
      to: "a",
      term: 1,
      prevIndex: 3,
      conflictTerm: 0,
      conflictIndex: 0,
      lastIndex: 0,
    });
    expect(cluster.raft("a").followers()[0]).toMatchObject({ sending: "snapshot" });
  });

  test("given a snapshot under way, when the leader compacts again, then it keeps what the follower will need after it", () => {
    const cluster = aSendsSnapshot();
    for (const data of ["x", "y"]) cluster.propose("a", data);
    cluster.inject(accepted(cluster, "c", 6));
    cluster.compact("a");
    expect(cluster.raft("a").snapshotIndex).toBe(6);
    cluster.inject(accepted(cluster, "b", 4));
    expect(cluster.messages({ to: "b", type: "append" })).toMatchObject([{ prevIndex: 4 }]);
  });

  test("given a follower in the middle of a snapshot that fell silent, when the leader compacts again, then it does not keep its log for it", () => {
    const cluster = aSendsSnapshot();
    for (const milliseconds of [200, 200, 200]) {
      cluster.pass("a", milliseconds);
      cluster.inject(accepted(cluster, "c", 4));
    }
    for (const data of ["x", "y"]) cluster.propose("a", data);
    cluster.inject(accepted(cluster, "c", 6));
    cluster.compact("a");
    expect(cluster.raft("a").termAt(5)).toBe(null);
  });
});

describe("receiving a snapshot", () => {
  test("given an empty board, when all pieces have come, then it has state, log and configuration as of the snapshot, and says so once it is saved", () => {
    const cluster = onlyA(three, { slowDisks: ["a"] });
    const configuration = simpleConfiguration(["a", "b"], ["l"]);
    cluster.inject(piece("x=1;", 0, 7, configuration));
    cluster.inject(piece("x=2", 4, 7, configuration));
    expect(cluster.raft("a")).toMatchObject({ lastIndex: 5, lastTerm: 1, commitIndex: 5, appliedIndex: 5 });
    expect(cluster.raft("a").configuration).toEqual(configuration);
    expect(cluster.board("a").state).toEqual(["x=1", "x=2"]);
    expect(cluster.messages({ type: "appendAccepted" })).toEqual([]);
    while (cluster.board("a").disk.pending.length > 0) cluster.saved("a");
    expect(cluster.messages({ type: "appendAccepted" })).toMatchObject([{ matchIndex: 5 }]);
  });

  test("given pieces out of order or repeated, when they come, then the board says how much it holds and takes only what fits", () => {
    const cluster = onlyA(three);
    cluster.inject(piece("cd", 2, 4));
    cluster.inject(piece("ab", 0, 4));
    cluster.inject(piece("ab", 0, 4));
    expect(cluster.messages({ type: "snapshotReply" })).toMatchObject([{ offset: 0 }, { offset: 2 }, { offset: 2 }]);
    cluster.inject(piece("cd", 2, 4));
    expect(cluster.board("a").state).toEqual(["abcd"]);
  });

  test("given a snapshot half received from one leader, when the next leader sends the same one, then it goes on where it was", () => {
    const cluster = onlyA(three);
    cluster.inject(piece("ab", 0, 4));
    cluster.inject({ ...piece("cd", 2, 4), from: "c", term: 2 });
    expect(cluster.raft("a")).toMatchObject({ snapshotIndex: 5, leader: "c" });
  });

  test("given a snapshot of what is committed here already, when it comes, then it is ignored and the board says how far it is", () => {
    const cluster = onlyA(three);
    cluster.inject(piece("all", 0, 3));
    cluster.drop();
    cluster.inject({ ...piece("old", 0, 3), snapshotIndex: 3 });
    expect(cluster.messages()).toMatchObject([{ type: "appendAccepted", matchIndex: 5 }]);
    expect(cluster.board("a").state).toEqual(["all"]);
  });

  test("given a log that holds the snapshot's last entry, when it comes, then the log stays, also what comes after it, and is committed so far", () => {
    const cluster = onlyA(three, { disks: { a: diskOf([1, 1, 1, 1, 1, 1, 1], 1) } });
    cluster.inject(piece("all", 0, 3));
    expect(cluster.raft("a")).toMatchObject({ lastIndex: 7, commitIndex: 5, snapshotIndex: 0 });
    expect(cluster.messages()).toMatchObject([{ type: "appendAccepted", matchIndex: 5 }]);
  });

  test("given a log that disagrees with the snapshot, when it comes, then the snapshot takes its place", () => {
    const cluster = onlyA(three, { disks: { a: diskOf([1, 1, 1, 1, 2, 2, 2], 3) } });
    cluster.inject({ ...piece("all", 0, 3), term: 3, snapshotTerm: 3 });
    expect(cluster.raft("a")).toMatchObject({ lastIndex: 5, lastTerm: 3, commitIndex: 5, snapshotIndex: 5 });
  });

  test("given a snapshot larger than is allowed, when it comes, then nothing of it is kept", () => {
    const cluster = onlyA(three, { options: { snapshotBytesMax: 3 } });
    cluster.inject(piece("abcd", 0, 4));
    expect(cluster.raft("a").snapshotIndex).toBe(0);
    expect(cluster.messages()).toEqual([]);
  });

  test.each([
    { about: "a learner", configuration: simpleConfiguration(["b", "c"], ["a"]), campaigns: false },
    { about: "a voter that was a learner before", configuration: simpleConfiguration(["a", "b"]), campaigns: true },
    { about: "nobody at all", configuration: simpleConfiguration(["b", "c"]), campaigns: false },
    {
      about: "a voter of the old half",
      configuration: { ...simpleConfiguration(["b", "c"]), votersOutgoing: ["a", "b"] },
      campaigns: true,
    },
  ])(
    "given a snapshot by which the board is $about, when its timer runs out, then it campaigns or not accordingly",
    ({ configuration, campaigns }) => {
      const cluster = onlyA(three);
      cluster.inject(piece("all", 0, 3, configuration));
      cluster.timeout("a");
      expect(cluster.raft("a").role).toBe(campaigns ? "preCandidate" : "follower");
    },
  );

  test("given a snapshot that was saved, when the board crashes, then it starts again from it", () => {
    const cluster = onlyA(three);
    cluster.inject(piece("all", 0, 3));
    cluster.crash("a");
    cluster.restart("a");
    expect(cluster.raft("a")).toMatchObject({ lastIndex: 5, commitIndex: 5, snapshotIndex: 5 });
    expect(cluster.board("a").state).toEqual(["all"]);
  });
});

test("given a slow follower of three, when it is back after a compaction and another proposal, then all states are alike", () => {
  const cluster = new Cluster({ initial, options: { snapshotChunkBytes: 3 } });
  cluster.elect("a");
  cluster.isolate("c");
  for (const data of ["x=1", "x=2", "x=3"]) cluster.propose("a", data);
  cluster.settle();
  cluster.compact("a", 1);
  cluster.heal();
  cluster.propose("a", "x=4");
  for (let each = 0; each < 3; each += 1) {
    cluster.heartbeat("a");
    cluster.settle();
  }
  expect(cluster.board("c").state).toEqual(["x=1", "x=2", "x=3", "x=4"]);
});
