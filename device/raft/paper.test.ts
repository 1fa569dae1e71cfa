import { describe, expect, test } from "vitest";
import { createRandom } from "../random.ts";
import { simpleConfiguration } from "./configuration.ts";
import { accepted, aLeads, diskOf, electA, onlyA } from "./testing/absent-boards.ts";
import { Cluster } from "./testing/cluster.ts";
import type { RoleName } from "./types.ts";

const three = ["a", "b", "c"];

/** Board a in each role, in term 1 (a pre-candidate is in the term of its last leader). */
function inRole(role: RoleName): Cluster {
  const cluster = onlyA(three, { disks: { a: diskOf([], 1) } });
  if (role === "follower") {
    cluster.inject({ type: "append", from: "c", to: "a", term: 1, prevIndex: 0, prevTerm: 0, entries: [], commit: 0 });
  } else if (role === "leader") {
    electA(cluster, three);
  } else {
    cluster.timeout("a");
    if (role === "candidate") cluster.inject({ type: "preVoteReply", from: "b", to: "a", term: 2, granted: true });
  }
  cluster.drop();
  expect(cluster.raft("a").role).toBe(role);
  return cluster;
}

describe("terms (§3.3)", () => {
  test.each(["follower", "candidate", "leader"] as const)(
    "given a %s, when a message of a later term comes, then it joins that term as a follower",
    (role) => {
      const cluster = inRole(role);
      cluster.inject({
        type: "append",
        from: "b",
        to: "a",
        term: 5,
        prevIndex: 0,
        prevTerm: 0,
        entries: [],
        commit: 0,
      });
      expect(cluster.raft("a")).toMatchObject({ role: "follower", term: 5, leader: "b" });
      expect(cluster.board("a").disk.hardState.term).toBe(5);
    },
  );

  test("given a board in a later term, when a request of an earlier one comes, then it is refused with the present term", () => {
    const cluster = onlyA(three, { disks: { a: diskOf([], 4) } });
    cluster.inject({ type: "append", from: "b", to: "a", term: 3, prevIndex: 0, prevTerm: 0, entries: [], commit: 0 });
    cluster.inject({ type: "vote", from: "b", to: "a", term: 3, lastIndex: 0, lastTerm: 0, transfer: false });
    expect(cluster.messages()).toMatchObject([
      { type: "appendRejected", term: 4 },
      { type: "voteReply", term: 4, granted: false },
    ]);
  });
});

