import { describe, expect, test } from "vitest";
import { simpleConfiguration } from "./configuration.ts";
import { accepted, aLeads, diskOf, onlyA } from "./testing/absent-boards.ts";
import { Cluster } from "./testing/cluster.ts";
import type { Append, Entry } from "./types.ts";

const three = ["a", "b", "c"];
const initial = simpleConfiguration(three);

function command(index: number, term: number): Entry {
  return { kind: "command", index, term, data: `${index}of${term}` };
}

/** An append to a by b, the leader of term 2. */
function appendByB(prevIndex: number, prevTerm: number, entries: readonly Entry[], commit = 0, term = 2): Append {
  return { type: "append", from: "b", to: "a", term, prevIndex, prevTerm, entries, commit };
}

describe("replicating and committing", () => {
  test("given proposals, when messages go their way, then every board applies the same commands in the same order", () => {
    const cluster = new Cluster({ initial });
    cluster.elect("a");
    for (const data of ["x=1", "x=2", "x=3"]) cluster.propose("a", data);
    cluster.settle();
    cluster.heartbeat("a");
    cluster.settle();
    for (const { state } of cluster.boards.values()) expect(state).toEqual(["x=1", "x=2", "x=3"]);
  });

  test("given a new leader, when it proposes and another is elected after it, then both terms' commands are applied by all", () => {
    const cluster = new Cluster({ initial });
    cluster.elect("a");
    cluster.propose("a", "by a");
    cluster.settle();
    cluster.elect("b");
    cluster.propose("b", "by b");
    cluster.settle();
    cluster.heartbeat("b");
    cluster.settle();
    for (const { state } of cluster.boards.values()) expect(state).toEqual(["by a", "by b"]);
  });

  test("given a board that does not lead, when something is proposed to it, then it refuses and nothing happens", () => {
    const cluster = new Cluster({ initial });
    cluster.elect("a");
    expect(cluster.propose("b", "x")).toEqual({ ok: false, reason: "this board does not lead" });
    expect(cluster.messages()).toEqual([]);
  });

  test("given entries of old terms on a majority, when only they are counted, then they are not committed before one of this term is", () => {
    const cluster = new Cluster({ initial: simpleConfiguration(["a", "b", "c", "d", "e"]) });
    cluster.elect("a");
    for (const id of ["c", "d", "e"]) cluster.isolate(id);
    cluster.propose("a", "x=1");
    cluster.propose("a", "x=2");
    cluster.settle();
    expect(cluster.raft("a").commitIndex).toBe(1);
    cluster.heal();
    cluster.drop();
    cluster.quietly(() => {
      cluster.crash("a");
      for (const id of ["c", "d", "e"]) cluster.pass(id, 300);
      cluster.timeout("b");
      cluster.settle({ type: "preVote" });
      cluster.settle({ type: "preVoteReply" });
      cluster.settle({ type: "vote" });
      cluster.settle({ type: "voteReply" });
    });
    cluster.drop();
    expect(cluster.raft("b")).toMatchObject({ role: "leader", lastIndex: 4, commitIndex: 1 });
    for (const from of ["c", "d"]) {
      cluster.inject({ type: "appendAccepted", from, to: "b", term: 2, matchIndex: 3 });
    }
    expect(cluster.raft("b").commitIndex).toBe(1);
    for (const from of ["c", "d"]) {
      cluster.inject({ type: "appendAccepted", from, to: "b", term: 2, matchIndex: 4 });
    }
    expect(cluster.raft("b").commitIndex).toBe(4);
    expect(cluster.board("b").state).toEqual(["x=1", "x=2"]);
  });

  test.each([
    { voters: 1, matches: [], committed: 2 },
    { voters: 3, matches: [0, 0], committed: 0 },
    { voters: 3, matches: [2, 0], committed: 2 },
    { voters: 3, matches: [1, 2], committed: 2 },
    { voters: 4, matches: [2, 1, 0], committed: 1 },
    { voters: 4, matches: [2, 2, 0], committed: 2 },
    { voters: 5, matches: [2, 2, 0, 0], committed: 2 },
    { voters: 5, matches: [2, 1, 0, 0], committed: 1 },
  ])(
    "given $voters voters of whom the others match $matches, then $committed are committed",
    ({ voters, matches, committed }) => {
      const ids = ["a", "b", "c", "d", "e"].slice(0, voters);
      const cluster = aLeads(ids);
      cluster.propose("a", "x");
      for (const [place, match] of matches.entries()) {
        const from = ids[place + 1];
        if (from !== undefined && match > 0) cluster.inject(accepted(cluster, from, match));
      }
      expect(cluster.raft("a").commitIndex).toBe(committed);
    },
  );

  test("given a proposal that is too large, when too much waits, or while leadership passes on, then it is refused with the reason", () => {
    const cluster = aLeads(three, { options: { entryBytesMax: 100, uncommittedBytesMax: 200 } });
    expect(cluster.propose("a", "x".repeat(101))).toMatchObject({
      reason: "the command has 101 bytes; 100 is the most",
    });
    expect(cluster.propose("a", "x".repeat(100)).ok).toBe(true);
    expect(cluster.propose("a", "x".repeat(100))).toMatchObject({ reason: "132 bytes wait to be committed already" });
    cluster.inject(accepted(cluster, "b", 2));
    expect(cluster.propose("a", "x".repeat(100)).ok).toBe(true);
    cluster.transfer("a", "b");
    expect(cluster.propose("a", "x")).toMatchObject({ reason: "leadership is passing to b" });
  });

  test("given one command larger than the bound of what may wait, when nothing else waits, then it is taken all the same", () => {
    const cluster = aLeads(three, { options: { uncommittedBytesMax: 10 } });
    expect(cluster.propose("a", "x".repeat(50)).ok).toBe(true);
    expect(cluster.propose("a", "x").ok).toBe(false);
  });
});

