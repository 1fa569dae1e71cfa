import { describe, expect, it } from "vitest";
import type { PeerMessage } from "../../device/transport/protocol.ts";
import { type SimulatedBench, type SimulateOptions, simulate } from "../harness.ts";
import { mutantNamed } from "../mutants.ts";

const write = (value: number) => ({ op: "write", key: "x", value }) as const;
const read = { op: "read", key: "x" } as const;

/** The laws with one broken: under them a scenario shows that it really produces the fault. */
function lawsOf(mutant: string) {
  const laws = mutantNamed(mutant)?.laws;
  if (laws === undefined) throw new Error(`There is no mutant ${mutant}.`);
  return laws;
}

/** The result of an operation, or how else it ended. */
function resultOf(bench: SimulatedBench, pending: ReturnType<SimulatedBench["begin"]>): unknown {
  const outcome = bench.outcome(pending);
  return outcome.type === "ok" ? outcome.result : outcome.type;
}

/** With direct wiring: the cable by which clients reach a board. */
function deskOf(board: string): string {
  return `desk-${board.slice("pi-".length)}`;
}

/** Time-outs so much alike that an election is over before the old leader, with its slow clock, resigns by itself. */
const alike = { heartbeatUs: 20_000, electionTimeoutMinUs: 300_000, electionTimeoutMaxUs: 310_000 };

describe("faults met in the field: disks", () => {
  it("given a leader whose disk stalls, when clients write, then they are served: by its followers' disks, or by a successor", () => {
    const bench = simulate();
    const { board } = bench.expectReady();
    bench.stallDisk(board);
    for (let value = 1; value <= 20; value += 1) {
      bench.expectAnswer(write(value), { within: "2s" });
      bench.advance("500ms");
    }
    bench.healDisk(board);
    bench.expectAgreement();
  });

  it("given a leader whose disk is full, when a client writes, then it stops rather than lead on, and another serves", () => {
    const bench = simulate();
    const { board } = bench.expectReady();
    bench.fillDisk(board);
    bench.expectAnswer(write(1), { within: "3s" });
    bench.expectAnswer(write(2), { within: "3s" });
    expect(bench.expectOneLeader().board).not.toBe(board);
    bench.healDisk(board);
    bench.expectAgreement(bench.boards);
  });

  /** A follower has entries that only its old leader had, and hears of commits before its slow disk has the right ones. */
  function hearOfCommitsBeforeWriting(options: SimulateOptions): void {
    const bench = simulate({ wiring: "direct", timeout: "200ms", ...options });
    const { board: leader } = bench.expectReady();
    const clients = bench.world.clients.map(({ name }) => name);
    for (const client of clients) bench.expectAnswer(write(1), { client });
    const [friend = "", ...majority] = bench.others(leader);
    bench.partition([leader, friend], majority);
    for (const pending of clients.map((client) => bench.begin(write(2), { client }))) bench.outcome(pending);
    expect(bench.log(friend).filter(({ committed }) => !committed)).toHaveLength(clients.length);
    bench.expectOneLeader({ among: majority });
    bench.advance("1s");
    for (const client of clients) for (const value of [3, 4]) bench.expectAnswer(write(value), { client });
    bench.slowDisk(friend, 500);
    bench.heal(leader, friend);
    bench.expectAgreement();
    expect(bench.committedCommands(friend)).not.toContainEqual(write(2));
  }

  it("given wrong entries and a slow disk, when heartbeats come before the right entries are written, then no wrong one is committed", () => {
    hearOfCommitsBeforeWriting({});
    const laws = lawsOf("commits-beyond-what-was-verified");
    expect(() => hearOfCommitsBeforeWriting({ laws })).toThrow(/^Broken by pi-\d: /);
  });

  it("given clients that write all the time and a log kept short, when a board needs a snapshot, then one is enough and costs its size", () => {
    let snapshotBytes = 0;
    const snapshots = new Set<number>();
    const count = (message: PeerMessage): void => {
      if (message.type !== "snapshot") return;
      snapshotBytes += message.data.length;
      snapshots.add(message.snapshotIndex);
    };
    const bench = simulate({
      boards: 3,
      overhear: count,
      workload: { operationsPerSecond: 200, mix: { read: 0, write: 1, cas: 0, append: 0, add: 0, delete: 0 } },
      raft: { snapshotChunkBytes: 512 },
      replica: { snapshotAfterEntries: 20, trailingEntries: 5 },
    });
    const { board: leader } = bench.expectReady();
    const [follower = ""] = bench.others(leader);
    for (let key = 1; key <= 100; key += 1) {
      bench.expectAnswer({ op: "write", key: `large${key}`, value: "x".repeat(1_000) });
    }
    bench.cut(follower);
    bench.work();
    bench.advance("1s");
    bench.heal(follower);
    bench.advance("3s");
    // While so many pieces are on their way, more entries are written than the log keeps: it must wait for this follower.
    expect(snapshots.size).toBe(1);
    expect(snapshotBytes).toBeGreaterThan(100_000);
    expect(snapshotBytes).toBeLessThan(130_000);
    expect(bench.status(follower)?.appliedIndex).toBeGreaterThan((bench.status(leader)?.appliedIndex ?? 0) - 20);
    bench.rest();
    bench.expectAgreement(bench.boards);
  });

  it("given a board that lost its disk, when it is back, then it gives no second vote, and is a voter again only once it has the log", () => {
    const bench = simulate({ boards: 3 });
    const { board: leader } = bench.expectReady();
    const [wiped = "", behind = ""] = bench.others(leader);
    bench.cut(behind);
    bench.expectAnswer(write(1));
    bench.wipe(wiped);
    bench.cut(leader);
    bench.heal(behind);
    bench.restart(wiped);
    // The only other board lacks the write: with the old identity's vote it would lead, and lose it.
    bench.expectNoLeader({ among: [wiped, behind], lasting: "10s" });
    bench.heal(leader);
    expect(bench.expectAnswer(read)).toBe(1);
    bench.expectMembers(bench.boards);
    bench.expectAgreement(bench.boards);
    expect(bench.status(wiped)?.member).not.toBe(wiped);
  });
});

