import { describe, expect, it } from "vitest";
import { Raft, type RaftOptions, simpleConfiguration } from "../../device/raft/index.ts";
import { createRandom } from "../../device/random.ts";
import { defaultReplicaOptions } from "../../device/replica/options.ts";
import type { PeerMessage } from "../../device/transport/protocol.ts";
import { type SimulatedBench, simulate } from "../harness.ts";

/** A write of this value, as a client commands it. */
const write = (value: number) => ({ op: "write", key: "x", value }) as const;

/** The values written on a board, in the order in which it knows them to be committed. */
function written(bench: SimulatedBench, board: string): readonly unknown[] {
  return bench.committedCommands(board).map((command) => Object(command).value);
}

describe("crashes and lost messages, as public suites test them", () => {
  it("given messages that get lost, when a client commands, then they are sent again until the command is committed", () => {
    const bench = simulate({ boards: 3, timeout: "30s" });
    bench.expectReady();
    bench.noise({ lossPpm: 300_000 });
    bench.expectAnswer(write(7));
    bench.quiet();
    bench.expectCommitted();
    for (const board of bench.boards) expect(bench.peek(board, "x")).toBe(7);
    expect(bench.world.network.counters.lost.noise).toBeGreaterThan(0);
  });

  it("given a leader, when its cable is cut for a moment only, then it leads on in the same term", () => {
    const bench = simulate({ boards: 3 });
    const leader = bench.expectReady();
    for (let moment = 1; moment <= 5; moment += 1) {
      bench.cut(leader.board);
      bench.advance("40ms");
      bench.heal(leader.board);
      bench.advance("1s");
    }
    bench.expectAnswer(write(1));
    expect(bench.expectOneLeader()).toEqual(leader);
  });

  it("given a follower that crashed, when commands come, then the others commit them in the same term", () => {
    const bench = simulate({ boards: 3 });
    const leader = bench.expectReady();
    const [follower = "", other = ""] = bench.others(leader.board);
    bench.expectAnswer(write(5));
    bench.crash(follower);
    bench.expectAnswer(write(6));
    bench.expectCommitted([leader.board, other]);
    expect(written(bench, other)).toEqual([5, 6]);
    expect(bench.expectOneLeader()).toEqual(leader);
  });

  it("given a follower that crashed, when it starts again, then it has what it had and learns what it missed", () => {
    const bench = simulate({ boards: 3 });
    const { board } = bench.expectReady();
    const [follower = ""] = bench.others(board);
    for (const value of [5, 6, 7]) bench.expectAnswer(write(value));
    bench.expectCommitted();
    bench.crash(follower);
    bench.expectAnswer(write(8));
    bench.restart(follower);
    bench.expectCommitted([follower]);
    expect(written(bench, follower)).toEqual([5, 6, 7, 8]);
  });

  it("given a leader that crashed, when it starts again, then it follows its successor and has its log", () => {
    const bench = simulate({ boards: 3 });
    const first = bench.expectReady();
    for (const value of [5, 6, 7]) bench.expectAnswer(write(value));
    bench.crash(first.board);
    const second = bench.expectOneLeader();
    expect(second.term).toBeGreaterThan(first.term);
    bench.expectAnswer(write(8));
    bench.restart(first.board);
    bench.advance("1s");
    expect(bench.expectOneLeader()).toEqual(second);
    bench.expectAgreement(bench.boards);
    expect(written(bench, first.board)).toEqual([5, 6, 7, 8]);
  });

  it("given boards that all crashed, or lost their power, when they start again, then nothing acknowledged is lost", () => {
    const bench = simulate({ boards: 3 });
    bench.expectReady();
    for (const value of [5, 6, 7]) bench.expectAnswer(write(value));
    for (const board of bench.boards) bench.crash(board);
    for (const board of bench.boards) bench.restart(board);
    bench.expectAnswer(write(8));
    for (const board of bench.boards) bench.powerCut(board);
    for (const board of bench.boards) bench.restart(board);
    bench.expectAnswer(write(9));
    bench.expectAgreement(bench.boards);
    for (const board of bench.boards) expect(written(bench, board)).toEqual([5, 6, 7, 8, 9]);
  });

  it("given many entries that only a cut-off leader has, when others lead, then all of them are replaced, also over its crash", () => {
    const bench = simulate({ boards: 3, wiring: "direct", timeout: "200ms" });
    const { board: first } = bench.expectReady();
    const clients = ["c1", "c2", "c3", "c4"];
    for (const client of clients) bench.expectAnswer(write(5), { client });
    const majority = bench.others(first);
    bench.isolate(first);
    // The clients give up before they would repeat: what they command stands on the board that was cut off, nowhere else.
    const stranded = clients.map((client) => bench.begin(write(21), { client }));
    for (const pending of stranded) expect(bench.outcome(pending).type).toBe("info");
    expect(bench.log(first).filter(({ committed }) => !committed)).toHaveLength(4);

    bench.expectOneLeader({ among: majority });
    bench.advance("2s");
    for (const value of [8, 9, 10]) bench.expectAnswer(write(value));
    bench.healAll();
    bench.crash(first);
    bench.restart(first);
    bench.expectAgreement(bench.boards);
    for (const board of bench.boards) expect(written(bench, board)).toEqual([5, 5, 5, 5, 8, 9, 10]);
  });

  it.each(["crash", "cut"] as const)(
    "given a command just submitted, when the leader is gone by %s, then it is done once, or nobody was told it was",
    (verb) => {
      const bench = simulate({ boards: 3 });
      const first = bench.expectReady();
      const pending = bench.begin({ op: "append", key: "text", value: "once" });
      // Until the leader has it in its log, and no longer: it had no time to hear of its followers.
      bench.world.runUntilTrue(() => bench.log(first.board).length > 1, 1_000_000);
      if (verb === "crash") bench.crash(first.board);
      else bench.cut(first.board);
      const second = bench.expectOneLeader({ among: bench.others(first.board) });
      if (verb === "crash") bench.restart(first.board);
      else bench.heal(first.board);
      expect(bench.outcome(pending)).toEqual({ type: "ok", result: null });
      expect(bench.expectOneLeader()).toEqual(second);
      bench.expectAgreement(bench.boards);
      for (const board of bench.boards) expect(bench.peek(board, "text")).toBe("once");
    },
  );
});

