/**
 * Works out the network of a bench: interfaces, addresses and routes, so that every machine finds every broker under one
 * address, by whichever of its cables leads there.
 *
 * Machines have an address on each cable; those on which brokers run have one more, on no cable, under which the brokers
 * are found. There are no subnets, only routes to single machines, the shortest way first: as soon as an interface loses
 * its carrier the kernel takes the next way. No machine passes on what is not for it.
 */

import { type Bench, type Cable, controllerNode, type NodeName, type Port } from "../../../hardware/bench.ts";
import { interfaceNames } from "./names.ts";

/** All that is to be made. */
export type NetworkPlan = {
  /** Boards, brokers' machines and the controller. */
  readonly machines: readonly PlannedMachine[];
  readonly switches: readonly PlannedSwitch[];
  /** The interfaces that each cable joins, by its name. */
  readonly cables: ReadonlyMap<string, PlannedLink>;
  /** What joins the controller to the switches and to their management. */
  readonly uplinks: readonly PlannedLink[];
  /** Whether switches are joined in a ring: then they need a spanning tree, or frames go round for ever. */
  readonly hasRing: boolean;
};

/** Two interfaces of which each is the other's peer. */
export type PlannedLink = readonly [PlannedEnd, PlannedEnd];

/** One end of a link. */
export type PlannedEnd = { readonly node: NodeName; readonly interface: string };

/** A machine, and how it finds others. */
export type PlannedMachine = {
  readonly node: NodeName;
  /** The address of the brokers on it; `null`: there are none. */
  readonly brokerAddress: string | null;
  readonly interfaces: readonly PlannedInterface[];
  readonly routes: readonly PlannedRoute[];
};

/** An interface of a machine. */
export type PlannedInterface = { readonly name: string; readonly address: string };

/** A way to one address; `via` is `null` if it belongs to the next machine's end of the same segment. */
export type PlannedRoute = {
  readonly to: string;
  readonly via: string | null;
  readonly interface: string;
  readonly source: string;
  /** The smaller, the better. */
  readonly metric: number;
};

/** A switch: its ports are all its interfaces but that of its management, which carries nothing else. */
export type PlannedSwitch = {
  readonly node: NodeName;
  /** Interfaces by the labels of the ports into which cables are plugged. */
  readonly ports: ReadonlyMap<string, string>;
  readonly controllerPort: string | null;
  readonly management: { readonly address: string; readonly controllerAddress: string };
};

/** The interfaces of a switch that are no port of the bench. */
export const bridgeInterface = "br0";
export const managementInterface = "mgmt0";

/** Plans the network of a bench. The same bench gets the same plan. */
export function planNetwork(bench: Bench): NetworkPlan {
  const switches = bench.switches.map((each, index): PlannedSwitch => {
    const inUse = bench.cables.flatMap(({ ends }) => ends.filter(({ node }) => node === each.name));
    const ports = interfaceNames(
      inUse.map(({ port }) => port),
      [bridgeInterface, managementInterface, controllerPortName],
    );
    const isPluggedIn = bench.controller.switches.includes(each.name);
    const management = { address: `10.79.${index}.1`, controllerAddress: `10.79.${index}.2` };
    return { node: each.name, ports, controllerPort: isPluggedIn ? controllerPortName : null, management };
  });
  const plugs = plugsOf(bench, switches);
  const distance = distances(bench);
  const brokerAddresses = new Map(
    [...new Set(bench.brokers.map(({ node }) => node))].map((node, index) => [node, addressIn(78, index)]),
  );
  const machines = machinesOf(bench).map((node): PlannedMachine => {
    const own = plugs.filter((plug) => plug.node === node);
    const brokerAddress = brokerAddresses.get(node) ?? null;
    const routes = routesOf(own, { plugs, brokerAddresses, distance });
    return { node, brokerAddress, interfaces: own.map(({ name, address }) => ({ name, address })), routes };
  });
  const cables = cablesOf(bench, plugs, switches);
  return { machines, switches, cables, uplinks: uplinksOf(bench, switches), hasRing: hasRing(bench) };
}

const controllerPortName = "controller";

/** Every machine that runs something: boards, brokers' own machines, and the controller. */
function machinesOf({ boards, brokers }: Bench): readonly NodeName[] {
  const own = brokers.filter(({ name, node }) => name === node).map(({ name }) => name);
  return [...boards.map(({ name }) => name), ...own, controllerNode];
}

/** A machine's interface, and the segment into which its cable leads: a switch, or a cable without one. */
type Plug = {
  readonly node: NodeName;
  readonly port: string;
  readonly name: string;
  readonly address: string;
  readonly segment: NodeName | Cable;
};

