import fc from "fast-check";
import { expect, it } from "vitest";
import { durationPattern, formatDurationUs, parseDurationUs } from "./duration.ts";

it.each([
  ["250us", 250],
  ["300ms", 300_000],
  ["5s", 5_000_000],
  ["1.5s", 1_500_000],
  ["0.1s", 100_000],
  ["2m", 120_000_000],
  ["1h", 3_600_000_000],
  ["-90s", -90_000_000],
])("%s is %i microseconds", (text, us) => {
  expect(parseDurationUs(text)).toBe(us);
});

it.each(["5", "s", "5 s", "5S", "1e3s", "-5s", "5s ", "1.s", "five seconds", "5sec"])("%j is no duration", (text) => {
  expect(durationPattern.test(text)).toBe(false);
});

it("what is written of a duration says exactly that duration again", () => {
  fc.assert(
    fc.property(fc.integer({ min: -100_000_000_000, max: 100_000_000_000 }), (us) => {
      expect(parseDurationUs(formatDurationUs(us))).toBe(us);
    }),
  );
  expect([90_000_000, 120_000_000, 1_500_000, 300_000, 7, 0].map(formatDurationUs)).toEqual([
    "90s",
    "2m",
    "1.5s",
    "300ms",
    "7us",
    "0s",
  ]);
});