describe("elections (§3.4)", () => {
  test("given a board that starts, when nothing has happened, then it is a follower", () => {
    expect(onlyA(three).raft("a")).toMatchObject({ role: "follower", term: 0, leader: null });
  });

  test("given a leader, when a heartbeat's time passes, then it sends a heartbeat to every follower", () => {
    const cluster = aLeads(three);
    cluster.heartbeat("a");
    expect(cluster.messages().map(({ to, type }) => `${to} ${type}`)).toEqual(["b heartbeat", "c heartbeat"]);
  });

  test.each(["follower", "candidate"] as const)(
    "given a %s, when its timer runs out and a majority would vote for it, then it raises its term, votes for itself and asks everybody",
    (role) => {
      const cluster = inRole(role);
      const before = cluster.raft("a").term;
      cluster.timeout("a");
      cluster.drop();
      cluster.inject({ type: "preVoteReply", from: "b", to: "a", term: before + 1, granted: true });
      expect(cluster.raft("a")).toMatchObject({ role: "candidate", term: before + 1 });
      expect(cluster.board("a").disk.hardState).toEqual({ term: before + 1, votedFor: "a" });
      expect(cluster.messages({ type: "vote" }).map(({ to, term }) => `${to} ${term}`)).toEqual([
        `b ${before + 1}`,
        `c ${before + 1}`,
      ]);
    },
  );

  test.each([
    { size: 1, yes: 0, no: 0, role: "leader" },
    { size: 3, yes: 1, no: 0, role: "leader" },
    { size: 3, yes: 1, no: 1, role: "leader" },
    { size: 5, yes: 2, no: 0, role: "leader" },
    { size: 5, yes: 2, no: 2, role: "leader" },
    { size: 3, yes: 0, no: 2, role: "follower" },
    { size: 5, yes: 1, no: 3, role: "follower" },
    { size: 3, yes: 0, no: 0, role: "candidate" },
    { size: 5, yes: 1, no: 1, role: "candidate" },
  ])(
    "given $size voters, when $yes say yes and $no say no to a candidate, then it is a $role",
    ({ size, yes, no, role }) => {
      const ids = ["a", "b", "c", "d", "e"].slice(0, size);
      const others = ids.slice(1);
      const cluster = onlyA(ids);
      cluster.timeout("a");
      for (const from of others) {
        if (cluster.raft("a").role === "preCandidate") {
          cluster.inject({ type: "preVoteReply", from, to: "a", term: 1, granted: true });
        }
      }
      for (const from of others.slice(0, yes))
        cluster.inject({ type: "voteReply", from, to: "a", term: 1, granted: true });
      for (const from of others.slice(yes, yes + no)) {
        cluster.inject({ type: "voteReply", from, to: "a", term: 1, granted: false });
      }
      expect(cluster.raft("a").role).toBe(role);
    },
  );

  test.each([
    { voted: null, from: "b", granted: true },
    { voted: "b", from: "b", granted: true },
    { voted: "c", from: "b", granted: false },
  ])("given a vote for $voted in this term, when $from asks, then granted is $granted", ({ voted, from, granted }) => {
    const cluster = onlyA(three, { disks: { a: { ...diskOf([]), hardState: { term: 1, votedFor: voted } } } });
    cluster.inject({ type: "vote", from, to: "a", term: 1, lastIndex: 0, lastTerm: 0, transfer: false });
    expect(cluster.messages()).toMatchObject([{ type: "voteReply", granted }]);
  });

  test.each(["append", "heartbeat"] as const)(
    "given a candidate, when the %s of a leader of its own term comes, then it recognises the leader",
    (type) => {
      const cluster = inRole("candidate");
      const { term } = cluster.raft("a");
      if (type === "append")
        cluster.inject({ type, from: "b", to: "a", term, prevIndex: 0, prevTerm: 0, entries: [], commit: 0 });
      else cluster.inject({ type, from: "b", to: "a", term, commit: 0, match: 0, round: 1 });
      expect(cluster.raft("a")).toMatchObject({ role: "follower", term, leader: "b" });
    },
  );

  test.each(["follower", "candidate"] as const)(
    "given a %s, when its timer is set again and again, then its time-outs spread over the whole range",
    (role) => {
      const random = createRandom(`time-outs of a ${role}`);
      const cluster = onlyA(three, { random: () => random });
      const slots = new Set<number>();
      for (let each = 0; each < 600; each += 1) {
        if (role === "follower")
          cluster.inject({ type: "heartbeat", from: "b", to: "a", term: 1, commit: 0, match: 0, round: 1 });
        else cluster.timeout("a");
        const wait = cluster.raft("a").nextDeadline() - cluster.board("a").now;
        expect(wait).toBeGreaterThanOrEqual(300_000);
        expect(wait).toBeLessThan(600_000);
        slots.add(Math.floor((wait - 300_000) / 10_000));
      }
      expect(slots.size).toBe(30);
    },
  );

  test("given five boards with seeds of their own, when they start together, then their timers seldom run out within a heartbeat of each other", () => {
    let clashes = 0;
    for (let trial = 0; trial < 200; trial += 1) {
      const cluster = new Cluster({
        initial: simpleConfiguration(["a", "b", "c", "d", "e"]),
        random: (id) => createRandom(`trial ${trial}/${id}`),
      });
      const deadlines = [...cluster.boards.values()]
        .map(({ raft }) => raft.nextDeadline())
        .sort((one, other) => one - other);
      const [first = 0, second = 0] = deadlines;
      if (second - first < 5_000) clashes += 1;
    }
    expect(clashes).toBeLessThan(40);
  });
});

