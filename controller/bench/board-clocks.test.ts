import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BoardClocks } from "./board-clocks.ts";

/** A board's clock that gains and loses, asked over a way that takes its time in each direction. */
function createBench(rates: readonly number[], delays: readonly (readonly [number, number])[]) {
  let trueUs = 5_000_000;
  let asked = 0;
  let skippedUs = 0;
  let boot = 1;
  const changeEveryUs = 7_000_000;
  /** What the board shows at a true time: its rate changes now and then. */
  function shown(atUs: number): number {
    let sumUs = 0;
    for (let at = 0, beganUs = 0; beganUs < atUs; at += 1, beganUs += changeEveryUs) {
      const rate = 1 + (rates[at % rates.length] ?? 0) / 1_000_000;
      sumUs += Math.min(changeEveryUs, atUs - beganUs) * rate;
    }
    return Math.floor(sumUs - skippedUs);
  }
  const clocks = new BoardClocks({
    nowUs: () => trueUs,
    ask() {
      const [there, back] = delays[asked % delays.length] ?? [0, 0];
      asked += 1;
      trueUs += there;
      const answer = { boot, monotonicUs: shown(trueUs), wallUs: 0 };
      trueUs += back;
      return Promise.resolve(answer);
    },
  });
  return {
    clocks,
    shown: () => ({ boot, monotonicUs: shown(trueUs) }),
    nowUs: () => trueUs,
    pass(us: number) {
      trueUs += us;
    },
    standStill(us: number) {
      trueUs += us;
      skippedUs += us;
    },
    bootAnew() {
      boot += 1;
      skippedUs += shown(trueUs);
    },
  };
}

const steady = [[200, 200]] as const;

describe("the clocks of boards on the controller's time line", () => {
  it("whatever a clock's drift and the delays of the way are, the true time lies within the uncertainty", async () => {
    const delay = fc.integer({ min: 0, max: 60_000 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: -200, max: 200 }), { minLength: 1, maxLength: 5 }),
        fc.array(fc.tuple(delay, delay), { minLength: 1, maxLength: 7 }),
        fc.array(fc.record({ passUs: fc.integer({ min: 0, max: 20_000_000 }), asks: fc.boolean() }), { maxLength: 12 }),
        async (rates, delays, steps) => {
          const bench = createBench(rates, delays);
          const seen: { readonly trueUs: number; readonly moment: { boot: number; monotonicUs: number } }[] = [];
          await bench.clocks.sample("pi-1");
          for (const { passUs, asks } of steps) {
            bench.pass(passUs);
            seen.push({ trueUs: bench.nowUs(), moment: bench.shown() });
            if (asks) await bench.clocks.sample("pi-1");
          }
          for (const { trueUs, moment } of seen) {
            const placed = bench.clocks.place("pi-1", moment);
            // A clock of whole microseconds is late by less than one.
            expect(Math.abs((placed?.atUs ?? Infinity) - trueUs)).toBeLessThanOrEqual((placed?.uncertaintyUs ?? 0) + 1);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it("given answers every two seconds, then the uncertainty is that of the quickest way and of what a second of drift adds", async () => {
    const bench = createBench([150], steady);
    for (let second = 0; second < 60; second += 2) {
      await bench.clocks.sample("pi-1");
      bench.pass(1_000_000);
      if (second === 30) {
        const moment = bench.shown();
        const trueUs = bench.nowUs();
        bench.pass(1_000_000);
        await bench.clocks.sample("pi-1");
        const placed = bench.clocks.place("pi-1", moment);
        expect(placed?.uncertaintyUs).toBeLessThan(200 + 600 + 2);
        expect(Math.abs((placed?.atUs ?? 0) - trueUs)).toBeLessThan(300);
      } else bench.pass(1_000_000);
    }
  });

  it("given a board that was cut off for a minute, then what it noted meanwhile is as uncertain as its clock may have drifted", async () => {
    const bench = createBench([200, -200], steady);
    await bench.clocks.sample("pi-1");
    bench.pass(30_000_000);
    const moment = bench.shown();
    const trueUs = bench.nowUs();
    bench.pass(30_000_000);
    await bench.clocks.sample("pi-1");
    const placed = bench.clocks.place("pi-1", moment);
    expect(placed?.uncertaintyUs).toBeLessThan(20_000);
    expect(Math.abs((placed?.atUs ?? 0) - trueUs)).toBeLessThanOrEqual(placed?.uncertaintyUs ?? 0);
  });

  it("given a machine that was suspended, then times before and after are as certain as ever, and at the turn both are allowed for", async () => {
    const bench = createBench([0], steady);
    await bench.clocks.sample("pi-1");
    bench.pass(1_000_000);
    const before = { moment: bench.shown(), trueUs: bench.nowUs() };
    bench.pass(1_000_000);
    await bench.clocks.sample("pi-1");
    bench.pass(500_000);
    const turn = { moment: bench.shown(), trueUs: bench.nowUs() };
    bench.standStill(10_000_000);
    bench.pass(500_000);
    await bench.clocks.sample("pi-1");
    bench.pass(1_000_000);
    const after = { moment: bench.shown(), trueUs: bench.nowUs() };
    for (const { moment, trueUs } of [before, turn, after]) {
      const placed = bench.clocks.place("pi-1", moment);
      expect(Math.abs((placed?.atUs ?? 0) - trueUs)).toBeLessThanOrEqual(placed?.uncertaintyUs ?? 0);
    }
    expect(bench.clocks.place("pi-1", before.moment)?.uncertaintyUs).toBeLessThan(2_000);
    expect(bench.clocks.place("pi-1", turn.moment)?.uncertaintyUs).toBeGreaterThan(4_900_000);
    expect(bench.clocks.place("pi-1", after.moment)?.uncertaintyUs).toBeLessThan(2_000);
  });

  it("given another boot, then each is placed by its own clock, and one that never told its time nowhere", async () => {
    const bench = createBench([0], steady);
    await bench.clocks.sample("pi-1");
    const [first, firstUs] = [bench.shown(), bench.nowUs()];
    bench.pass(5_000_000);
    bench.bootAnew();
    await bench.clocks.sample("pi-1");
    expect(bench.clocks.place("pi-1", first)?.atUs).toBe(firstUs);
    expect(bench.clocks.place("pi-1", bench.shown())?.atUs).toBe(bench.nowUs());
    expect(bench.clocks.place("pi-1", { boot: 3, monotonicUs: 0 })).toBeNull();
    expect(bench.clocks.place("pi-2", first)).toBeNull();
  });

  it("given more answers than it keeps, then it forgets slow ones, and nothing comes out wrong", async () => {
    const bench = createBench(
      [100],
      [
        [50, 50],
        [9_000, 10],
        [20, 8_000],
      ],
    );
    const seen: { readonly trueUs: number; readonly moment: { boot: number; monotonicUs: number } }[] = [];
    for (let round = 0; round < 1_500; round += 1) {
      await bench.clocks.sample("pi-1");
      bench.pass(1_000_000);
      if (round % 100 === 50) seen.push({ trueUs: bench.nowUs(), moment: bench.shown() });
      bench.pass(1_000_000);
    }
    for (const { trueUs, moment } of seen) {
      const placed = bench.clocks.place("pi-1", moment);
      expect(Math.abs((placed?.atUs ?? 0) - trueUs)).toBeLessThanOrEqual((placed?.uncertaintyUs ?? 0) + 1);
      expect(placed?.uncertaintyUs).toBeLessThan(2_000);
    }
  });
});
