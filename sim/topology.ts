/**
 * Which machine's frames reach which other, each way by itself, with cables cut and machines without power.
 *
 * `hardware/graph.ts` answers the same for cables that are whole or cut; here a cable can also lose one direction only.
 * Everything is worked out anew at each change, which is rare, so that a question is one look into a table.
 */

import type { Bench, NodeName } from "../hardware/model.ts";
import { controllerNode } from "../hardware/model.ts";
import type { CutDirection } from "./network-types.ts";

/** A node's place in the topology's own list. */
export type NodeIndex = number;

/** Who reaches whom on a bench, by number. */
export class Topology {
  private readonly names: readonly NodeName[];
  private readonly indexes: ReadonlyMap<NodeName, NodeIndex>;
  private readonly isSwitch: readonly boolean[];
  private readonly hasPower: boolean[];
  private readonly cables = new Map<string, CableState>();
  /** The ways out of each node. */
  private readonly lanes: readonly Lane[][];
  /** 1 at `from * nodes + to` where frames get through. */
  private readonly table: Uint8Array;

  constructor(bench: Bench) {
    const machines = bench.brokers.filter((broker) => broker.node === broker.name);
    const switches = bench.switches.map((each) => each.name);
    const others = [...bench.boards, ...machines].map((each) => each.name);
    this.names = [...switches, ...others, controllerNode];
    this.indexes = new Map(this.names.map((name, index) => [name, index]));
    this.isSwitch = this.names.map((_, index) => index < switches.length);
    this.hasPower = this.names.map(() => true);
    this.lanes = this.names.map(() => []);
    this.table = new Uint8Array(this.names.length * this.names.length);

    for (const { name, ends } of bench.cables) {
      const [first, second] = [this.indexOf(ends[0].node), this.indexOf(ends[1].node)];
      this.cables.set(name, { fromFirstEnd: this.addLane(first, second), fromSecondEnd: this.addLane(second, first) });
    }
    for (const name of bench.controller.switches) {
      const [controller, plug] = [this.indexOf(controllerNode), this.indexOf(name)];
      this.addLane(controller, plug);
      this.addLane(plug, controller);
    }
    this.workOut();
  }

  /** Whether what one node sends arrives at the other. A node without power reaches nothing, not even itself. */
  reaches(from: NodeIndex, to: NodeIndex): boolean {
    return this.table[from * this.names.length + to] === 1;
  }

  indexOf(name: NodeName): NodeIndex {
    const index = this.indexes.get(name);
    if (index === undefined) {
      throw new RangeError(`There is no ${name} on this bench: it has ${this.names.join(", ")}.`);
    }
    return index;
  }

  /** The node of a switch, and of nothing else. */
  switchNamed(name: NodeName): NodeIndex {
    const index = this.indexOf(name);
    if (this.isSwitch[index] !== true) throw new RangeError(`${name} is not a switch.`);
    return index;
  }

  setPower(node: NodeIndex, on: boolean): void {
    this.hasPower[node] = on;
    this.workOut();
  }

  cut(cable: string, direction: CutDirection): void {
    const state = this.cableNamed(cable);
    if (direction !== "fromSecondEnd") state.fromFirstEnd.whole = false;
    if (direction !== "fromFirstEnd") state.fromSecondEnd.whole = false;
    this.workOut();
  }

  heal(cable: string): void {
    const state = this.cableNamed(cable);
    state.fromFirstEnd.whole = true;
    state.fromSecondEnd.whole = true;
    this.workOut();
  }

  private cableNamed(name: string): CableState {
    const state = this.cables.get(name);
    if (state === undefined) {
      throw new RangeError(`There is no cable ${name} on this bench: it has ${[...this.cables.keys()].join(", ")}.`);
    }
    return state;
  }

  private addLane(from: NodeIndex, to: NodeIndex): Lane {
    const lane = { to, whole: true };
    this.lanes[from]?.push(lane);
    return lane;
  }

  private workOut(): void {
    this.table.fill(0);
    for (let from = 0; from < this.names.length; from += 1) {
      if (this.hasPower[from] === true) this.spreadFrom(from);
    }
  }

  /** Marks all that `from` reaches: only switches pass on what is not for them. */
  private spreadFrom(from: NodeIndex): void {
    const row = from * this.names.length;
    const passing = [from];
    this.table[row + from] = 1;
    for (let node = passing.pop(); node !== undefined; node = passing.pop()) {
      for (const lane of this.lanes[node] ?? []) {
        if (!lane.whole || this.hasPower[lane.to] !== true || this.table[row + lane.to] === 1) continue;
        this.table[row + lane.to] = 1;
        if (this.isSwitch[lane.to] === true) passing.push(lane.to);
      }
    }
  }
}

/** One direction of a cable. */
type Lane = { readonly to: NodeIndex; whole: boolean };

type CableState = { readonly fromFirstEnd: Lane; readonly fromSecondEnd: Lane };
