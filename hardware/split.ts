/** Which cables to cut so that the boards of a bench fall into groups. */

import { reachability } from "./graph.ts";
import type { Bench, NodeName } from "./model.ts";

/** Beyond so many cables between switches not every choice of them is tried. */
const trunksMax = 10;

/**
 * The cables to cut so that no board hears a board of another group: those that join boards of different groups, and as
 * few cables between switches as do the rest or, where those cannot, all cables of every board outside the largest
 * group. (On one broker only the group on the broker's side can talk among itself; each other board is then alone.)
 */
export function cablesToSplit(bench: Bench, groups: readonly (readonly NodeName[])[]): readonly string[] {
  const isSwitch = new Set(bench.switches.map((each) => each.name));
  const isBoard = new Set(bench.boards.map((board) => board.name));
  const groupOf = (node: NodeName) => groups.findIndex((group) => group.includes(node));
  const direct = bench.cables
    .filter(({ ends: [one, other] }) => isBoard.has(one.node) && isBoard.has(other.node))
    .filter(({ ends: [one, other] }) => groupOf(one.node) !== groupOf(other.node))
    .map(({ name }) => name);
  const trunks = bench.cables
    .filter((cable) => cable.ends.every((end) => isSwitch.has(end.node)))
    .map(({ name }) => name);
  for (const chosen of subsets(trunks.slice(0, trunksMax))) {
    const cables = [...direct, ...chosen];
    if (isSplit(bench, groups, cables)) return cables;
  }

  const largest = groups.reduce((one, other) => (other.length > one.length ? other : one), []);
  const outside = new Set(groups.filter((group) => group !== largest).flat());
  return bench.cables.filter((cable) => cable.ends.some((end) => outside.has(end.node))).map(({ name }) => name);
}

function isSplit(bench: Bench, groups: readonly (readonly NodeName[])[], cables: readonly string[]): boolean {
  const then = reachability(bench, { cutCables: new Set(cables), downNodes: new Set() });
  return groups.every((group) =>
    group.every((speaker) => then.boardsThatHear(speaker).every((listener) => group.includes(listener))),
  );
}

/** All subsets, smaller ones first. */
function subsets(items: readonly string[]): readonly (readonly string[])[] {
  let all: (readonly string[])[] = [[]];
  for (const item of items) all = [...all, ...all.map((subset) => [...subset, item])];
  return all.toSorted((one, other) => one.length - other.length);
}