function plugsOf(bench: Bench, switches: readonly PlannedSwitch[]): readonly Plug[] {
  const isSwitch = new Set(switches.map(({ node }) => node));
  const ends = bench.cables.flatMap((cable) => {
    const [first, second] = cable.ends;
    return [
      { end: first, segment: isSwitch.has(second.node) ? second.node : cable },
      { end: second, segment: isSwitch.has(first.node) ? first.node : cable },
    ].filter(({ end }) => !isSwitch.has(end.node));
  });
  const uplinks = bench.controller.switches.map((segment, index) => ({
    end: { node: controllerNode, port: uplinkOf(index) },
    segment,
  }));
  return [...ends, ...uplinks].map(({ end, segment }, index, all) => {
    const labels = all.filter((each) => each.end.node === end.node).map((each) => each.end.port);
    const name = interfaceNames(labels, []).get(end.port) ?? end.port;
    return { ...end, name, segment, address: addressIn(77, index) };
  });
}

type Surroundings = {
  readonly plugs: readonly Plug[];
  readonly brokerAddresses: ReadonlyMap<NodeName, string>;
  readonly distance: (from: NodeName, to: NodeName) => number | null;
};

function routesOf(own: readonly Plug[], { plugs, brokerAddresses, distance }: Surroundings): readonly PlannedRoute[] {
  const others = plugs.filter((plug) => !own.includes(plug));
  const ways = own
    .flatMap((from) => others.map((to) => ({ from, to, length: lengthOf(from, to, distance) })))
    .filter((way): way is Way => way.length !== null)
    .toSorted((one, other) => one.length - other.length);
  const toInterfaces = others.flatMap((plug) => {
    const there = ways.filter(({ to }) => to === plug);
    return there.map(({ from }, rank) => route(plug.address, null, from, rank));
  });
  const toBrokers = [...brokerAddresses].flatMap(([node, address]) => {
    const there = ways.filter(({ to }) => to.node === node);
    return there.map(({ from, to }, rank) => route(address, to.address, from, rank));
  });
  return [...toInterfaces, ...toBrokers];
}

type Way = { readonly from: Plug; readonly to: Plug; readonly length: number };

function route(to: string, via: string | null, { name, address }: Plug, rank: number): PlannedRoute {
  return { to, via, interface: name, source: address, metric: 10 + rank };
}

/** Over how many switches it goes; `null` if it does not. */
function lengthOf(from: Plug, to: Plug, distance: Surroundings["distance"]): number | null {
  if (typeof from.segment !== "string" || typeof to.segment !== "string") return from.segment === to.segment ? 0 : null;
  const between = distance(from.segment, to.segment);
  return between === null ? null : between + 1;
}

/** How many trunks lie between two switches, at least. */
function distances({ switches, cables }: Bench): Surroundings["distance"] {
  const names = new Set(switches.map(({ name }) => name));
  const trunks = cables.filter(({ ends }) => ends.every(({ node }) => names.has(node)));
  const found = new Map<NodeName, ReadonlyMap<NodeName, number>>();
  for (const start of names) {
    const reached = new Map([[start, 0]]);
    for (const [here, hops] of reached) {
      for (const { ends } of trunks) {
        const there = ends[0].node === here ? ends[1].node : ends[1].node === here ? ends[0].node : here;
        if (!reached.has(there)) reached.set(there, hops + 1);
      }
    }
    found.set(start, reached);
  }
  return (from, to) => found.get(from)?.get(to) ?? null;
}

/** As many trunks as switches, or more, in what they join: then there is a second way round. */
function hasRing({ switches, cables }: Bench): boolean {
  const groups = new Map(switches.map(({ name }) => [name, name]));
  for (const { ends } of cables) {
    const [one, other] = [groups.get(ends[0].node), groups.get(ends[1].node)];
    if (one === undefined || other === undefined) continue;
    if (one === other) return true;
    for (const [name, group] of groups) if (group === other) groups.set(name, one);
  }
  return false;
}

function cablesOf(
  { cables }: Bench,
  plugs: readonly Plug[],
  switches: readonly PlannedSwitch[],
): ReadonlyMap<string, PlannedLink> {
  const endOf = ({ node, port }: Port): PlannedEnd => {
    const portName = switches.find((each) => each.node === node)?.ports.get(port);
    const plugName = plugs.find((plug) => plug.node === node && plug.port === port)?.name;
    return { node, interface: portName ?? plugName ?? port };
  };
  return new Map(cables.map(({ name, ends }) => [name, [endOf(ends[0]), endOf(ends[1])]]));
}

function uplinksOf({ controller }: Bench, switches: readonly PlannedSwitch[]): readonly PlannedLink[] {
  const own = (name: string): PlannedEnd => ({ node: controllerNode, interface: name });
  return [
    ...controller.switches.map(
      (node, index) => [own(uplinkOf(index)), { node, interface: controllerPortName }] as const,
    ),
    ...switches.map(({ node }, index) => {
      return [own(`${managementPrefix}${index}`), { node, interface: managementInterface }] as const;
    }),
  ];
}

/** How the controller's interfaces are called that lead to switches. */
function uplinkOf(index: number): string {
  return `eth${index}`;
}

/** How the controller's interfaces are called that lead to the switches' management, in the order of the switches. */
export const managementPrefix = "mgmt";

/** The address of this number in 10.`block`.0.0/16. */
function addressIn(block: number, index: number): string {
  const number = index + 1;
  return `10.${block}.${Math.floor(number / 256)}.${number % 256}`;
}
