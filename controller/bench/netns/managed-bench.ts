/**
 * The bench as its cutters see it: what is virtual in the file is cut here by the switches' management. A cable between two
 * machines without a switch stays virtual.
 */

import type { Bench, Cable, Cutter, NodeName, Port, SwitchManagement } from "../../../hardware/bench.ts";
import { bridgeInterface, managementInterface, type NetworkPlan, type PlannedSwitch } from "./plan-network.ts";

/** Puts the management of the switches that were made in the place of what the file says. */
export function managedBench(
  bench: Bench,
  plan: NetworkPlan,
  managements: ReadonlyMap<NodeName, SwitchManagement>,
): Bench {
  const virtual = new Set(bench.cutters.filter(({ driver }) => driver === "virtual").map(({ name }) => name));
  const switchOf = (name: NodeName) => plan.switches.find(({ node }) => node === name);
  const own = plan.switches.flatMap((planned): readonly Cutter[] => {
    const management = managements.get(planned.node);
    return management === undefined ? [] : [switchCutter(cutterOf(planned.node), planned, management)];
  });
  const declared = bench.cutters.map((cutter): Cutter => {
    if (cutter.driver !== "switch") return cutter;
    const [planned, management] = [switchOf(cutter.switch), managements.get(cutter.switch)];
    return planned === undefined || management === undefined ? cutter : switchCutter(cutter.name, planned, management);
  });
  const endOf = ({ node, port }: Port): Port => ({ node, port: switchOf(node)?.ports.get(port) ?? port });
  const cables = bench.cables.map((cable): Cable => {
    const ends = [endOf(cable.ends[0]), endOf(cable.ends[1])] as const;
    const closes = virtual.has(cable.cutter.name) ? managingSwitch(cable, plan) : null;
    return { ...cable, ends, cutter: closes === null ? cable.cutter : { name: cutterOf(closes), channel: null } };
  });
  const named = new Set(cables.map(({ cutter }) => cutter.name));
  return { ...bench, cables, cutters: [...declared, ...own].filter(({ name }) => named.has(name)) };
}

/** The switch that closes the port of a cable; of a trunk it is the first; `null` if there is none. */
export function managingSwitch({ ends }: Cable, { switches }: NetworkPlan): NodeName | null {
  return ends.find(({ node }) => switches.some((each) => each.node === node))?.node ?? null;
}

/** No cutter of a bench's file has a name with a space. */
function cutterOf(node: NodeName): string {
  return `ports of ${node}`;
}

function switchCutter(name: string, planned: PlannedSwitch, management: SwitchManagement): Cutter {
  const { node, controllerPort } = planned;
  const own = [bridgeInterface, managementInterface, ...(controllerPort === null ? [] : [controllerPort])];
  return { name, driver: "switch", switch: node, protectedPorts: own, ...management };
}