describe("faults met in the field: reads", () => {
  /**
   * A leader whose clock is slow stands still just when answers to its heartbeat are on their way; another leads, and a
   * write is answered. Then the first goes on, finds those old answers and a new read, and can ask nobody.
   */
  function readAtThePaused(options: SimulateOptions): unknown {
    const heard: PeerMessage[] = [];
    const overhear = (message: PeerMessage) => message.type === "heartbeat" && heard.push(message);
    const bench = simulate({ boards: 3, wiring: "direct", timeout: "1s", overhear, ...options });
    const { board: old } = bench.expectReady();
    for (const client of ["c1", "c2"]) bench.expectAnswer(write(1), { client });
    bench.drift(old, -450_000);
    heard.length = 0;
    bench.world.runUntilTrue(() => heard.length === 2, 1_000_000);
    bench.advance(400);
    bench.pause(old);
    bench.isolate(old);
    bench.expectOneLeader({ among: bench.others(old) });
    bench.advance("5ms");
    bench.expectAnswer(write(2), { client: "c1", within: "50ms" });
    bench.cut(...bench.others(old).map(deskOf));
    const pending = bench.begin(read, { client: "c2" });
    bench.advance("5ms");
    bench.resume(old);
    return resultOf(bench, pending);
  }

  it("given a leader that stood still while another led, when it goes on and is asked, then it asks a majority and does not answer", () => {
    expect(readAtThePaused({ raft: alike })).toBe("fail");
    const laws = lawsOf("reads-at-an-old-leader-without-asking");
    expect(() => readAtThePaused({ raft: alike, laws })).toThrow(/a read sees what was committed before it/);
  });

  it("given a leader that stood still past its lease, when it goes on and is asked, then it does not answer by it", () => {
    const options: SimulateOptions = {
      raft: { ...alike, leaseReads: true, clockDriftMaxPpm: 450_000 },
      reads: "lease",
    };
    expect(readAtThePaused(options)).toBe("fail");
    const laws = lawsOf("leases-that-ignore-clock-drift");
    expect(() => readAtThePaused({ ...options, laws })).toThrow(
      // Which of the two comes first depends on whether it is asked before the next leader is elected or after.
      /a lease excludes other leaders|a read sees what was committed before it/,
    );
  });

  /** A write is answered, but its followers do not hear that it is committed before they have to elect another leader. */
  function readAtTheNew(options: SimulateOptions): unknown {
    const bench = simulate({ boards: 3, wiring: "direct", ...options });
    const { board: old } = bench.expectReady();
    for (const client of ["c1", "c2"]) bench.expectAnswer(write(1), { client });
    bench.expectCommitted();
    const [one = "", other = ""] = bench.others(old);
    // So that the answer comes by the old leader's own broker, which the client still reaches.
    bench.cut(deskOf(one), deskOf(other));
    const end = bench.log(old).length;
    const pending = bench.begin(write(2), { client: "c1" });
    // The entry is on its way by then; what the leader says after it gets lost.
    bench.world.runUntilTrue(() => bench.log(old).length > end, 1_000_000);
    for (const follower of [one, other]) bench.oneWay({ from: old, to: follower });
    expect(bench.outcome(pending).type).toBe("ok");
    bench.powerCut(old);
    bench.heal(deskOf(one), deskOf(other));
    for (const follower of [one, other]) expect(bench.peek(follower, "x")).toBe(1);
    const { board: next } = bench.expectOneLeader({ among: [one, other] });
    // Heartbeats are answered from memory, but entries are committed from disks.
    bench.slowDisk(next === one ? other : one, 200);
    bench.advance("5ms");
    return bench.expectAnswer(read, { client: "c2" });
  }

  it("given a new leader that does not know what is committed, when it is asked, then it waits for its first entry", () => {
    expect(readAtTheNew({})).toBe(2);
    const laws = lawsOf("reads-at-a-new-leader-before-its-first-commit");
    expect(() => readAtTheNew({ laws })).toThrow(/a read sees what was committed before it/);
  });
});

