import { describe, expect, it } from "vitest";
import { createRandom } from "../../device/random.ts";
import { type SimulatedBench, type SimulateOptions, simulate } from "../harness.ts";

/** Boards that take a snapshot after every ten entries and keep nothing of what it covers. */
function compacting(options: SimulateOptions = {}): SimulatedBench {
  return simulate({ boards: 3, ...options, replica: { snapshotAfterEntries: 10, trailingEntries: 1 } });
}

/** Commands until so many snapshots' worth of entries is in the log. */
function fill(bench: SimulatedBench, entries = 25): void {
  for (let count = 1; count <= entries; count += 1) bench.expectAnswer({ op: "add", key: "sum", value: 1 });
}

const snapshotIndex = (bench: SimulatedBench, board: string): number =>
  bench.world.board(board).replica?.raft?.snapshotIndex ?? 0;

describe("lab 3D, compaction", () => {
  it("given boards that take snapshots, when many commands come, then every log stays short and the state is whole", () => {
    const bench = compacting();
    fill(bench, 60);
    bench.expectAgreement();
    for (const board of bench.boards) {
      expect(snapshotIndex(bench, board)).toBeGreaterThan(40);
      expect(bench.log(board).length).toBeLessThan(12);
      expect(bench.peek(board, "sum")).toBe(60);
    }
  });

  it.each([
    ["cut off", 0],
    ["cut off", 100_000],
    ["crashed", 0],
    ["crashed", 100_000],
  ])(
    "given a board that was %s with %i ppm of messages lost, when the log before it is compacted, then a snapshot brings it back",
    (how, lossPpm) => {
      const bench = compacting({ seed: `${how} ${lossPpm}` });
      const random = createRandom(`${how} ${lossPpm}`);
      bench.expectReady();
      if (lossPpm > 0) bench.noise({ lossPpm });
      for (let round = 1; round <= 4; round += 1) {
        const victim = random.chance(1, 3) ? bench.expectOneLeader().board : random.pick(bench.boards);
        if (how === "crashed") bench.crash(victim);
        else bench.cut(victim);
        const behind = bench.world.invariants.committedIndex;
        fill(bench);
        const { board: leader } = bench.expectOneLeader({ among: bench.others(victim) });
        expect(snapshotIndex(bench, leader)).toBeGreaterThan(behind);
        if (how === "crashed") bench.restart(victim);
        else bench.heal(victim);
        bench.expectCommitted(bench.boards);
        expect(bench.peek(victim, "sum")).toBe(25 * round);
      }
      bench.quiet();
      bench.expectAgreement(bench.boards);
    },
  );

  it("given boards with snapshots, when all lose their power, then all come back with the whole state", () => {
    const bench = compacting();
    for (let round = 1; round <= 4; round += 1) {
      fill(bench);
      for (const board of bench.boards) bench.powerCut(board);
      for (const board of bench.boards) bench.restart(board);
      expect(bench.expectAnswer({ op: "read", key: "sum" })).toBe(25 * round);
    }
    bench.expectAgreement(bench.boards);
  });

  it("given boards that start from their snapshots, when they crash again before the next one, then the first is still enough", () => {
    const bench = compacting();
    fill(bench, 12);
    for (const board of bench.boards) bench.crash(board);
    for (const board of bench.boards) bench.restart(board);
    bench.expectAnswer({ op: "add", key: "sum", value: 1 });
    for (const board of bench.boards) bench.crash(board);
    for (const board of bench.boards) bench.restart(board);
    expect(bench.expectAnswer({ op: "add", key: "sum", value: 1 })).toBe(14);
    bench.expectAgreement(bench.boards);
  });
});
