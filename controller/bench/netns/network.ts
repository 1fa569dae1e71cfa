/** The network of a bench in the kernel: namespaces, pairs of interfaces for cables, bridges for switches. */

import { controllerNode, type NodeName } from "../../../hardware/bench.ts";
import type { Warden } from "../local/warden.ts";
import { Commands } from "./ip.ts";
import { namespaceOf, type RunId } from "./names.ts";
import {
  bridgeInterface,
  managementInterface,
  managementPrefix,
  type NetworkPlan,
  type PlannedEnd,
  type PlannedMachine,
  type PlannedSwitch,
} from "./plan-network.ts";

/** Why an interface is down; it comes up again when there is no reason left. */
export type DownReason = "cut" | "no power";

/** See the head of this file. */
export class Network {
  readonly #run: RunId;
  readonly #plan: NetworkPlan;
  readonly #reasons = new Map<string, Set<DownReason>>();

  readonly #commands: Commands;

  constructor(run: RunId, plan: NetworkPlan, warden: Warden) {
    this.#run = run;
    this.#commands = new Commands(warden);
    this.#plan = plan;
  }

  /** The names of all namespaces that `build` makes: all but the controller's, which is there. */
  get namespaces(): readonly string[] {
    const { machines, switches } = this.#plan;
    const nodes = [...machines, ...switches].map(({ node }) => node).filter((node) => node !== controllerNode);
    return nodes.map((node) => this.namespaceOf(node));
  }

  namespaceOf(node: NodeName): string {
    return namespaceOf(this.#run, node);
  }

  /** Makes all of it. @throws {BenchFailure} with what the kernel has against it */
  async build(): Promise<void> {
    const { machines, switches, cables, uplinks, hasRing } = this.#plan;
    await this.#commands.ip(this.namespaces.map((name) => `netns add ${name}`));
    const side = ({ node, interface: name }: PlannedEnd) => `${name} netns ${this.namespaceOf(node)}`;
    await this.#commands.ip(
      [...cables.values(), ...uplinks].map(
        ([one, other]) => `link add ${side(one)} type veth peer name ${side(other)}`,
      ),
    );
    await Promise.all([
      ...machines.map((machine) => this.#setUpMachine(machine)),
      ...switches.map((each) => this.#setUpSwitch(each, hasRing)),
    ]);
  }

  /** Takes an interface of a machine down; its peer loses carrier. */
  async takeDown(end: PlannedEnd, reason: DownReason): Promise<void> {
    this.#reasonsOf(end).add(reason);
    await this.#commands.ipIn(this.namespaceOf(end.node), [`link set ${end.interface} down`]);
  }

  /** Brings it up, unless there is another reason why it is down. */
  async bringUp(end: PlannedEnd, reason: DownReason): Promise<void> {
    const reasons = this.#reasonsOf(end);
    const machine = this.#plan.machines.find(({ node }) => node === end.node);
    if (!reasons.delete(reason) || reasons.size > 0 || machine === undefined) return;
    // The kernel forgets an interface's routes when it goes down.
    const lines = [`link set ${end.interface} up`, ...routeLines(machine, end.interface)];
    await this.#commands.ipIn(this.namespaceOf(end.node), lines);
  }

  /** Whether an interface is up, as far as its own machine has it: asked from the kernel. */
  async isUp({ node, interface: name }: PlannedEnd): Promise<boolean> {
    const out = await this.#commands.run(["ip", "-n", this.namespaceOf(node), "-o", "link", "show", "dev", name]);
    return /<(?:[^>]*,)?UP[,>]/.test(out);
  }

  /** The machine loses its power: everything that is plugged in there loses its carrier, before anything else is heard of it. */
  async cutPower(node: NodeName): Promise<void> {
    await Promise.all(this.#endsOf(node).map((end) => this.takeDown(end, "no power")));
  }

  async restorePower(node: NodeName): Promise<void> {
    await Promise.all(this.#endsOf(node).map((end) => this.bringUp(end, "no power")));
  }

  /** Takes all ports of a switch down; gives those that were up. */
  async takeSwitchDown(node: NodeName): Promise<readonly string[]> {
    const planned = this.#plan.switches.find((each) => each.node === node);
    const names = planned === undefined ? [] : interfacesOf(planned);
    const states = await Promise.all(names.map((name) => this.isUp({ node, interface: name })));
    const up = names.filter((_, index) => states[index]);
    await this.#commands.ipIn(
      this.namespaceOf(node),
      names.map((name) => `link set ${name} down`),
    );
    return up;
  }

  async bringPortsUp(node: NodeName, names: readonly string[]): Promise<void> {
    await this.#commands.ipIn(
      this.namespaceOf(node),
      names.map((name) => `link set ${name} up`),
    );
  }

  #reasonsOf({ node, interface: name }: PlannedEnd): Set<DownReason> {
    const key = `${node} ${name}`;
    const reasons = this.#reasons.get(key) ?? new Set();
    this.#reasons.set(key, reasons);
    return reasons;
  }

  #endsOf(node: NodeName): readonly PlannedEnd[] {
    const machine = this.#plan.machines.find((each) => each.node === node);
    return (machine?.interfaces ?? []).map(({ name }) => ({ node, interface: name }));
  }

