/** The cables of a local bench: forwarders between everybody and the brokers, whose ways follow from what is cut. */

import type { Bench, NodeName } from "../../../hardware/bench.ts";
import type { CutDirection } from "../../../sim/network-types.ts";
import { Topology } from "../../../sim/topology.ts";
import { Forwarder } from "./forwarder.ts";

/** A path over cables, and the forwarder that stands for it. */
type Path = { readonly from: NodeName; readonly to: NodeName; readonly forwarder: Forwarder };

/** See the head of this file. Doing what is so already changes nothing. */
export class Cabling {
  readonly #bench: Bench;
  readonly #topology: Topology;
  readonly #paths: Path[] = [];
  readonly #cuts = new Map<string, CutDirection>();
  readonly #withoutPower = new Set<NodeName>();

  constructor(bench: Bench) {
    this.#bench = bench;
    this.#topology = new Topology(bench);
  }

  /** The cables that are cut, and which way. */
  get cuts(): ReadonlyMap<string, CutDirection> {
    return this.#cuts;
  }

  /**
   * A new way for somebody to a broker, over the cables between them.
   *
   * @param from a board, or the controller
   * @param to the machine on which the broker runs
   * @param brokerPort where the broker listens
   * @param port where the way begins; 0 takes a free one
   * @returns the port where it begins
   */
  async addPath(from: NodeName, to: NodeName, brokerPort: number, port: number): Promise<number> {
    const forwarder = await Forwarder.open({ port, brokerPort: () => brokerPort });
    this.#paths.push({ from, to, forwarder });
    return forwarder.port;
  }

  /** Cuts a cable. What is cut one way and then the other is cut both ways. */
  cut(cable: string, direction: CutDirection): void {
    const before = this.#cuts.get(cable);
    this.#topology.cut(cable, direction);
    this.#cuts.set(cable, before === undefined || before === direction ? direction : "both");
    this.#follow();
  }

  heal(cable: string): void {
    this.#topology.heal(cable);
    this.#cuts.delete(cable);
    this.#follow();
  }

  /** Power of a switch, or of a board with all that runs on it. */
  setPower(node: NodeName, on: boolean): void {
    if (on === !this.#withoutPower.has(node)) return;
    if (on) this.#withoutPower.delete(node);
    else this.#withoutPower.add(node);
    this.#topology.setPower(this.#topology.indexOf(node), on);
    this.#follow();
    if (on || this.#bench.switches.some((each) => each.name === node)) return;
    for (const { from, to, forwarder } of this.#paths) {
      if (from === node) forwarder.losePower("near");
      if (to === node) forwarder.losePower("far");
    }
  }

  hasPower(node: NodeName): boolean {
    return !this.#withoutPower.has(node);
  }

  async close(): Promise<void> {
    await Promise.all(this.#paths.map(({ forwarder }) => forwarder.close()));
  }

  #follow(): void {
    for (const { from, to, forwarder } of this.#paths) {
      const [here, there] = [this.#topology.indexOf(from), this.#topology.indexOf(to)];
      forwarder.setWays({ there: this.#topology.reaches(here, there), back: this.#topology.reaches(there, here) });
    }
  }
}
