import { expect, test } from "vitest";
import { simpleConfiguration } from "./configuration.ts";
import { Cluster } from "./testing/cluster.ts";
import type { Append, Entry, HardState, MemberId } from "./types.ts";

const three = simpleConfiguration(["a", "b", "c"]);

function keepTranscript(cluster: Cluster, name: string): Promise<void> {
  return expect(cluster.transcript).toMatchFileSnapshot(`./transcripts/${name}.txt`);
}

/** A disk that knows of term 7 and whose log has one entry for each term given. */
function diskWith(terms: readonly number[]): {
  hardState: HardState;
  log: { snapshot: null; entries: readonly Entry[] };
} {
  const entries = terms.map((term, place): Entry => {
    return { kind: "command", index: place + 1, term, data: `${place + 1}of${term}` };
  });
  return { hardState: { term: 7, votedFor: null }, log: { snapshot: null, entries } };
}

test("given slow disks, when entries are proposed, then nothing is acknowledged or counted before it is durable", async () => {
  const cluster = new Cluster({ initial: three, slowDisks: ["a", "b", "c"] });
  cluster.tell(
    "Saving takes time, and nobody waits for it: the leader sends an entry while it writes it itself (§10.2.1). But a follower's acknowledgement is held until the entry is on its disk, and the leader counts itself only when its own disk holds the entry.",
  );
  cluster.elect("a");
  cluster.propose("a", "x=1");
  cluster.deliver();
  expect(cluster.messages({ to: "a" })).toEqual([]);
  cluster.tell(
    "One follower's disk answers: with the leader still writing, one board of three holds the entry. No quorum.",
  );
  cluster.saved("b");
  cluster.deliver();
  expect(cluster.raft("a").commitIndex).toBe(1);
  cluster.tell("The leader's own disk makes two of three.");
  cluster.saved("a");
  expect(cluster.raft("a").commitIndex).toBe(2);

  cluster.tell(
    "The leader is not needed for a quorum: two followers are one, and it applies what its own disk does not hold yet.",
  );
  cluster.propose("a", "x=2");
  cluster.deliver();
  cluster.saved("b");
  cluster.saved("c");
  cluster.saved("c");
  cluster.deliver();
  expect(cluster.raft("a").commitIndex).toBe(3);
  expect(cluster.raft("a").durableIndex).toBe(2);

  cluster.tell("A board that loses its power loses what it had not saved. Nobody was told that it held it.");
  cluster.propose("a", "x=3");
  cluster.deliver();
  cluster.crash("b");
  cluster.restart("b");
  expect(cluster.raft("b").lastIndex).toBe(3);
  await keepTranscript(cluster, "async-storage-writes");
});

