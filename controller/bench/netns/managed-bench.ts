/**
 * The bench as its cutters see it: what the file gives to a device (relays, a chip, a switch of the table) or calls virtual is
 * cut here by the management of the switches that were made, and a cable between two machines without a switch by the
 * bench itself. What cuts without a device, such as a firewall or a hand, stays. No device of a real rack is ever opened.
 */

import type { Bench, Cable, Cutter, CutterDriver, NodeName, Port, SwitchManagement } from "../../../hardware/bench.ts";
import { bridgeInterface, managementInterface, type NetworkPlan, type PlannedSwitch } from "./plan-network.ts";

/** Puts the switches that were made in the place of all devices. The boards are processes: nothing takes their power. */
export function managedBench(
  bench: Bench,
  plan: NetworkPlan,
  managements: ReadonlyMap<NodeName, SwitchManagement>,
): Bench {
  const kept = bench.cutters.filter(({ driver }) => !isReplaced(driver));
  const own = plan.switches.flatMap((planned): readonly Cutter[] => {
    const management = managements.get(planned.node);
    return management === undefined ? [] : [switchCutter(planned, management)];
  });
  const endOf = ({ node, port }: Port): Port => {
    return { node, port: plan.switches.find((each) => each.node === node)?.ports.get(port) ?? port };
  };
  const cables = bench.cables.map((cable): Cable => {
    const ends = [endOf(cable.ends[0]), endOf(cable.ends[1])] as const;
    if (kept.some(({ name }) => name === cable.cutter.name)) return { ...cable, ends };
    const closes = managingSwitch(cable, plan);
    return { ...cable, ends, cutter: { name: closes === null ? direct.name : cutterOf(closes), channel: null } };
  });
  const named = new Set(cables.map(({ cutter }) => cutter.name));
  const cutters = [...kept, ...own, direct].filter(({ name }) => named.has(name));
  const boards = bench.boards.map((board) => ({ ...board, power: null }));
  return { ...bench, boards, cables, cutters, powerSources: [] };
}

/** Whether the bench itself stands in for cutters of this driver. */
export function isReplaced(driver: CutterDriver): boolean {
  switch (driver) {
    case "relay":
    case "usb-relay":
    case "gpio":
    case "switch":
    case "virtual":
      return true;
    case "firewall":
    case "broker":
    case "hand":
      return false;
    default:
      return driver satisfies never;
  }
}

/** What cuts a cable between two machines. No cutter of a bench's file has a name with a space. */
const direct = { name: "interfaces of machines", driver: "virtual" } as const satisfies Cutter;

/** The switch that closes the port of a cable; of a trunk it is the first; `null` if there is none. */
export function managingSwitch({ ends }: Cable, { switches }: NetworkPlan): NodeName | null {
  return ends.find(({ node }) => switches.some((each) => each.node === node))?.node ?? null;
}

function cutterOf(node: NodeName): string {
  return `ports of ${node}`;
}

function switchCutter(planned: PlannedSwitch, management: SwitchManagement): Cutter {
  const { node, controllerPort } = planned;
  const own = [bridgeInterface, managementInterface, ...(controllerPort === null ? [] : [controllerPort])];
  return { name: cutterOf(node), driver: "switch", switch: node, protectedPorts: own, ...management };
}
