/** The ways by which requests came, each with a number: a replica knows no brokers and no clients' names. */

import type { Via } from "../replica/host.ts";

/** By which broker, and from whom. */
export type Way = { readonly broker: number; readonly client: string };

/** Beyond so many ways the oldest are forgotten: their clients ask again. */
const waysMax = 65_536;

/** The ways of one boot of a board. */
export class Vias {
  readonly #numbers = new Map<string, Via>();
  readonly #ways = new Map<Via, Way>();
  #next = 1;

  numberOf(broker: number, client: string): Via {
    const key = `${broker} ${client}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const via = this.#next;
    this.#next += 1;
    this.#numbers.set(key, via);
    this.#ways.set(via, { broker, client });
    if (this.#ways.size > waysMax) this.#forgetOldest();
    return via;
  }

  /** `null`: forgotten. */
  wayOf(via: Via): Way | null {
    return this.#ways.get(via) ?? null;
  }

  #forgetOldest(): void {
    for (const [via, { broker, client }] of this.#ways) {
      this.#ways.delete(via);
      this.#numbers.delete(`${broker} ${client}`);
      return;
    }
  }
}
