import { describe, expect, test } from "vitest";
import { simpleConfiguration } from "./configuration.ts";
import { beginProbe, beginReplicate, beginSnapshot, createProgress, noteMatch } from "./progress.ts";
import { accepted, aLeads } from "./testing/absent-boards.ts";
import type { Cluster } from "./testing/cluster.ts";
import type { Append } from "./types.ts";

const three = ["a", "b", "c"];

function appendsToB(cluster: Cluster): readonly Append[] {
  return cluster.messages({ to: "b" }).filter((message): message is Append => message.type === "append");
}

/** b's answer to a heartbeat, an interval after what was sent last. */
function heartbeatHeard(cluster: Cluster): void {
  cluster.heartbeat("a");
  cluster.drop({ type: "heartbeat" });
  cluster.inject({ type: "heartbeatReply", from: "b", to: "a", term: cluster.raft("a").term, round: 1 });
}

describe("what a leader knows of a follower", () => {
  test("knowledge grows and never shrinks, and what is answered is no longer in flight", () => {
    const progress = createProgress("b", 4, 0);
    noteMatch(progress, 3);
    beginReplicate(progress);
    expect(progress).toMatchObject({ matchIndex: 3, nextIndex: 4 });
    if (progress.sending.mode !== "replicate") throw new Error("it replicates");
    progress.sending.inFlight.push({ lastIndex: 5, bytes: 10, sentAt: 0 }, { lastIndex: 7, bytes: 20, sentAt: 0 });
    progress.sending.bytesInFlight = 30;
    progress.nextIndex = 8;
    noteMatch(progress, 6);
    expect(progress).toMatchObject({ matchIndex: 6, nextIndex: 8, sending: { bytesInFlight: 20 } });
    noteMatch(progress, 2);
    expect(progress).toMatchObject({ matchIndex: 6, nextIndex: 8 });
    noteMatch(progress, 9);
    expect(progress).toMatchObject({ matchIndex: 9, nextIndex: 10, sending: { bytesInFlight: 0, inFlight: [] } });
  });

  test("a probe starts where it is told, but never below what is known to agree", () => {
    const progress = createProgress("b", 9, 0);
    noteMatch(progress, 4);
    beginProbe(progress, 2);
    expect(progress).toMatchObject({ nextIndex: 5, sending: { mode: "probe", askedAt: null } });
    beginProbe(progress, 7);
    expect(progress.nextIndex).toBe(7);
  });

  test("a snapshot starts at its first byte", () => {
    const progress = createProgress("b", 1, 0);
    beginSnapshot(progress, { index: 5, term: 1, configuration: simpleConfiguration(["a"]), data: "xyz" }, 7);
    expect(progress.sending).toMatchObject({ mode: "snapshot", offset: 0, sentAt: 7, advancedAt: 7 });
  });
});

describe("probing", () => {
  test("given a new leader, when more is proposed before the first answer, then one question stays one question", () => {
    const cluster = aLeads(three);
    cluster.propose("a", "x");
    cluster.propose("a", "y");
    expect(appendsToB(cluster)).toEqual([]);
    cluster.inject(accepted(cluster, "b", 1));
    expect(appendsToB(cluster)).toMatchObject([{ prevIndex: 1, entries: [{ data: "x" }, { data: "y" }] }]);
  });

  test("given a question without an answer, when heartbeats are answered, then it is asked once in a heartbeat's time", () => {
    const cluster = aLeads(three);
    heartbeatHeard(cluster);
    expect(appendsToB(cluster)).toHaveLength(1);
    cluster.inject({ type: "heartbeatReply", from: "b", to: "a", term: 1, round: 1 });
    expect(appendsToB(cluster)).toHaveLength(1);
    heartbeatHeard(cluster);
    expect(appendsToB(cluster)).toHaveLength(2);
  });

  test("given a follower that was never heard, when time passes, then it is sent heartbeats and nothing else", () => {
    const cluster = aLeads(three);
    for (let each = 0; each < 4; each += 1) {
      cluster.propose("a", "x");
      cluster.heartbeat("a");
      cluster.inject({ type: "heartbeatReply", from: "c", to: "a", term: 1, round: each });
    }
    expect(cluster.messages({ to: "b" }).map(({ type }) => type)).toEqual(Array.from({ length: 4 }, () => "heartbeat"));
  });
});

