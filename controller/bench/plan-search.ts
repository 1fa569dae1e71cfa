/**
 * The least set of cables that parts boards as it should, found by branch and bound; exact unless it takes too long.
 *
 * A pair of boards that must not hear each other does so by a walk: from the speaker to the machine of the listener's inbox,
 * and on to the listener. One bundle of each such walk must be cut, or the pair's messages withheld. So at each node of the
 * search a walk that is left is taken: keep all its undecided bundles and withhold; or else cut one of them, and keep those
 * before it. These cases exclude each other and leave nothing out.
 *
 * More cuts only ever take connections away. So a branch ends as soon as two boards that must hear each other do not, or
 * the controller has lost what it needs for healing; and when walks that share no bundle cost as much as the best plan so
 * far (which is the bound: each of these walks must be paid for apart, as in a flow from the speaker to the listener).
 *
 * The question is NP-hard in general: with three groups it is the multiway cut. Benches are kind, since most of their cables
 * cannot be cut without deafening somebody; those are kept from the beginning. With cables alone, 32 boards on 32 switches
 * and 256 cables take a fraction of a second; where brokers may withhold, or most cables join boards directly, a tangle of
 * more than 80 cables may not be proved least in time.
 */

import { Connections, type Wiring } from "./plan-wiring.ts";

/** Two boards by number, in the order of the bench. */
export type Pair = { readonly listener: number; readonly speaker: number };

/** What is looked for. */
export type Search = {
  readonly wiring: Wiring;
  /** Who must not hear whom, and who must. All of them do while the bench is whole. */
  readonly apart: readonly Pair[];
  readonly together: readonly Pair[];
  /** What it costs to cut each bundle: above 0, Infinity if it cannot be. */
  readonly bundleCosts: readonly number[];
  /** The nodes that the controller must reach while a bundle is cut. */
  readonly healedOver: readonly (readonly number[])[];
  /** What it costs to withhold what one board says to another; Infinity if nothing can. */
  readonly pairCost: number;
};

/** Bundles and pairs of the least cost; `isProved` says that none costs less. */
export type Found = {
  readonly cost: number;
  readonly cut: readonly number[];
  readonly withheld: readonly Pair[];
  readonly isProved: boolean;
};

/** So often a pair of boards is looked at, at most: about two seconds on a laptop. */
const looksMax = 2_000_000;

/** The least way; `null` if there is none, or `"unknown"` if none was found before the search had to end. */
export function searchLeast(search: Search): Found | null | "unknown" {
  const searcher = new Searcher(search);
  searcher.keepWhatIsNeeded();
  searcher.descend(0);
  const { best, hasSeenAll } = searcher;
  if (best === null) return hasSeenAll ? null : "unknown";
  return { ...best, isProved: hasSeenAll };
}

type State = 0 | 1 | 2;
const undecided = 0;
const cut = 1;
const kept = 2;

class Searcher {
  best: Omit<Found, "isProved"> | null = null;
  #looks = 0;
  readonly #search: Search;
  readonly #states: State[];
  /** Over all that is not cut: what may still be heard. */
  readonly #possible: Connections;
  readonly #residual: Float64Array;
  readonly #distances: Int32Array;
  readonly #arrivals: Int32Array;

  constructor(search: Search) {
    const { wiring, bundleCosts } = search;
    this.#search = search;
    this.#states = bundleCosts.map((cost) => (cost === Number.POSITIVE_INFINITY ? kept : undecided));
    this.#possible = new Connections(wiring);
    this.#residual = new Float64Array(wiring.bundles.length);
    this.#distances = new Int32Array(wiring.names.length);
    this.#arrivals = new Int32Array(wiring.names.length);
  }

  /** Whether nothing was left out for want of time. */
  get hasSeenAll(): boolean {
    return this.#looks <= looksMax;
  }

  /** Keeps every bundle whose cut alone is one too many. */
  keepWhatIsNeeded(): void {
    for (const [bundle, state] of this.#states.entries()) {
      if (state !== undecided) continue;
      this.#states[bundle] = cut;
      this.#states[bundle] = this.#isAllowed() ? undecided : kept;
    }
  }