describe("promises kept over a power cut, as public suites test them", () => {
  it.each([
    ["asks for votes", "vote"],
    ["answers a candidate", "voteReply"],
    ["acknowledges an append", "appendAccepted"],
  ])(
    "given a board that %s, when its power goes at that moment, then it still knows the term when it is back",
    (_, type) => {
      const said: PeerMessage[] = [];
      const bench = simulate({ boards: 3, overhear: (message) => message.type === type && said.push(message) });
      const promises = 10;
      for (let round = 1; round <= promises; round += 1) {
        said.length = 0;
        bench.work();
        if (type !== "appendAccepted") bench.crash(bench.expectReady().board);
        bench.world.runUntilTrue(() => said.length > 0, 5_000_000);
        const [promise] = said;
        if (promise === undefined || promise.type === "join") throw new Error("Nobody promised anything.");
        bench.powerCut(promise.from);
        bench.restart(promise.from);
        bench.world.runUntilTrue(() => bench.status(promise.from)?.role !== "opening", 1_000_000);
        expect(bench.status(promise.from)?.term).toBeGreaterThanOrEqual(promise.term);
        bench.healAll();
        bench.expectReady();
      }
    },
  );

  it("given a candidate that voted for itself, when the term's leader speaks, then it follows, and still votes for nobody else", () => {
    const raft = candidate();
    const { term } = raft;
    raft.step({ type: "append", from: "b", to: "a", term, prevIndex: 0, prevTerm: 0, entries: [], commit: 0 });
    expect(raft.role).toBe("follower");
    expect(grants(raft, term)).toBe(false);
  });

  it("given a candidate that voted for itself, when a later term's candidate asks, then the new term's vote is free", () => {
    const raft = candidate();
    expect(grants(raft, raft.term + 1)).toBe(true);
  });
});

/** Whether the board grants c its vote. */
function grants(raft: Raft, term: number): boolean {
  drain(raft);
  raft.step({ type: "vote", from: "c", to: "a", term, lastIndex: 0, lastTerm: 0, transfer: true });
  return drain(raft).some((message) => message.type === "voteReply" && message.granted);
}

/** Board a of three, whose disk is at once done, campaigning. */
function candidate(): Raft {
  const options: RaftOptions = defaultReplicaOptions.raft;
  const raft = new Raft({
    id: "a",
    initial: simpleConfiguration(["a", "b", "c"]),
    hardState: { term: 0, votedFor: null },
    log: { snapshot: null, entries: [] },
    options,
    random: createRandom(1),
    now: 0,
  });
  raft.tick(options.electionTimeoutMaxUs);
  drain(raft);
  raft.step({ type: "preVoteReply", from: "b", to: "a", term: 1, granted: true });
  drain(raft);
  expect(raft.role).toBe("candidate");
  return raft;
}

/** Everything that the board sends, its saves done. */
function drain(raft: Raft): readonly PeerMessage[] {
  const sent: PeerMessage[] = [];
  for (let effects = raft.drain(); effects !== null; effects = raft.drain()) {
    sent.push(...effects.send, ...effects.held);
    if (effects.save !== null) raft.saved(effects.save.id);
  }
  return sent;
}
