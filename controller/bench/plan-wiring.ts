/**
 * A bench's cables as the planner counts them: by number, parallel ones together.
 *
 * Cables between the same two nodes stand or fall together: to cut some of them changes nothing for anybody. So they are
 * one bundle, and a plan cuts bundles.
 */

import { type Bench, controllerNode, type NodeName } from "../../hardware/bench.ts";

/** All cables between two nodes. */
export type Bundle = {
  readonly ends: readonly [node: number, node: number];
  /** Places in the bench's list of cables. */
  readonly cables: readonly number[];
};

/** A bundle as it is seen from one of its ends. */
export type Way = { readonly bundle: number; readonly to: number };

/** The nodes of a bench by number (switches first, then boards, then brokers' machines, then the controller). */
export type Wiring = {
  readonly names: readonly NodeName[];
  readonly switchCount: number;
  readonly boardCount: number;
  readonly controller: number;
  readonly bundles: readonly Bundle[];
  /** The ways out of each node over cables. */
  readonly waysFrom: readonly (readonly Way[])[];
  /** The switches into which the controller is plugged. No cutter opens these cables. */
  readonly plugs: readonly number[];
  /** For each board the node on which the broker of its inbox runs. */
  readonly inboxOf: readonly number[];
  /** The number of a node; of a broker, that of the machine under it. */
  numberOf(name: NodeName): number;
};

/** Numbers the nodes of a bench. */
export function wiringOf(bench: Bench): Wiring {
  const machines = bench.brokers.filter(({ name, node }) => name === node);
  const names = [...bench.switches, ...bench.boards, ...machines].map(({ name }) => name).concat(controllerNode);
  const numbers = new Map(names.map((name, number) => [name, number]));
  for (const { name, node } of bench.brokers) numbers.set(name, numbers.get(node) ?? -1);
  const numberOf = (name: NodeName) => numbers.get(name) ?? -1;

  const bundles = bundlesOf(bench, numberOf);
  const waysFrom: Way[][] = names.map(() => []);
  for (const [bundle, { ends }] of bundles.entries()) {
    waysFrom[ends[0]]?.push({ bundle, to: ends[1] });
    waysFrom[ends[1]]?.push({ bundle, to: ends[0] });
  }
  return {
    names,
    switchCount: bench.switches.length,
    boardCount: bench.boards.length,
    controller: names.length - 1,
    bundles,
    waysFrom,
    plugs: bench.controller.switches.map(numberOf),
    inboxOf: bench.boards.map(({ inbox }) => numberOf(inbox)),
    numberOf,
  };
}

function bundlesOf(bench: Bench, numberOf: (name: NodeName) => number): readonly Bundle[] {
  const bundles = new Map<string, { ends: readonly [number, number]; cables: number[] }>();
  for (const [cable, { ends }] of bench.cables.entries()) {
    const [one, other] = [numberOf(ends[0].node), numberOf(ends[1].node)].toSorted((a, b) => a - b);
    if (one === undefined || other === undefined || one === other || one < 0) continue;
    const key = `${one} ${other}`;
    const bundle = bundles.get(key) ?? { ends: [one, other], cables: [] };
    bundle.cables.push(cable);
    bundles.set(key, bundle);
  }
  return [...bundles.values()];
}

/** Who reaches whom while some bundles are open. Made once and worked out anew again and again: it is asked very often. */
export class Connections {
  readonly #wiring: Wiring;
  readonly #roots: Int32Array;
  /** For each node a bit for each segment of switches on which it hangs, by the number of the segment's root. */
  readonly #segments: Int32Array;
  /** 1 at `node * nodes + node` where a cable joins two machines without a switch between. */
  readonly #links: Uint8Array;

  constructor(wiring: Wiring) {
    this.#wiring = wiring;
    this.#roots = new Int32Array(wiring.switchCount);
    this.#segments = new Int32Array(wiring.names.length);
    this.#links = new Uint8Array(wiring.names.length * wiring.names.length);
  }

  /** Works it out for those bundles that `isWhole` lets pass. */
  workOut(isWhole: (bundle: number) => boolean): this {
    const { bundles, switchCount, names, plugs, controller } = this.#wiring;
    for (let node = 0; node < switchCount; node += 1) this.#roots[node] = node;
    this.#segments.fill(0);
    this.#links.fill(0);
    // Ends are sorted and switches come first, so the first end tells whether a switch is there at all.
    for (const [bundle, { ends }] of bundles.entries()) {
      if (ends[1] < switchCount && isWhole(bundle)) this.#roots[this.#rootOf(ends[0])] = this.#rootOf(ends[1]);
    }
    for (let node = 0; node < switchCount; node += 1) this.#segments[node] = 1 << this.#rootOf(node);
    for (const plug of plugs) this.#hang(controller, plug);
    for (const [bundle, { ends }] of bundles.entries()) {
      const [one, other] = ends;
      if (other < switchCount || !isWhole(bundle)) continue;
      if (one < switchCount) this.#hang(other, one);
      else {
        this.#links[one * names.length + other] = 1;
        this.#links[other * names.length + one] = 1;
      }
    }
    return this;
  }

  /** Whether frames go from one node to the other and back. */
  reaches(from: number, to: number): boolean {
    if (from === to) return true;
    if (((this.#segments[from] ?? 0) & (this.#segments[to] ?? 0)) !== 0) return true;
    return this.#links[from * this.#wiring.names.length + to] === 1;
  }

  /** Whether what one board says arrives at the other. Boards are numbered in the order of the bench, from 0. */
  hears(listener: number, speaker: number): boolean {
    const { inboxOf, switchCount } = this.#wiring;
    const inbox = inboxOf[listener] ?? -1;
    return this.reaches(inbox, switchCount + listener) && this.reaches(switchCount + speaker, inbox);
  }

  #hang(node: number, onSwitch: number): void {
    this.#segments[node] = (this.#segments[node] ?? 0) | (1 << this.#rootOf(onSwitch));
  }

  #rootOf(node: number): number {
    let root = node;
    for (let next = this.#roots[root] ?? root; next !== root; next = this.#roots[root] ?? root) root = next;
    return root;
  }
}