test("given a save that is overtaken twice, when the first one ends, then the entry written again is not taken for durable", async () => {
  const cluster = new Cluster({ initial: simpleConfiguration(["a", "b", "c", "d", "e", "f", "g"]), slowDisks: ["a"] });
  cluster.tell(
    "The ABA race of asynchronous storage. Board a receives entry 2 of term 1 from b and begins to save it; c, elected in term 2, overwrites it; d, elected in term 3, has entry 2 of term 1 too, by way of b, and brings it back. When the first save ends, entry 2 of term 1 is in a's log, and a save of entry 2 of term 1 has ended: but it is not on the disk, for the second save has yet to overwrite it and the third to write it again (§3.8).",
  );
  cluster.elect("b");
  cluster.propose("b", "A");
  cluster.deliver({ to: "a" });
  cluster.deliver({ to: "d" });
  cluster.drop();
  cluster.tell("c is elected by e, f and g, none of whom has the entry, and a receives c's empty entry in its place.");
  cluster.quietly(() => {
    cluster.crash("b");
    for (const id of ["e", "f", "g"]) cluster.pass(id, 300);
    cluster.timeout("c");
    cluster.drop({ to: "a" });
    cluster.drop({ to: "d" });
    for (let round = 0; round < 4; round += 1) {
      cluster.deliver({ to: "e" });
      cluster.deliver({ to: "f" });
      cluster.deliver({ to: "g" });
      if (cluster.raft("c").role !== "leader") cluster.deliver({ to: "c" });
      if (cluster.raft("c").role === "leader") break;
    }
  });
  expect(cluster.raft("c").role).toBe("leader");
  cluster.deliver({ from: "c", to: "a", type: "append" });
  cluster.drop();
  expect(cluster.raft("a").termAt(2)).toBe(2);

  cluster.tell(
    "c crashes before anybody else has its entry; d is elected in term 3, and overwrites it with what b had proposed.",
  );
  const proposal: Entry = { kind: "command", index: 2, term: 1, data: "A" };
  const newLeader: Append = {
    type: "append",
    from: "d",
    to: "a",
    term: 3,
    prevIndex: 1,
    prevTerm: 1,
    entries: [proposal, { kind: "empty", index: 3, term: 3 }],
    commit: 1,
  };
  cluster.inject(newLeader);
  expect(cluster.raft("a").termAt(2)).toBe(1);
  const acceptedByD = (): unknown[] => cluster.messages({ to: "d", type: "appendAccepted" }).map((message) => message);

  cluster.tell(
    "The first save ends. It vouches for nothing from 2 on. The acknowledgement that waited for it goes out to b, whose term is over; d must hear nothing yet.",
  );
  cluster.saved("a");
  expect(cluster.raft("a").durableIndex).toBe(1);
  expect(acceptedByD()).toEqual([]);
  cluster.tell("Nor does the second. Only when the third has ended does d hear that a holds its entries.");
  cluster.saved("a");
  expect(cluster.raft("a").durableIndex).toBe(1);
  expect(acceptedByD()).toEqual([]);
  cluster.saved("a");
  expect(cluster.raft("a").durableIndex).toBe(3);
  expect(acceptedByD()).toHaveLength(1);
  await keepTranscript(cluster, "async-storage-writes-append-aba-race");
});

test("given a follower in doubt, when it answers a heartbeat, then it is asked anew and replicated to again", async () => {
  const cluster = new Cluster({ initial: three });
  cluster.tell(
    "An acknowledgement of b gets lost. When b's answer to the next heartbeat shows that it is there, but an answer to the append is overdue, the leader goes back to asking (probe). The answer to that says where the logs agree, and the leader sends ahead again (replicate, §3.5). It must not stay in doubt just because b turns out to lack nothing.",
  );
  cluster.elect("a");
  cluster.propose("a", "x=1");
  cluster.deliver({ to: "b" });
  cluster.tell("The entry arrived; its acknowledgement does not.");
  cluster.drop({ from: "b" });
  cluster.settle({ to: "c" });
  cluster.settle({ to: "a" });
  cluster.heartbeat("a");
  cluster.heartbeat("a");
  cluster.deliver();
  cluster.deliver({ from: "b" });
  expect(cluster.raft("a").followers()[0]).toMatchObject({ member: "b", sending: "probe" });
  cluster.status();
  cluster.tell("The question carries everything that was not acknowledged. b has it already and says so.");
  cluster.settle();
  expect(cluster.raft("a").followers()[0]).toMatchObject({ member: "b", sending: "replicate", matchIndex: 2 });
  cluster.status();
  await keepTranscript(cluster, "heartbeat-resp-recovers-from-probing");
});