describe("sending ahead", () => {
  test("given a follower that agrees, when entries are proposed one by one, then each is sent at once, after the one before", () => {
    const cluster = aLeads(three);
    cluster.inject(accepted(cluster, "b", 1));
    for (const data of ["x", "y", "z"]) cluster.propose("a", data);
    expect(appendsToB(cluster).map(({ prevIndex }) => prevIndex)).toEqual([1, 2, 3]);
  });

  test("given as much in flight as may be, when more is proposed, then nothing is sent", () => {
    const cluster = aLeads(three, { options: { inFlightAppendsMax: 2 } });
    cluster.inject(accepted(cluster, "b", 1));
    for (const data of ["1", "2", "3", "4", "5"]) cluster.propose("a", data);
    expect(appendsToB(cluster)).toHaveLength(2);
  });

  test("given a full window, when the first append is answered, then one more goes out, with all that waits", () => {
    const cluster = aLeads(three, { options: { inFlightAppendsMax: 2 } });
    cluster.inject(accepted(cluster, "b", 1));
    for (const data of ["1", "2", "3", "4", "5"]) cluster.propose("a", data);
    cluster.inject(accepted(cluster, "b", 2));
    expect(appendsToB(cluster).map(({ entries }) => entries.length)).toEqual([1, 1, 3]);
    cluster.inject(accepted(cluster, "b", 2));
    expect(appendsToB(cluster)).toHaveLength(3);
  });

  test("given a full window, when a heartbeat is answered and an answer is overdue, then the leader asks anew with one append", () => {
    const cluster = aLeads(three, { options: { inFlightAppendsMax: 2 } });
    cluster.inject(accepted(cluster, "b", 1));
    for (const data of ["1", "2", "3"]) cluster.propose("a", data);
    cluster.drop();
    heartbeatHeard(cluster);
    expect(appendsToB(cluster)).toMatchObject([
      { prevIndex: 1, entries: [{ data: "1" }, { data: "2" }, { data: "3" }] },
    ]);
    expect(cluster.raft("a").followers()[0]).toMatchObject({ sending: "probe" });
  });

  test("given a bound in bytes, when large commands are proposed, then no more than that plus one append is in flight", () => {
    const cluster = aLeads(three, { options: { inFlightBytesMax: 250, appendBytesMax: 150 } });
    cluster.inject(accepted(cluster, "b", 1));
    for (let each = 0; each < 9; each += 1) cluster.propose("a", "x".repeat(100));
    expect(appendsToB(cluster)).toHaveLength(2);
    cluster.inject(accepted(cluster, "b", 3));
    expect(appendsToB(cluster)).toHaveLength(4);
  });

  test("given many entries, when they are sent, then no append carries more entries or bytes than it may", () => {
    const cluster = aLeads(three, { options: { appendEntriesMax: 2 } });
    for (const data of ["1", "2", "3"]) cluster.propose("a", data);
    cluster.inject(accepted(cluster, "b", 1));
    expect(appendsToB(cluster).map(({ entries }) => entries.length)).toEqual([2, 1]);
  });

  test("given a lost append, when a later one is refused, then the leader asks where the follower's log ends", () => {
    const cluster = aLeads(three);
    cluster.inject(accepted(cluster, "b", 1));
    cluster.propose("a", "lost");
    cluster.propose("a", "refused");
    cluster.drop();
    cluster.inject({
      type: "appendRejected",
      from: "b",
      to: "a",
      term: 1,
      prevIndex: 2,
      conflictTerm: 1,
      conflictIndex: 1,
      lastIndex: 1,
    });
    expect(appendsToB(cluster)).toMatchObject([{ prevIndex: 1, entries: [{ data: "lost" }, { data: "refused" }] }]);
  });

  test("given heartbeats, when they tell the commit index, then they tell each follower how far it is known to agree", () => {
    const cluster = aLeads(three);
    cluster.propose("a", "x");
    cluster.inject(accepted(cluster, "b", 2));
    cluster.drop();
    cluster.heartbeat("a");
    expect(cluster.messages({ type: "heartbeat" })).toMatchObject([
      { to: "b", commit: 2, match: 2 },
      { to: "c", commit: 2, match: 0 },
    ]);
  });

  test("given a follower that was sent something lately, when another's heartbeat is due, then only that one gets it", () => {
    const cluster = aLeads(three);
    cluster.inject(accepted(cluster, "b", 1));
    cluster.pass("a", 30);
    cluster.propose("a", "x");
    cluster.drop();
    cluster.pass("a", 20);
    expect(cluster.messages().map(({ to, type }) => `${to} ${type}`)).toEqual(["c heartbeat"]);
  });
});
