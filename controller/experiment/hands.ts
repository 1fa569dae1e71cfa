/**
 * Cables that a person pulled or plugged in during a run, without anyone telling: a board lost its carrier, and nothing
 * that the experiment did had opened the cable or switched off what is at its ends.
 */

import type { Bench, Cable } from "../../hardware/bench.ts";
import type { FaultKind } from "./model.ts";

/** What takes the carrier from the boards that it concerns. */
const takesCarrier: ReadonlySet<string> = new Set<FaultKind>([
  "cut",
  "flap",
  "split",
  "isolate",
  "switch-off",
  "power-cut",
  "replace",
  "wipe",
]);

/** After a fault the carrier may take so long to return: 100 Mb/s is negotiated in 3 to 5 s. */
const settleUsMax = 8_000_000;

/** What became of a cable by a hand. */
export type HandAct = { readonly act: "pulled" | "pluggedIn"; readonly cable: string };

/** Told of faults and of carriers in the order of time, it says what a hand must have done. */
export class HandWatch {
  readonly #bench: Bench;
  /** Cables and machines that a fault holds without carrier, and how many do. */
  readonly #held = new Map<string, number>();
  /** Until when the carrier of a cable or machine that was held may still be away. */
  readonly #settling = new Map<string, number>();
  readonly #pulled = new Set<string>();

  constructor(bench: Bench) {
    this.#bench = bench;
  }

  /** A fault takes the carrier from what it hits, or gives it back. */
  faultChanged(kind: string, targets: readonly string[], begins: boolean, atUs: number): void {
    if (!takesCarrier.has(kind)) return;
    for (const target of targets) {
      const count = (this.#held.get(target) ?? 0) + (begins ? 1 : -1);
      this.#held.set(target, Math.max(0, count));
      if (!begins) this.#settling.set(target, atUs + settleUsMax);
    }
  }

  /** A board's interface lost its carrier, or has it again. `null`: nothing that a hand did. */
  carrierChanged(board: string, networkInterface: string, up: boolean, atUs: number): HandAct | null {
    const cable = this.#cableAt(board, networkInterface);
    return cable === null ? null : this.#changed(cable, up, atUs);
  }

  /** A switch says that nothing is plugged in at a cable's other end any more, or again. */
  linkChanged(name: string, up: boolean, atUs: number): HandAct | null {
    const cable = this.#bench.cables.find((each) => each.name === name);
    return cable === undefined ? null : this.#changed(cable, up, atUs);
  }

  #changed(cable: Cable, up: boolean, atUs: number): HandAct | null {
    const { name } = cable;
    if (up) {
      for (const thing of thingsOf(cable)) this.#settling.delete(thing);
      return this.#pulled.delete(name) ? { act: "pluggedIn", cable: name } : null;
    }
    if (this.#pulled.has(name) || this.#isExplained(cable, atUs)) return null;
    this.#pulled.add(name);
    return { act: "pulled", cable: name };
  }

  #isExplained(cable: Cable, atUs: number): boolean {
    return thingsOf(cable).some(
      (thing) => (this.#held.get(thing) ?? 0) > 0 || (this.#settling.get(thing) ?? Number.NEGATIVE_INFINITY) > atUs,
    );
  }

  /** By the port's name or, where boards call their ports otherwise than the bench does, the board's only cable. */
  #cableAt(board: string, networkInterface: string): Cable | null {
    const cables = this.#bench.cables.filter(({ ends }) => ends.some(({ node }) => node === board));
    const isThere = ({ ends }: Cable): boolean =>
      ends.some(({ node, port }) => node === board && port === networkInterface);
    return cables.find(isThere) ?? (cables.length === 1 ? (cables[0] ?? null) : null);
  }
}

function thingsOf({ name, ends }: Cable): readonly string[] {
  return [name, ...ends.map(({ node }) => node)];
}
