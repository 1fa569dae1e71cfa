import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FlushHistogram, flushBucketsUs, flushQuantileUs } from "./flush-histogram.ts";

const times = fc.array(fc.double({ min: 1, max: 30_000_000, noNaN: true }), { minLength: 1, maxLength: 200 });

function histogramOf(observed: readonly number[]): FlushHistogram {
  const histogram = new FlushHistogram();
  for (const us of observed) histogram.observe(us);
  return histogram;
}

describe("a histogram of flush times", () => {
  test("given nothing observed, then everything is 0", () => {
    const snapshot = new FlushHistogram().snapshot();
    expect(snapshot).toMatchObject({ count: 0, sumUs: 0, maxUs: 0 });
    expect(flushQuantileUs(snapshot, 0.99)).toBe(0);
  });

  test("given a time at a bucket's bound, then it is in that bucket", () => {
    expect(
      histogramOf([300])
        .snapshot()
        .buckets.find(({ upToUs }) => upToUs === 300)?.count,
    ).toBe(1);
  });

  test("given any times, then none is lost, and each is in the first bucket that can hold it", () => {
    fc.assert(
      fc.property(times, (observed) => {
        const { count, maxUs, buckets } = histogramOf(observed).snapshot();
        expect(count).toBe(observed.length);
        expect(maxUs).toBe(Math.max(...observed));
        let lowerUs = 0;
        for (const { upToUs, count: inBucket } of buckets) {
          const from = lowerUs;
          expect(inBucket).toBe(observed.filter((us) => us > from && us <= upToUs).length);
          lowerUs = upToUs;
        }
      }),
      { numRuns: 50 },
    );
  });

  test("given any times, then a quantile is in the bucket of the time that it estimates, and grows with its share", () => {
    fc.assert(
      fc.property(times, (observed) => {
        const snapshot = histogramOf(observed).snapshot();
        const sorted = observed.toSorted((one, other) => one - other);
        let previous = 0;
        for (const share of [0.01, 0.25, 0.5, 0.9, 0.99, 1]) {
          const exact = sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
          const estimated = flushQuantileUs(snapshot, share);
          expect(bucketOf(estimated)).toBe(bucketOf(exact));
          expect(estimated).toBeGreaterThanOrEqual(previous);
          previous = estimated;
        }
        expect(flushQuantileUs(snapshot, 1)).toBe(Math.max(...observed));
      }),
      { numRuns: 50 },
    );
  });

  test("given a snapshot, when more is observed, then the snapshot stays as it was", () => {
    const histogram = histogramOf([200]);
    const before = histogram.snapshot();
    histogram.observe(900);
    expect(before).toMatchObject({ count: 1, maxUs: 200 });
    expect(histogram.snapshot()).toMatchObject({ count: 2, sumUs: 1_100, maxUs: 900 });
  });
});

function bucketOf(us: number): number {
  const found = flushBucketsUs.findIndex((upToUs) => us <= upToUs);
  return found === -1 ? flushBucketsUs.length : found;
}