  async #setUpMachine(machine: PlannedMachine): Promise<void> {
    const { node, brokerAddress, interfaces } = machine;
    const namespace = this.namespaceOf(node);
    await this.#commands.shellIn(namespace, machineSettings);
    const isController = node === controllerNode;
    await this.#commands.ipIn(namespace, [
      "link set lo up",
      ...(brokerAddress === null ? [] : [`address add ${brokerAddress}/32 dev lo`]),
      ...interfaces.flatMap(({ name, address }) => [`address add ${address}/32 dev ${name}`, `link set ${name} up`]),
      ...interfaces.flatMap(({ name }) => routeLines(machine, name)),
      ...(isController ? this.#plan.switches.flatMap(managementLines) : []),
    ]);
  }

  async #setUpSwitch(planned: PlannedSwitch, hasRing: boolean): Promise<void> {
    const { node, management } = planned;
    const namespace = this.namespaceOf(node);
    await this.#commands.shellIn(namespace, commonSettings);
    const tree = hasRing ? quickTree : "stp_state 0 forward_delay 0";
    const ports = interfacesOf(planned).filter((name) => name !== managementInterface);
    await this.#commands.ipIn(namespace, [
      "link set lo up",
      `link add ${bridgeInterface} type bridge ${tree} mcast_snooping 0`,
      ...ports.map((name) => `link set ${name} master ${bridgeInterface} up`),
      `link set ${bridgeInterface} up`,
      `address add ${management.address}/30 dev ${managementInterface}`,
      `link set ${managementInterface} up`,
    ]);
  }
}

function interfacesOf({ ports, controllerPort }: PlannedSwitch): readonly string[] {
  return [...ports.values(), ...(controllerPort === null ? [] : [controllerPort]), managementInterface];
}

function managementLines({ management }: PlannedSwitch, index: number): readonly string[] {
  const name = `${managementPrefix}${index}`;
  return [`address add ${management.controllerAddress}/30 dev ${name}`, `link set ${name} up`];
}

function routeLines({ routes }: PlannedMachine, name: string): readonly string[] {
  return routes
    .filter((route) => route.interface === name)
    .map(({ to, via, source, metric }) => {
      const next = via === null ? "" : ` via ${via}`;
      return `route replace ${to}/32${next} dev ${name} src ${source} metric ${metric}${via === null ? "" : " onlink"}`;
    });
}

/** A spanning tree as quick as the kernel has one, in hundredths of a second. */
const quickTree = "stp_state 1 forward_delay 200 hello_time 100 max_age 600";

/** Without IPv6 nobody speaks on a segment but who is asked to. */
const commonSettings = [
  "echo 0 > /proc/sys/net/ipv4/ip_forward",
  "[ ! -e /proc/sys/net/ipv6/conf/all/disable_ipv6 ] || echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6",
];

/**
 * A machine answers for an address on the cable that has it and no other, takes what is for it from any, and leaves a way
 * as soon as its interface has no carrier. What it had to say before a power cut it does not say long after it.
 */
const machineSettings = [
  ...commonSettings,
  "for each in /proc/sys/net/ipv4/conf/*; do",
  "  echo 0 > $each/rp_filter; echo 1 > $each/arp_ignore; echo 2 > $each/arp_announce",
  "  echo 1 > $each/ignore_routes_with_linkdown",
  "done",
  "echo 1 > /proc/sys/net/ipv4/tcp_orphan_retries",
];
