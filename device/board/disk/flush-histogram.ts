/** How long flushes take: the number to look at first when a cluster stutters. */

/** What was observed so far, for a screen or a scraper. Times in microseconds. */
export type FlushTimes = {
  readonly count: number;
  readonly sumUs: number;
  readonly maxUs: number;
  /** Of each bucket its upper bound, included, and how many flushes fell into it; the last one has no bound. */
  readonly buckets: readonly { readonly upToUs: number; readonly count: number }[];
};

/** From the fastest SSD to the card that makes its board miss elections. */
export const flushBucketsUs: readonly number[] = [
  100, 200, 300, 500, 700, 1_000, 1_500, 2_000, 3_000, 5_000, 7_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000,
  1_000_000, 2_000_000, 5_000_000, 10_000_000,
];

/** Counts flush times in fixed buckets. */
export class FlushHistogram {
  readonly #counts: number[] = Array.from({ length: flushBucketsUs.length + 1 }, () => 0);
  #count = 0;
  #sumUs = 0;
  #maxUs = 0;

  /** Counts a flush that took so long. */
  observe(us: number): void {
    const found = flushBucketsUs.findIndex((upToUs) => us <= upToUs);
    const bucket = found === -1 ? flushBucketsUs.length : found;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count += 1;
    this.#sumUs += us;
    if (us > this.#maxUs) this.#maxUs = us;
  }

  /** What was observed so far; later observations do not change it. */
  snapshot(): FlushTimes {
    return {
      count: this.#count,
      sumUs: this.#sumUs,
      maxUs: this.#maxUs,
      buckets: this.#counts.map((count, bucket) => ({
        upToUs: flushBucketsUs[bucket] ?? Number.POSITIVE_INFINITY,
        count,
      })),
    };
  }
}

/**
 * The time within which this share (0 to 1) of all flushes ended, estimated: as if the times in a bucket lay evenly
 * between its bounds. 0 if there were none.
 */
export function flushQuantileUs({ count, maxUs, buckets }: FlushTimes, share: number): number {
  const rank = share * count;
  let before = 0;
  let lowerUs = 0;
  for (const bucket of buckets) {
    const upperUs = Math.min(bucket.upToUs, maxUs);
    if (bucket.count > 0 && before + bucket.count >= rank) {
      return lowerUs + (upperUs - lowerUs) * Math.max(0, (rank - before) / bucket.count);
    }
    before += bucket.count;
    lowerUs = upperUs;
  }
  return 0;
}
