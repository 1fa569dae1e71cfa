/**
 * What a broker withholds between boards, and until when. Each pair is a lease that runs out by itself: a controller that
 * dies leaves nobody cut off.
 */

import type { WithheldEnvelope, WithholdRequest } from "../transport/withhold-codec.ts";

/** No lease is longer, whatever is asked for. */
export const withholdLeaseMsMax = 600_000;

type Pair = { readonly from: string; readonly to: string; readonly endsMs: number; readonly timer: NodeJS.Timeout };

/** See the head of this file. */
export class Withholding {
  readonly #pairs = new Map<string, Pair>();
  readonly #ranOut: () => void;

  /** @param ranOut called when a lease has run out */
  constructor(ranOut: () => void) {
    this.#ranOut = ranOut;
  }

  /** Carries a request out. */
  obey({ pairs }: WithholdRequest): void {
    for (const { from, to, leaseMs } of pairs) this.#hold(from, to, Math.min(leaseMs, withholdLeaseMsMax));
  }

  /** Whether what `from` says to `to` is withheld. */
  withholds(from: string, to: string): boolean {
    return this.#pairs.size > 0 && this.#pairs.has(`${from} ${to}`);
  }

  get isEmpty(): boolean {
    return this.#pairs.size === 0;
  }

  /** All that is withheld now. */
  pairs(): WithheldEnvelope["pairs"] {
    const nowMs = performance.now();
    return [...this.#pairs.values()].map(({ from, to, endsMs }) => ({
      from,
      to,
      remainingMs: Math.max(0, Math.ceil(endsMs - nowMs)),
    }));
  }

  close(): void {
    for (const { timer } of this.#pairs.values()) clearTimeout(timer);
    this.#pairs.clear();
  }

  #hold(from: string, to: string, leaseMs: number): void {
    const key = `${from} ${to}`;
    clearTimeout(this.#pairs.get(key)?.timer);
    this.#pairs.delete(key);
    if (leaseMs === 0) return;
    const timer = setTimeout(() => {
      this.#pairs.delete(key);
      this.#ranOut();
    }, leaseMs).unref();
    this.#pairs.set(key, { from, to, endsMs: performance.now() + leaseMs, timer });
  }
}
