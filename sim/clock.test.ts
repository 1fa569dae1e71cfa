import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BoardClock, driftPpmMax } from "./clock.ts";

const dayUs = 86_400_000_000;
const drifts = fc.integer({ min: -driftPpmMax, max: driftPpmMax });

describe("a board's clocks", () => {
  it("given no drift, go as the world goes", () => {
    const clock = new BoardClock(1_000, 50, 7_000_000);
    expect(clock.monotonicUs(3_000)).toBe(2_050);
    expect(clock.wallUs(3_000)).toBe(7_002_000);
    expect(clock.worldUs(2_050)).toBe(3_000);
  });

  it("given a drift of 100 ppm, gain 8.64 s a day", () => {
    const clock = new BoardClock(0, 0, 0);
    clock.setDrift(0, 100);
    expect(clock.monotonicUs(dayUs) - dayUs).toBe(8_640_000);
  });

  it("when the wall clock jumps back, the monotonic clock does not", () => {
    const clock = new BoardClock(0, 0, dayUs);
    clock.jumpWall(-5_000_000);
    expect(clock.wallUs(10)).toBe(dayUs - 5_000_000 + 10);
    expect(clock.monotonicUs(10)).toBe(10);
  });

  it("when the drift changes, go on from where they are", () => {
    const clock = new BoardClock(0, 0, 0);
    clock.setDrift(0, 500_000);
    clock.setDrift(1_000_000, -500_000);
    expect(clock.monotonicUs(1_000_000)).toBe(1_500_000);
    expect(clock.monotonicUs(3_000_000)).toBe(2_500_000);
    expect(clock.worldUs(2_500_000)).toBe(3_000_000);
  });

  it("refuse a drift that no clock has", () => {
    const clock = new BoardClock(0, 0, 0);
    expect(() => clock.setDrift(0, 500_001)).toThrow("from -500000 to 500000");
    expect(() => clock.setDrift(0, 0.5)).toThrow(RangeError);
  });

  it("show exactly what unlimited integers would show, over a year", () => {
    fc.assert(
      fc.property(fc.nat(365 * dayUs), drifts, (elapsedUs, driftPpm) => {
        const clock = new BoardClock(0, 0, 0);
        clock.setDrift(0, driftPpm);
        const exact = (BigInt(elapsedUs) * BigInt(1_000_000 + driftPpm)) / 1_000_000n;
        expect(clock.monotonicUs(elapsedUs)).toBe(Number(exact));
      }),
      { numRuns: 500 },
    );
  });

  it("wake a board at the very first moment at which its deadline has come, never before", () => {
    fc.assert(
      fc.property(
        fc.nat(dayUs),
        fc.nat(dayUs),
        fc.integer({ min: 1, max: dayUs }),
        drifts,
        (worldUs, startUs, waitUs, driftPpm) => {
          const clock = new BoardClock(worldUs, startUs, 0);
          clock.setDrift(worldUs, driftPpm);
          const wakeUs = clock.worldUs(startUs + waitUs);
          expect(clock.monotonicUs(wakeUs)).toBeGreaterThanOrEqual(startUs + waitUs);
          expect(clock.monotonicUs(wakeUs - 1)).toBeLessThan(startUs + waitUs);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("never go back, whatever their drift does", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(3_000_000), drifts), { maxLength: 20 }), (changes) => {
        const clock = new BoardClock(0, 0, 0);
        let worldUs = 0;
        let shownUs = 0;
        for (const [waitUs, driftPpm] of changes) {
          worldUs += waitUs;
          expect(clock.monotonicUs(worldUs)).toBeGreaterThanOrEqual(shownUs);
          clock.setDrift(worldUs, driftPpm);
          shownUs = clock.monotonicUs(worldUs);
        }
      }),
      { numRuns: 200 },
    );
  });
});
