/** Latencies of a measurement: collected without garbage, told as quantiles. */

/** See the head of this file. */
export class Latencies {
  #us = new Float64Array(1 << 16);
  #count = 0;

  add(latencyUs: number): void {
    if (this.#count === this.#us.length) {
      const more = new Float64Array(2 * this.#us.length);
      more.set(this.#us);
      this.#us = more;
    }
    this.#us[this.#count] = latencyUs;
    this.#count += 1;
  }

  get count(): number {
    return this.#count;
  }

  /** The latencies that these shares of all did not exceed, in the same order; `null` if there were none. */
  quantiles(shares: readonly number[]): readonly (number | null)[] {
    const sorted = this.#us.slice(0, this.#count).sort();
    return shares.map((share) => sorted[Math.max(0, Math.ceil(share * this.#count) - 1)] ?? null);
  }
}
