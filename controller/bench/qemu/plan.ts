/** Who has which address on a QEMU bench, and what joins them: one network of bridges, without rings. */

import { type Bench, type Cable, controllerNode, type NodeName, type Port } from "../../../hardware/bench.ts";
import { BenchFailure } from "../bench.ts";

/** All that is to be made. */
export type QemuPlan = {
  readonly boards: readonly PlannedBoard[];
  readonly brokers: readonly PlannedBroker[];
  /** Lines of `ip` that make bridges, taps and what joins bridges. */
  readonly lines: readonly string[];
  /** The switches, each a bridge. */
  readonly bridges: ReadonlyMap<NodeName, string>;
  /** The cables that end at no board, by name: each an interface which is taken down to cut it. */
  readonly others: ReadonlyMap<string, string>;
};

/** A virtual machine. */
export type PlannedBoard = {
  readonly name: NodeName;
  readonly address: string;
  readonly cards: readonly NetworkCard[];
};

/** A network card of a virtual machine, the tap behind it, and the cable that is plugged in there. */
export type NetworkCard = { readonly cable: string; readonly tap: string; readonly mac: string };

/** Where a broker listens. `node` is a board, or its own name: then it is a process beside the virtual machines. */
export type PlannedBroker = {
  readonly name: NodeName;
  readonly node: NodeName;
  readonly host: string;
  readonly port: number;
};

const brokerPort = 8_883;
const network = "10.77.0";
const prefixBits = 24;
/** Where each kind of machine begins in the network. */
const first = { controller: 1, broker: 10, board: 100 };

/** Works it out. @throws {BenchFailure} for cables that such a bench cannot have */
export function planQemu(bench: Bench): QemuPlan {
  const bridges = new Map(bench.switches.map(({ name }, index) => [name, `switch${index}`]));
  const bridgeAt = (port: Port): string | undefined => bridges.get(port.node);
  const lines = [...bridges.values()].flatMap((bridge) => [
    `link add ${bridge} type bridge stp_state 0 forward_delay 0`,
    `link set ${bridge} up`,
  ]);
  const others = new Map<string, string>();
  const boards = bench.boards.map(({ name }, index) => ({
    name,
    address: `${network}.${first.board + index}`,
    cards: cablesOf(bench, name).map((cable, card): NetworkCard => {
      const tap = `tap${index}-${card}`;
      lines.push(...tapLines(tap, bridgeAt(otherEnd(cable, name)), cable));
      return { cable: cable.name, tap, mac: macOf(index, card) };
    }),
  }));
  const machines = bench.brokers.filter(({ name, node }) => name === node);
  for (const [index, { name }] of machines.entries()) {
    const [cable, ...more] = cablesOf(bench, name);
    const bridge = cable === undefined ? undefined : bridgeAt(otherEnd(cable, name));
    if (cable === undefined || bridge === undefined || more.length > 0) {
      throw new BenchFailure(`On a qemu bench a broker's machine has one cable, to a switch: ${name} has not.`);
    }
    lines.push(...pairLines(`broker${index}`, null, `port${index}`, bridge));
    lines.push(`addr add ${network}.${first.broker + index}/${prefixBits} dev broker${index}`);
    others.set(cable.name, `port${index}`);
  }
  for (const [index, cable] of trunksOf(bench).entries()) {
    const [one, other] = cable.ends.map(bridgeAt);
    if (one === undefined || other === undefined) continue;
    lines.push(...pairLines(`trunk${index}a`, one, `trunk${index}b`, other));
    others.set(cable.name, `trunk${index}a`);
  }
  return { boards, brokers: brokersOf(bench), lines, bridges, others };
}

function brokersOf({ boards, brokers }: Bench): readonly PlannedBroker[] {
  const machines = brokers.filter(({ name, node }) => name === node).map(({ name }) => name);
  return brokers.map(({ name, node }) => {
    const machine = machines.indexOf(node);
    const board = boards.findIndex((each) => each.name === node);
    const host = machine === -1 ? `${network}.${first.board + board}` : `${network}.${first.broker + machine}`;
    return { name, node, host, port: brokerPort };
  });
}

function cablesOf({ cables }: Bench, node: NodeName): readonly Cable[] {
  return cables.filter(({ ends }) => ends.some((end) => end.node === node));
}

function trunksOf({ cables, switches }: Bench): readonly Cable[] {
  const names = switches.map(({ name }) => name);
  return cables.filter(({ ends }) => ends.every(({ node }) => names.includes(node)));
}

function otherEnd({ ends: [one, other] }: Cable, node: NodeName): Port {
  return one.node === node ? other : one;
}

function tapLines(tap: string, bridge: string | undefined, { name, ends }: Cable): readonly string[] {
  if (bridge === undefined) {
    const [one, other] = ends;
    throw new BenchFailure(
      `On a qemu bench a board's cable leads to a switch; ${name} joins ${one.node} and ${other.node}.`,
    );
  }
  return [`tuntap add ${tap} mode tap`, `link set ${tap} master ${bridge} up`];
}

/** Two interfaces that are joined; `null`: on no bridge. */
function pairLines(one: string, oneBridge: string | null, other: string, otherBridge: string): readonly string[] {
  return [
    `link add ${one} type veth peer name ${other}`,
    `link set ${one} ${oneBridge === null ? "" : `master ${oneBridge} `}up`,
    `link set ${other} master ${otherBridge} up`,
  ];
}

/** Locally administered, and the same in each run. */
function macOf(board: number, card: number): string {
  const hex = (value: number): string => value.toString(16).padStart(2, "0");
  return `52:54:ad:21:${hex(card)}:${hex(board + 1)}`;
}

/** Where the controller is plugged in: the bridge that gets an address of its own. */
export function controllerLines(bench: Bench, { bridges }: QemuPlan): readonly string[] {
  const [name] = bench.controller.switches;
  const bridge = name === undefined ? undefined : bridges.get(name);
  if (bridge === undefined) throw new BenchFailure(`On a qemu bench the ${controllerNode} is plugged into a switch.`);
  return [`addr add ${network}.${first.controller}/${prefixBits} dev ${bridge}`];
}