test("given lost acknowledgements, when a heartbeat tells the commit index, then the follower commits no further than it is known to agree", async () => {
  const cluster = new Cluster({ initial: three });
  cluster.tell(
    "b has two entries, but its acknowledgements got lost. They are committed by a and c. A heartbeat tells b the commit index, and how far b is known to share the leader's log: b commits no further than that, for it could hold other entries there, and would apply them (§3.5). One more round trip, and b knows.",
  );
  cluster.elect("a");
  cluster.propose("a", "x=1");
  cluster.propose("a", "x=2");
  cluster.deliver();
  cluster.drop({ from: "b" });
  cluster.settle();
  expect(cluster.raft("a").commitIndex).toBe(3);
  expect(cluster.raft("b")).toMatchObject({ commitIndex: 1, lastIndex: 3 });

  cluster.heartbeat("a");
  expect(cluster.messages({ to: "b", type: "heartbeat" })).toMatchObject([{ commit: 3, match: 1 }]);
  expect(cluster.messages({ to: "c", type: "heartbeat" })).toMatchObject([{ commit: 3, match: 3 }]);
  cluster.settle();
  expect(cluster.raft("b").commitIndex).toBe(3);
  await keepTranscript(cluster, "lagging-commit");
});

test("given logs that differ in every way, when a leader is elected, then each follower is brought to its log and then kept up", async () => {
  const cluster = new Cluster({
    initial: simpleConfiguration(["a", "b", "c", "d", "e", "f", "g"]),
    disks: {
      a: diskWith([1, 1, 1, 4, 4, 5, 5, 6, 6, 6]),
      b: diskWith([1, 1, 1, 4, 4, 5, 5, 6, 6]),
      c: diskWith([1, 1, 1, 4]),
      d: diskWith([1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6]),
      e: diskWith([1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7]),
      f: diskWith([1, 1, 1, 4, 4, 4, 4]),
      g: diskWith([1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]),
    },
  });
  cluster.tell(
    "Seven logs as in the paper's Figure 7 (Figure 3.6 of the dissertation): followers lack entries (b, c), have more (d, e), or both (f, g). The leader a finds the point of agreement with each by asking (probe), skipping whole terms (§3.5, end), overwrites what differs, and then sends ahead (replicate).",
  );
  cluster.quietly(() => {
    // a gets the votes of b, c, f and g, whose logs are not more up to date than its own.
    cluster.timeout("a");
    for (let round = 0; round < 3; round += 1) cluster.deliver();
    cluster.drop({ type: "voteReply", from: "d" });
    cluster.drop({ type: "voteReply", from: "e" });
    cluster.settle({ type: "voteReply" });
  });
  expect(cluster.raft("a").role).toBe("leader");
  expect(cluster.raft("a").term).toBe(8);
  cluster.status();
  cluster.settle();
  cluster.heartbeat("a");
  cluster.settle();
  cluster.status();
  const ends = [...cluster.boards.values()].map(({ raft }) => [raft.lastIndex, raft.lastTerm, raft.commitIndex]);
  expect(new Set(ends.map(String))).toEqual(new Set(["11,8,11"]));
  await keepTranscript(cluster, "probe-and-replicate");
});

test("given a follower that does not answer, when more is proposed, then no more is sent to it than may be in flight", async () => {
  const cluster = new Cluster({ initial: three, options: { inFlightAppendsMax: 3 } });
  cluster.tell(
    "At most three appends may be on their way to a follower without an answer. c gets none of them: the leader stops sending to c and goes on with b, and does not flood c when it is back. A heartbeat's answer shows that c is there; the lost appends are sent again as one.",
  );
  cluster.elect("a");
  for (const command of ["x=1", "x=2", "x=3", "x=4"]) cluster.propose("a", command);
  expect(sentTo(cluster, "c")).toHaveLength(3);
  cluster.drop({ to: "c" });
  cluster.settle();
  for (const command of ["x=5", "x=6"]) cluster.propose("a", command);
  cluster.settle();
  expect(cluster.raft("a").commitIndex).toBe(7);
  expect(cluster.raft("c").lastIndex).toBe(1);
  cluster.status();

  cluster.heartbeat("a");
  cluster.settle();
  expect(cluster.raft("c").lastIndex).toBe(7);
  cluster.status();
  await keepTranscript(cluster, "replicate-pause");
});

function sentTo(cluster: Cluster, to: MemberId): readonly unknown[] {
  return cluster.messages({ to, type: "append" });
}
