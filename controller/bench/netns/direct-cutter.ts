/** Cuts cables that lead from machine to machine without a switch: the interface at their first end is taken down. */

import type { Cable } from "../../../hardware/bench.ts";
import type { CutDirection } from "../../../sim/network-types.ts";
import { type CircuitState, CutterFailure, type CutterIdentity, type OpenCutter } from "../../cutters/cutter.ts";
import type { Network } from "./network.ts";
import type { NetworkPlan, PlannedEnd } from "./plan-network.ts";

/** See the head of this file. The network ends with the process that made it, and so do the cuts. */
export class DirectCutter implements OpenCutter {
  readonly name = "virtual";
  readonly healsByItself = true;
  readonly cutsOneWay = false;
  readonly #network: Network;
  readonly #plan: NetworkPlan;

  constructor(network: Network, plan: NetworkPlan) {
    this.#network = network;
    this.#plan = plan;
  }

  async cut(cable: Cable, direction: CutDirection): Promise<void> {
    if (direction !== "both") {
      throw new CutterFailure(`${cable.name} is cut both ways or not at all: an interface is up or down.`);
    }
    await this.#network.takeDown(this.#endOf(cable), "cut");
  }

  async heal(cable: Cable): Promise<void> {
    await this.#network.bringUp(this.#endOf(cable), "cut");
  }

  async read(cable: Cable): Promise<CircuitState> {
    return (await this.#network.isUp(this.#endOf(cable))) ? "whole" : "both";
  }

  identify(): Promise<CutterIdentity> {
    return Promise.resolve({ device: "the interfaces of network namespaces", remarks: [] });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #endOf({ name }: Cable): PlannedEnd {
    const [end] = this.#plan.cables.get(name) ?? [];
    if (end !== undefined) return end;
    throw new CutterFailure(`There is no cable ${name} on this bench.`);
  }
}