  /** Looks at what is decided so far, which costs `cost`, and at everything below. */
  descend(cost: number): void {
    this.#looks += 1 + this.#search.apart.length;
    if (!this.hasSeenAll || !this.#isAllowed()) return;
    const { apart, pairCost } = this.#search;
    const heard = apart.filter(({ listener, speaker }) => this.#possible.hears(listener, speaker));
    const walk = this.#bound(heard, cost);
    if (walk === "too much") return;
    if (walk === null) {
      this.#keepBest(heard, heard.length === 0 ? cost : cost + heard.length * pairCost);
      return;
    }
    // Withholding goes first: it always ends well, so that from then on there is something to be better than.
    if (pairCost !== Number.POSITIVE_INFINITY) {
      for (const bundle of walk) this.#states[bundle] = kept;
      this.descend(cost);
      for (const bundle of walk) this.#states[bundle] = undecided;
    }
    for (const bundle of walk) {
      this.#states[bundle] = cut;
      this.descend(cost + (this.#search.bundleCosts[bundle] ?? 0));
      this.#states[bundle] = kept;
    }
    for (const bundle of walk) this.#states[bundle] = undecided;
  }

  /** Works out what is possible, and whether it leaves all that must be left. */
  #isAllowed(): boolean {
    const { together, healedOver, wiring } = this.#search;
    const now = this.#possible.workOut((bundle) => this.#states[bundle] !== cut);
    for (const { listener, speaker } of together) if (!now.hears(listener, speaker)) return false;
    return healedOver.every(
      (nodes, bundle) => this.#states[bundle] !== cut || nodes.every((node) => now.reaches(wiring.controller, node)),
    );
  }

  /** The undecided bundles of a walk that has few, to be tried next; `null` if no choice is left for the pairs heard. */
  #bound(heard: readonly Pair[], cost: number): readonly number[] | null | "too much" {
    const { pairCost, bundleCosts } = this.#search;
    for (const [bundle, bundleCost] of bundleCosts.entries()) this.#residual[bundle] = bundleCost;
    const limit = this.best?.cost ?? Number.POSITIVE_INFINITY;
    let least = cost;
    let next: readonly number[] | null = null;
    for (const pair of heard) {
      // Withheld messages stand in for one bundle of each walk of the pair, and for no other pair.
      let left = pairCost;
      for (let isFirst = true; left > 0; isFirst = false) {
        const open = this.#walk(pair, isFirst);
        if (open === null) break;
        if (open.length === 0) {
          // Heard whatever else is cut.
          if (left === Number.POSITIVE_INFINITY) return "too much";
          least += left;
          break;
        }
        const price = open.reduce((low, bundle) => Math.min(low, this.#residual[bundle] ?? 0), left);
        if (isFirst && (next === null || open.length < next.length)) next = open;
        if (price === 0) continue;
        for (const bundle of open) this.#residual[bundle] = (this.#residual[bundle] ?? 0) - price;
        left -= price;
        least += price;
        if (least >= limit) return "too much";
      }
    }
    if (least >= limit) return "too much";
    if (next === null) return this.#controllerReachesInboxes(heard) ? null : "too much";
    const costOf = (bundle: number) => bundleCosts[bundle] ?? 0;
    return next.toSorted((one, other) => costOf(one) - costOf(other));
  }

  /** What is withheld must be delivered again: the controller needs the brokers that do it. */
  #controllerReachesInboxes(withheld: readonly Pair[]): boolean {
    const { wiring } = this.#search;
    return withheld.every(({ listener }) => this.#possible.reaches(wiring.controller, wiring.inboxOf[listener] ?? -1));
  }

  #keepBest(withheld: readonly Pair[], cost: number): void {
    if (this.best !== null && this.best.cost <= cost) return;
    const bundles = this.#states.flatMap((state, bundle) => (state === cut ? [bundle] : []));
    this.best = { cost, cut: bundles, withheld: [...withheld] };
  }

  /**
   * The undecided bundles of a walk from the speaker to the listener that has as few of them as can be, or `null`. It
   * passes only what is not paid for, unless `anyPrice`.
   */
  #walk({ listener, speaker }: Pair, anyPrice: boolean): readonly number[] | null {
    const { switchCount, inboxOf } = this.#search.wiring;
    const inbox = inboxOf[listener] ?? -1;
    const there = this.#way(switchCount + speaker, inbox, anyPrice);
    const back = there === null ? null : this.#way(inbox, switchCount + listener, anyPrice);
    return there === null || back === null ? null : [...new Set([...there, ...back])];
  }

  /** Breadth first over switches; kept bundles count for nothing. */
  #way(from: number, to: number, anyPrice: boolean): readonly number[] | null {
    const { wiring } = this.#search;
    const { switchCount, waysFrom } = wiring;
    const distances = this.#distances.fill(-1);
    let nodes: number[] = [from];
    distances[from] = 0;
    for (let distance = 0; nodes.length > 0; distance += 1) {
      const further: number[] = [];
      for (const node of nodes) {
        if (distances[node] !== distance) continue;
        if (node === to) return this.#undecidedOn(from, to);
        if (node !== from && node >= switchCount) continue;
        for (const { bundle, to: next } of waysFrom[node] ?? []) {
          const state = this.#states[bundle];
          if (state === cut || (state === undecided && !anyPrice && (this.#residual[bundle] ?? 0) <= 0)) continue;
          const reachedAt = distance + (state === kept ? 0 : 1);
          const before = distances[next] ?? -1;
          if (before >= 0 && before <= reachedAt) continue;
          distances[next] = reachedAt;
          this.#arrivals[next] = bundle;
          (state === kept ? nodes : further).push(next);
        }
      }
      nodes = further;
    }
    return null;
  }

  #undecidedOn(from: number, to: number): readonly number[] {
    const found: number[] = [];
    for (let node = to; node !== from; ) {
      const bundle = this.#arrivals[node] ?? -1;
      const ends = this.#search.wiring.bundles[bundle]?.ends;
      if (this.#states[bundle] === undecided) found.push(bundle);
      node = (ends?.[0] === node ? ends[1] : ends?.[0]) ?? from;
    }
    return found;
  }
}
