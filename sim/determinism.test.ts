import { describe, expect, it } from "vitest";
import { createRandom } from "../device/random.ts";
import { type SimulatedBench, simulate } from "./harness.ts";

describe("the same seed", () => {
  it.each([1, 2, 3, 4])(
    "given seed %i, when its faults happen twice, then both runs are the same to the byte",
    (seed) => {
      const first = play(seed);
      const second = play(seed);
      expect(second.fingerprint).toBe(first.fingerprint);
      expect(JSON.stringify(second.history)).toBe(JSON.stringify(first.history));
      expect(first.history.length).toBeGreaterThan(100);
    },
  );

  /**
   * These must be the same on every machine. Whoever changes what boards, clients or the network do, changes them too,
   * and then has them written anew: `npx vitest run sim/determinism -u`. If they differ without such a change, or between
   * two machines, something in the simulator depends on more than its seed.
   */
  it("given three seeds, when they are run on any machine, then their fingerprints are these", () => {
    expect([1, 2, 3].map((seed) => play(seed).fingerprint)).toMatchInlineSnapshot(`
      [
        "ed5eadfab4834c53",
        "9cabf99b5a949a6c",
        "44ff9215cadc754f",
      ]
    `);
  });
});

/** Clients at work while all kinds of things happen, drawn from the seed. */
function play(seed: number): SimulatedBench {
  const bench = simulate({ seed, replica: { snapshotAfterEntries: 50, trailingEntries: 10 } });
  const random = createRandom(`faults ${seed}`);
  const faults: readonly ((board: string) => void)[] = [
    (board) => bench.cut(board),
    (board) => bench.oneWay({ from: board }),
    (board) => bench.crash(board),
    (board) => bench.powerCut(board),
    (board) => bench.pause(board),
    (board) => bench.stallDisk(board),
    (board) => bench.fillDisk(board),
    (board) => bench.drift(board, random.between(-200_000, 200_000)),
    (board) => bench.world.mayLose(board) && bench.wipe(board),
    (board) => bench.world.operator.transferLeadership(board),
    () => bench.noise({ lossPpm: 50_000, duplicationPpm: 50_000, delayPpm: 50_000, delayUsMax: 50_000 }),
    () => bench.brokerDown("broker"),
  ];
  bench.work();
  for (let round = 1; round <= 10; round += 1) {
    random.pick(faults)(random.pick(bench.boards));
    bench.advance(random.between(100_000, 800_000));
    if (random.chance(1, 3)) bench.healAll();
  }
  bench.healAll();
  bench.advance("3s");
  return bench;
}