describe("faults met in the field: networks", () => {
  it("given a third board that sees both, when the link of leader and follower alone is cut, then the leader leads on, and serves", () => {
    const bench = simulate({ boards: 3, wiring: "direct" });
    const leader = bench.expectReady();
    const [follower = "", third = ""] = bench.others(leader.board);
    bench.partition([leader.board, third], [follower]);
    bench.heal([follower, third].toSorted().join("-"));
    for (let value = 1; value <= 10; value += 1) {
      bench.expectAnswer(write(value), { within: "100ms" });
      bench.advance("1s");
    }
    expect(bench.expectOneLeader()).toEqual(leader);
    expect(bench.status(third)).toMatchObject({ leader: leader.board, term: leader.term });
    expect(bench.peek(follower, "x")).toBeNull();
    bench.healAll();
    bench.expectAgreement(bench.boards);
    expect(bench.expectOneLeader()).toEqual(leader);
  });

  it("given boards that start in the same instant from one seed, when their time-outs run, then they differ, whatever the seed", () => {
    for (let seed = 1; seed <= 30; seed += 1) {
      const bench = simulate({ boards: 7, seed });
      const { term } = bench.expectOneLeader({ within: "2s" });
      expect(term).toBeLessThan(4);
    }
  });

  it("given brokers and sockets that keep what was not delivered, when a board is back, then old messages flood in and change nothing", () => {
    const bench = simulate({
      network: { staleReplay: true, persistentSessions: true, bufferBytesMax: 10_000_000 },
      workload: { operationsPerSecond: 200 },
    });
    bench.work();
    const first = bench.expectReady();
    bench.advance("1s");
    bench.cut(first.board);
    const second = bench.expectOneLeader({ among: bench.others(first.board) });
    bench.advance("10s");
    bench.heal(first.board);
    bench.advance("5s");
    expect(bench.world.network.counters.stale).toBeGreaterThan(50);
    expect(bench.expectOneLeader()).toEqual(second);
    bench.rest();
    bench.expectAgreement(bench.boards);
  });
});
