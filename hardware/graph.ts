/** Who can reach whom over the cables of a bench, with some of them cut and some machines without power. */

import type { Bench, NodeName } from "./model.ts";
import { controllerNode } from "./model.ts";

/** What is broken at one moment. */
export type Damage = {
  /** The names of the cables that are cut. */
  readonly cutCables: ReadonlySet<string>;
  /** The names of the boards, switches and brokers that are down (a broker also falls with the board under it). */
  readonly downNodes: ReadonlySet<NodeName>;
};

/** What the cables allow at one moment. Names that are not on the bench reach nothing. */
export type Reachability = {
  /** Whether frames go from one node to the other and back: boards, brokers, switches, the controller. */
  reaches(from: NodeName, to: NodeName): boolean;
  /** Whether what board `speaker` says to board `listener` arrives: both reach the broker of the listener's inbox. */
  hears(listener: NodeName, speaker: NodeName): boolean;
  /** The other boards that hear `speaker`, in the order of the bench. */
  boardsThatHear(speaker: NodeName): readonly NodeName[];
};

/**
 * Works out what is connected, once; each question afterwards costs a few comparisons.
 *
 * Cables and switches that touch form segments (union-find); a machine reaches whatever hangs on one of its segments.
 * Machines join no segments, because only switches pass on what is not for them.
 */
export function reachability(bench: Bench, damage: Damage): Reachability {
  const segments = createSegments();
  const isSwitch = new Set(bench.switches.map((each) => each.name));
  const plugs = new Map<NodeName, string[]>();
  const isUp = (node: NodeName) => !damage.downNodes.has(node);

  for (const board of bench.boards) plugs.set(board.name, []);
  for (const broker of bench.brokers) if (broker.node === broker.name) plugs.set(broker.name, []);
  for (const each of bench.switches) plugs.set(each.name, [switchElement(each.name)]);
  plugs.set(controllerNode, bench.controller.switches.filter(isUp).map(switchElement));

  for (const cable of bench.cables) {
    if (damage.cutCables.has(cable.name)) continue;
    const element = cableElement(cable.name);
    for (const { node } of cable.ends) {
      if (!isSwitch.has(node)) plugs.get(node)?.push(element);
      else if (isUp(node)) segments.join(element, switchElement(node));
    }
  }

  const segmentsOf = new Map<NodeName, ReadonlySet<string>>();
  for (const [node, elements] of plugs) if (isUp(node)) segmentsOf.set(node, new Set(elements.map(segments.find)));

  const brokerNode = new Map(bench.brokers.filter((each) => isUp(each.name)).map((each) => [each.name, each.node]));
  const inboxes = new Map(bench.boards.map((board) => [board.name, board.inbox]));
  const brokers = new Set(bench.brokers.map((broker) => broker.name));

  /** The machine behind a name: a broker's name stands for the board under it, and for nothing while it is down. */
  const machineOf = (name: NodeName) => (brokers.has(name) ? brokerNode.get(name) : name);

  function reaches(from: NodeName, to: NodeName): boolean {
    const here = machineOf(from);
    const there = machineOf(to);
    if (here === undefined || there === undefined) return false;
    const mine = segmentsOf.get(here);
    const theirs = segmentsOf.get(there);
    if (mine === undefined || theirs === undefined) return false;
    if (here === there) return true;
    for (const segment of mine) if (theirs.has(segment)) return true;
    return false;
  }

  function hears(listener: NodeName, speaker: NodeName): boolean {
    const inbox = inboxes.get(listener);
    return inbox !== undefined && inboxes.has(speaker) && reaches(speaker, inbox) && reaches(inbox, listener);
  }

  return {
    reaches,
    hears,
    boardsThatHear: (speaker) =>
      bench.boards.map((board) => board.name).filter((board) => board !== speaker && hears(board, speaker)),
  };
}

const cableElement = (name: string) => `cable ${name}`;
const switchElement = (name: NodeName) => `switch ${name}`;

/** Union-find over names, with path halving. */
function createSegments() {
  const parents = new Map<string, string>();

  function find(element: string): string {
    let here = element;
    for (;;) {
      const parent = parents.get(here) ?? here;
      if (parent === here) return here;
      const grandparent = parents.get(parent) ?? parent;
      parents.set(here, grandparent);
      here = grandparent;
    }
  }

  return {
    find,
    join(one: string, other: string): void {
      const root = find(one);
      const otherRoot = find(other);
      if (root !== otherRoot) parents.set(root, otherRoot);
    },
  };
}
