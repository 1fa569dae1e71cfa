/**
 * A bench of network namespaces: boards and brokers are processes, each in a namespace of its own; cables, switches and the
 * loss of carrier are the kernel's. Cuts go through the cutters, mostly the switches' management, as on a rack.
 */

import type { NodeName } from "../../../hardware/bench.ts";
import type { CuttersSettings } from "../../cutters/cutters.ts";
import { type Cutters, openCutters } from "../../cutters/cutters.ts";
import type { BenchAction } from "../../experiment/bench-action.ts";
import { BenchFailure } from "../bench.ts";
import type { Equipment } from "../local/equip.ts";
import { Machines, type MachinesSettings } from "../local/machines.ts";
import type { MachineState } from "../local/settings.ts";
import type { Refusal } from "../operator.ts";
import { managingSwitch } from "./managed-bench.ts";
import type { Network } from "./network.ts";
import type { NetworkPlan } from "./plan-network.ts";
import type { SnmpAgent } from "./snmp-agent.ts";

/** What it is put together from. */
export type NetnsParts = {
  readonly machines: MachinesSettings;
  readonly equipment: Equipment;
  readonly plan: NetworkPlan;
  readonly network: Network;
  readonly agents: ReadonlyMap<NodeName, SnmpAgent>;
  readonly cutters: CuttersSettings;
};

type CableAction = Extract<BenchAction, { readonly kind: "cut" | "heal" }>;

/** A switch without power: the interfaces that come up with it, and what is to be done to its cables then. */
type SwitchOff = { readonly interfaces: readonly string[]; readonly waiting: Map<string, CableAction> };

/** See the head of this file. */
export class NetnsBench {
  readonly #parts: NetnsParts;
  readonly #machines: Machines;
  readonly #cutters: Cutters;
  readonly #off = new Map<NodeName, SwitchOff>();

  /** Starts everything on a network that is there. @throws {BenchFailure} */
  static async start(parts: NetnsParts): Promise<NetnsBench> {
    const machines = new Machines(parts.machines, parts.equipment);
    try {
      await Promise.all([machines.start(), ...[...parts.agents.values()].map((agent) => agent.start())]);
      return new NetnsBench(parts, machines, await openCutters(parts.cutters));
    } catch (error) {
      await machines.close();
      await killAll(parts);
      throw error;
    }
  }

  private constructor(parts: NetnsParts, machines: Machines, cutters: Cutters) {
    this.#parts = parts;
    this.#machines = machines;
    this.#cutters = cutters;
  }

  get boards(): readonly MachineState[] {
    return this.#machines.boards;
  }

  /** Does something to the bench; resolves when it was seen to be so. @throws {BenchFailure} if this bench cannot do it. */
  async carryOut(action: BenchAction): Promise<Refusal> {
    const { network } = this.#parts;
    switch (action.kind) {
      case "cut":
      case "heal":
        await this.#onCable(action);
        return null;
      case "withhold":
        await this.#cutters.withhold(action.from, action.to);
        return null;
      case "deliver":
        await this.#cutters.deliver(action.from, action.to);
        return null;
      case "switchOff":
        await this.#switchOff(action.switch);
        return null;
      case "switchOn":
        await this.#switchOn(action.switch);
        return null;
      case "setNoise":
        throw new BenchFailure("Between the boards of a netns bench is TCP: it cannot lose or double messages.");
      case "powerOff":
        // Its cables first: whoever dies of a power cut says no more goodbye.
        await network.cutPower(action.board);
        return this.#machines.carryOut(action);
      case "start":
        await network.restorePower(action.board);
        return this.#machines.carryOut(action);
      default:
        return this.#machines.carryOut(action);
    }
  }

  /** Heals what is cut and ends all processes; says what could not be healed. The network itself is its maker's. */
  async close(): Promise<readonly string[]> {
    for (const name of [...this.#off.keys()]) await this.#switchOn(name).catch(() => undefined);
    const { leftovers } = await this.#cutters.close();
    await this.#machines.close();
    await killAll(this.#parts);
    return leftovers;
  }

  async #onCable(action: CableAction): Promise<void> {
    const cable = this.#parts.machines.bench.cables.find(({ name }) => name === action.cable);
    const managedBy = cable === undefined ? null : managingSwitch(cable, this.#parts.plan);
    const off = managedBy === null ? undefined : this.#off.get(managedBy);
    // A switch without power does not answer, and lets nothing through.
    if (off !== undefined) off.waiting.set(action.cable, action);
    else if (action.kind === "cut") await this.#cutters.cut(action.cable, action.direction);
    else await this.#cutters.heal(action.cable);
  }

  async #switchOff(name: NodeName): Promise<void> {
    if (this.#off.has(name)) return;
    await this.#parts.agents.get(name)?.kill();
    const interfaces = await this.#parts.network.takeSwitchDown(name);
    this.#off.set(name, { interfaces, waiting: new Map() });
  }

  /** It comes back with its ports as they were. */
  async #switchOn(name: NodeName): Promise<void> {
    const off = this.#off.get(name);
    if (off === undefined) return;
    await this.#parts.network.bringPortsUp(name, off.interfaces);
    await this.#parts.agents.get(name)?.start();
    this.#off.delete(name);
    for (const action of off.waiting.values()) await this.#onCable(action);
  }
}

async function killAll({ agents }: NetnsParts): Promise<void> {
  await Promise.all([...agents.values()].map((agent) => agent.kill()));
}
