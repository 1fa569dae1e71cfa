import { describe, expect, it } from "vitest";
import { type SimulatedBench, simulate } from "../harness.ts";

/** A write of this value, as a client commands it. */
const write = (value: number) => ({ op: "write", key: "x", value }) as const;

/** The values written on a board, in the order in which it knows them to be committed. */
function written(bench: SimulatedBench, board: string): readonly unknown[] {
  return bench.committedCommands(board).map((command) => Object(command).value);
}

describe("replication, as public suites test it", () => {
  it("given a leader, when a client commands it, then the command is committed on every board", () => {
    const bench = simulate({ boards: 3 });
    bench.expectAnswer(write(42));
    bench.expectCommitted();
    for (const board of bench.boards) expect(written(bench, board)).toEqual([42]);
  });

  it("given a board that does not lead, when something is proposed to it, then it refuses and nothing is logged", () => {
    const bench = simulate({ boards: 3 });
    const { board } = bench.expectReady();
    const [follower = ""] = bench.others(board);
    const before = bench.log(follower).length;
    const refused = bench.world.board(follower).replica?.raft?.propose("anything");
    expect(refused).toEqual({ ok: false, reason: "this board does not lead" });
    bench.advance("1s");
    expect(bench.log(follower)).toHaveLength(before);
  });

  it("given commands one after the other, when they are answered, then every board has them in that order", () => {
    const bench = simulate({ boards: 3 });
    for (const value of [42, 55, 81]) bench.expectAnswer(write(value), { client: "c1" });
    bench.expectCommitted();
    for (const board of bench.boards) expect(written(bench, board)).toEqual([42, 55, 81]);
  });

  it("given a follower that is cut off, when commands are committed without it, then it has them once it is back", () => {
    const bench = simulate({ boards: 3 });
    const { board: leader, term } = bench.expectReady();
    bench.expectAnswer(write(5));
    const [follower = ""] = bench.others(leader);
    bench.cut(follower);
    bench.expectAnswer(write(6));
    bench.expectAnswer(write(7));
    expect(written(bench, follower)).not.toContain(6);
    bench.heal(follower);
    bench.expectCommitted([follower]);
    expect(written(bench, follower)).toEqual([5, 6, 7]);
    expect(bench.expectOneLeader()).toEqual({ board: leader, term });
  });

  it("given no majority, when a client commands, then it is not committed; and what others committed later is the same everywhere", () => {
    const bench = simulate({ boards: 3, wiring: "direct", timeout: "1s" });
    const { board: leader } = bench.expectReady();
    bench.expectAnswer(write(5));
    bench.partition(...bench.boards.map((board) => [board]));
    const lost = bench.begin(write(6));
    bench.advance("50ms");
    expect(bench.log(leader).at(-1)).toMatchObject({ command: write(6), committed: false });
    expect(bench.outcome(lost).type).toBe("info");
    for (const board of bench.boards) expect(written(bench, board)).not.toContain(6);

    bench.healAll();
    bench.expectReady();
    for (const value of [7, 8, 9]) bench.expectAnswer(write(value));
    bench.expectAgreement();
    expect(written(bench, leader).slice(-3)).toEqual([7, 8, 9]);
  });

  it("given a leader that was cut off with a command, when others lead and commit, then its command is overwritten", () => {
    const bench = simulate({ wiring: "direct" });
    const first = bench.expectReady();
    bench.expectAnswer(write(5));
    const others = bench.others(first.board);
    bench.isolate(first.board);
    const stranded = bench.begin(write(6));
    bench.advance("50ms");
    const strandedAt = bench.log(first.board).at(-1);
    expect(strandedAt).toMatchObject({ command: write(6), term: first.term, committed: false });

    const second = bench.expectOneLeader({ among: others });
    for (const value of [7, 8]) bench.expectAnswer(write(value));
    bench.healAll();
    bench.expectAgreement();
    expect(bench.expectOneLeader()).toEqual(second);
    const instead = bench.log(first.board).find(({ index }) => index === strandedAt?.index);
    expect(instead?.term).toBe(second.term);
    // The client repeated the command, and the new leader took it: once.
    expect(bench.outcome(stranded).type).toBe("ok");
    bench.expectCommitted();
    expect(written(bench, first.board).toSorted()).toEqual([5, 6, 7, 8]);
  });
});