describe("a follower and appends", () => {
  test.each([
    { about: "an entry before it that is missing", prev: [3, 2], entries: [], end: [2, 2], answer: "appendRejected" },
    { about: "another term before it", prev: [2, 1], entries: [], end: [2, 2], answer: "appendRejected" },
    { about: "nothing new", prev: [2, 2], entries: [], end: [2, 2], answer: "appendAccepted" },
    { about: "one entry more", prev: [2, 2], entries: [2], end: [3, 2], answer: "appendAccepted" },
    { about: "an entry in place of another", prev: [1, 1], entries: [3], end: [2, 3], answer: "appendAccepted" },
    { about: "the whole log anew", prev: [0, 0], entries: [3], end: [1, 3], answer: "appendAccepted" },
    { about: "what it has already", prev: [0, 0], entries: [1], end: [2, 2], answer: "appendAccepted" },
  ] as const)(
    "given a log of 1/1 2/2, when an append has $about, then the log ends at $end",
    ({ prev, entries, end, answer }) => {
      const cluster = onlyA(three, { disks: { a: diskOf([1, 2], 2) } });
      const sent = entries.map((term, place) => command(prev[0] + 1 + place, term));
      cluster.inject(appendByB(prev[0], prev[1], sent, 0, 3));
      expect([cluster.raft("a").lastIndex, cluster.raft("a").lastTerm]).toEqual(end);
      expect(cluster.messages({ to: "b" })).toMatchObject([{ type: answer }]);
    },
  );

  test.each([
    { commit: 1, entries: 2, committed: 1 },
    { commit: 2, entries: 1, committed: 1 },
    { commit: 2, entries: 2, committed: 2 },
    { commit: 9, entries: 2, committed: 2 },
    { commit: 9, entries: 0, committed: 0 },
  ])(
    "given $entries entries and the leader's commit index $commit, then a follower with a longer log commits $committed",
    ({ commit, entries, committed }) => {
      const cluster = onlyA(three, { disks: { a: diskOf([1, 1, 1, 1], 2) } });
      const sent = [command(1, 1), command(2, 1)].slice(0, entries);
      cluster.inject(appendByB(0, 0, sent, commit));
      expect(cluster.raft("a").commitIndex).toBe(committed);
      expect(cluster.raft("a").lastIndex).toBe(4);
    },
  );

  test("given appends in any order and repeated, when a shorter one comes after a longer one, then nothing acknowledged is lost", () => {
    const cluster = onlyA(three);
    const [one, two, three_] = [command(1, 2), command(2, 2), command(3, 2)];
    cluster.inject(appendByB(0, 0, [one, two, three_], 1));
    cluster.inject(appendByB(0, 0, [one]));
    cluster.inject(appendByB(1, 2, [two]));
    cluster.inject(appendByB(0, 0, []));
    expect(cluster.raft("a")).toMatchObject({ lastIndex: 3, commitIndex: 1 });
    const matches = cluster
      .messages({ type: "appendAccepted" })
      .map((message) => "matchIndex" in message && message.matchIndex);
    expect(matches).toEqual([3, 1, 2, 0]);
  });

  test("given messages in reverse order, when the leader and followers go on, then all logs end alike", () => {
    const cluster = new Cluster({ initial });
    cluster.elect("a");
    for (let each = 1; each <= 5; each += 1) cluster.propose("a", `x=${each}`);
    while (cluster.queue.length > 0) cluster.deliverAt(cluster.queue.length - 1);
    cluster.heartbeat("a");
    while (cluster.queue.length > 0) cluster.deliverAt(cluster.queue.length - 1);
    cluster.heartbeat("a");
    cluster.settle();
    for (const { raft, state } of cluster.boards.values()) {
      expect(raft.lastIndex).toBe(6);
      expect(state).toHaveLength(5);
    }
  });

  test("given acknowledgements in reverse order, when the last one comes first, then the leader's knowledge does not go back", () => {
    const cluster = aLeads(three);
    cluster.propose("a", "x");
    cluster.propose("a", "y");
    for (const match of [3, 2, 1]) cluster.inject(accepted(cluster, "b", match));
    expect(cluster.raft("a")).toMatchObject({ commitIndex: 3 });
    expect(cluster.raft("a").followers()[0]).toMatchObject({ matchIndex: 3 });
  });

  test("given a leader of an earlier term, when its late append or heartbeat comes, then it is not taken and the sender is told", () => {
    const cluster = onlyA(three, { disks: { a: diskOf([1, 2], 3) } });
    cluster.inject(appendByB(0, 0, [command(1, 2)], 1, 2));
    cluster.inject({ type: "heartbeat", from: "b", to: "a", term: 2, commit: 2, match: 2, round: 1 });
    expect(cluster.messages()).toMatchObject([
      { type: "appendRejected", term: 3 },
      { type: "appendRejected", term: 3 },
    ]);
    expect(cluster.raft("a")).toMatchObject({ commitIndex: 0, lastIndex: 2, leader: null });
  });

  test("given replies of an earlier leadership of the same board, when they come late, then they count for nothing in this one", () => {
    const cluster = aLeads(three);
    cluster.propose("a", "x");
    const late = accepted(cluster, "b", 2);
    cluster.pass("a", 300);
    expect(cluster.raft("a").role).toBe("follower");
    cluster.timeout("a");
    for (const type of ["preVoteReply", "voteReply"] as const) {
      cluster.inject({ type, from: "b", to: "a", term: 2, granted: true });
    }
    cluster.inject(late);
    expect(cluster.raft("a")).toMatchObject({ role: "leader", term: 2, commitIndex: 0 });
    expect(cluster.raft("a").followers()[0]).toMatchObject({ matchIndex: 0 });
  });

  test("given an append that starts below what is compacted here, when it comes, then the follower says how far it is committed", () => {
    const cluster = onlyA(three);
    cluster.inject(
      appendByB(
        0,
        0,
        [1, 2, 3].map((index) => command(index, 2)),
        3,
      ),
    );
    cluster.compact("a");
    cluster.drop();
    cluster.inject(appendByB(1, 2, [command(2, 2), command(3, 2), command(4, 2)], 3));
    expect(cluster.messages()).toMatchObject([{ type: "appendAccepted", matchIndex: 3 }]);
    expect(cluster.raft("a").lastIndex).toBe(3);
  });

  test("given a committed entry, when an append contradicts it, then the board stops and says so", () => {
    const cluster = onlyA(three);
    cluster.inject(appendByB(0, 0, [command(1, 1)], 1));
    expect(() => cluster.inject(appendByB(0, 0, [command(1, 2)], 1))).toThrow(
      "committed entries are never overwritten",
    );
  });

  test("given a heartbeat that counts on more than the log holds, when it comes, then the board stops and says so", () => {
    const cluster = onlyA(three, { disks: { a: diskOf([1], 2) } });
    expect(() =>
      cluster.inject({ type: "heartbeat", from: "b", to: "a", term: 2, commit: 2, match: 2, round: 1 }),
    ).toThrow("acknowledged entries are never lost");
  });

  test("given a second leader in one term, when it speaks to the first, then the board stops and says so", () => {
    const cluster = aLeads(three);
    expect(() => cluster.inject(appendByB(0, 0, [], 0, 1))).toThrow("a term has one leader");
  });

  test("given an overwritten configuration, when its entry is dropped, then the one before is in force again", () => {
    const cluster = onlyA(three);
    const changed = simpleConfiguration(["a", "b", "c", "d"]);
    cluster.inject(
      appendByB(0, 0, [command(1, 1), { kind: "configuration", index: 2, term: 1, configuration: changed }], 0, 1),
    );
    expect(cluster.raft("a").configuration).toEqual(changed);
    cluster.inject({ ...appendByB(1, 1, [command(2, 2)]), from: "c" });
    expect(cluster.raft("a").configuration).toEqual(initial);
  });
});