describe("replication (§3.5)", () => {
  test("given a leader, when a command is proposed, then it is appended and sent to all with what precedes it, and not committed", () => {
    const cluster = aLeads(three);
    for (const from of ["b", "c"]) cluster.inject(accepted(cluster, from, 1));
    cluster.drop();
    cluster.propose("a", "x");
    expect(cluster.raft("a")).toMatchObject({ lastIndex: 2, commitIndex: 1 });
    expect(cluster.messages()).toMatchObject(
      ["b", "c"].map((to) => ({
        to,
        type: "append",
        prevIndex: 1,
        prevTerm: 1,
        entries: [{ index: 2, data: "x" }],
        commit: 1,
      })),
    );
  });

  test("given an entry on a majority, when the leader hears it, then it commits and applies it, and tells the followers", () => {
    const cluster = aLeads(three);
    cluster.propose("a", "x");
    cluster.inject(accepted(cluster, "b", 2));
    expect(cluster.board("a").state).toEqual(["x"]);
    cluster.drop();
    cluster.propose("a", "y");
    expect(cluster.messages({ to: "b" })).toMatchObject([{ type: "append", commit: 2 }]);
  });

  test.each([
    { size: 1, acknowledged: 0, committed: true },
    { size: 3, acknowledged: 0, committed: false },
    { size: 3, acknowledged: 1, committed: true },
    { size: 3, acknowledged: 2, committed: true },
    { size: 5, acknowledged: 1, committed: false },
    { size: 5, acknowledged: 2, committed: true },
    { size: 5, acknowledged: 4, committed: true },
  ])(
    "given $size voters, when $acknowledged followers acknowledge, then committed is $committed",
    ({ size, acknowledged, committed }) => {
      const ids = ["a", "b", "c", "d", "e"].slice(0, size);
      const cluster = aLeads(ids);
      cluster.propose("a", "x");
      for (const from of ids.slice(1, 1 + acknowledged)) cluster.inject(accepted(cluster, from, 2));
      expect(cluster.raft("a").commitIndex === 2).toBe(committed);
    },
  );

  test.each([{ terms: [] }, { terms: [2] }, { terms: [1, 2] }, { terms: [1] }])(
    "given entries of terms $terms before it, when an entry of the leader's term is committed, then they are too",
    ({ terms }) => {
      const cluster = onlyA(three, { disks: { a: diskOf(terms, 2) } });
      electA(cluster, three);
      cluster.propose("a", "x");
      cluster.inject(accepted(cluster, "b", terms.length + 2));
      expect(cluster.board("a").state).toEqual([...terms.map((term, place) => `${place + 1}of${term}`), "x"]);
    },
  );

  test("given a follower, when it learns that entries are committed, then it applies them in the order of the log", () => {
    const cluster = onlyA(three);
    const entries = ["x", "y", "z"].map(
      (data, place) => ({ kind: "command", index: place + 1, term: 1, data }) as const,
    );
    const append = { type: "append", from: "b", to: "a", term: 1 } as const;
    cluster.inject({ ...append, prevIndex: 0, prevTerm: 0, entries, commit: 1 });
    expect(cluster.board("a").state).toEqual(["x"]);
    cluster.inject({ ...append, prevIndex: 3, prevTerm: 1, entries: [], commit: 3 });
    expect(cluster.board("a").state).toEqual(["x", "y", "z"]);
  });

  test.each([
    { prev: [0, 0], accepted: true },
    { prev: [1, 1], accepted: true },
    { prev: [2, 2], accepted: true },
    { prev: [1, 2], accepted: false },
    { prev: [2, 1], accepted: false },
    { prev: [3, 3], accepted: false },
  ])(
    "given a log of 1/1 2/2, when an append starts after $prev, then accepted is $accepted",
    ({ prev, accepted: isAccepted }) => {
      const cluster = onlyA(three, { disks: { a: diskOf([1, 2], 2) } });
      const [prevIndex = 0, prevTerm = 0] = prev;
      cluster.inject({ type: "append", from: "b", to: "a", term: 2, prevIndex, prevTerm, entries: [], commit: 0 });
      expect(cluster.messages()).toMatchObject([
        isAccepted
          ? { type: "appendAccepted", matchIndex: prevIndex }
          : { type: "appendRejected", prevIndex, lastIndex: 2 },
      ]);
    },
  );

  test.each([
    { after: 2, sent: [3], log: [1, 2, 3] },
    { after: 1, sent: [3, 4], log: [1, 3, 4] },
    { after: 0, sent: [1], log: [1, 2] },
    { after: 0, sent: [3], log: [3] },
  ])(
    "given a log of terms 1 2, when entries of terms $sent come after $after, then its terms are $log, and only what changed is saved",
    ({ after, sent, log }) => {
      const cluster = onlyA(three, { disks: { a: diskOf([1, 2], 4) } });
      const entries = sent.map((term, place) => ({ kind: "empty", index: after + 1 + place, term }) as const);
      cluster.inject({
        type: "append",
        from: "b",
        to: "a",
        term: 4,
        prevIndex: after,
        prevTerm: after,
        entries,
        commit: 0,
      });
      expect(cluster.board("a").disk.log.entries.map(({ term }) => term)).toEqual(log);
      expect(cluster.raft("a").lastIndex).toBe(log.length);
    },
  );

  test("given each of the followers of Figure 7, when the leader of term 8 goes on, then its log becomes the leader's", () => {
    const leader = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
    const followers = [
      [1, 1, 1, 4, 4, 5, 5, 6, 6],
      [1, 1, 1, 4],
      [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
      [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
      [1, 1, 1, 4, 4, 4, 4],
      [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
    ];
    for (const follower of followers) {
      const disks = { a: diskOf(leader, 7), b: diskOf(follower, 7) };
      const cluster = new Cluster({ initial: simpleConfiguration(three), boards: ["a", "b"], disks });
      cluster.isolate("b");
      electA(cluster, ["a", "c"]);
      cluster.heal();
      cluster.heartbeat("a");
      cluster.settle();
      expect(cluster.board("b").disk.log).toEqual(cluster.board("a").disk.log);
    }
  });
});

describe("safety (§3.6)", () => {
  test("given a candidate, when it asks for votes, then it says where its log ends", () => {
    const cluster = onlyA(three, { disks: { a: diskOf([1, 1, 2], 2) } });
    cluster.timeout("a");
    cluster.inject({ type: "preVoteReply", from: "b", to: "a", term: 3, granted: true });
    expect(cluster.messages({ to: "b" })).toMatchObject([
      { type: "preVote", term: 3, lastIndex: 3, lastTerm: 2 },
      { type: "vote", term: 3, lastIndex: 3, lastTerm: 2, transfer: false },
    ]);
  });

  test("given a voter with a more up-to-date log, when a candidate asks, then it is refused; given the same or less, it is granted", () => {
    const cases = [
      { own: [1], candidate: { lastIndex: 1, lastTerm: 1 }, granted: true },
      { own: [1, 1], candidate: { lastIndex: 1, lastTerm: 1 }, granted: false },
      { own: [2], candidate: { lastIndex: 2, lastTerm: 1 }, granted: false },
      { own: [1, 1], candidate: { lastIndex: 1, lastTerm: 2 }, granted: true },
    ];
    for (const { own, candidate, granted } of cases) {
      const cluster = onlyA(three, { disks: { a: diskOf(own, 2) } });
      cluster.inject({ type: "vote", from: "b", to: "a", term: 3, ...candidate, transfer: false });
      expect(cluster.messages()).toMatchObject([{ type: "voteReply", granted }]);
    }
  });

  test("given entries of earlier terms, when a majority holds them, then only an entry of the present term commits them (Figure 8)", () => {
    const cluster = onlyA(three, { disks: { a: diskOf([1, 2], 2) } });
    electA(cluster, three);
    for (const [matchIndex, committed] of [
      [1, 0],
      [2, 0],
      [3, 3],
    ] as const) {
      cluster.inject(accepted(cluster, "b", matchIndex));
      expect(cluster.raft("a").commitIndex).toBe(committed);
    }
  });
});
