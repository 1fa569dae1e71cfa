/** What somebody wishes of a bench, and what that demands of each two boards. */

import { type Bench, type NodeName, reachability } from "../../hardware/bench.ts";
import type { Pair } from "./plan-search.ts";

/** What a bench shall be made to do. */
export type Wish =
  /** No board hears one of another group; within a group everything stays as it is. Each board is in one group. */
  | { readonly kind: "split"; readonly groups: readonly (readonly NodeName[])[] }
  /** These boards here, all others there. */
  | { readonly kind: "isolate"; readonly boards: readonly NodeName[] }
  /** What boards of `from` say to boards of `to` is lost; everything else still arrives. */
  | { readonly kind: "one-way"; readonly from: readonly NodeName[]; readonly to: readonly NodeName[] }
  /** These cables, whatever that means for the boards. */
  | { readonly kind: "cut"; readonly cables: readonly string[] };

/** A wish about who hears whom. */
export type Separation = Exclude<Wish, { readonly kind: "cut" }>;

/** Who must not hear whom, and who still must; of pairs that never heard each other neither is said. */
export type Demand = { readonly apart: readonly Pair[]; readonly together: readonly Pair[] };

/** Works out what a separation demands. */
export function demandOf(wish: Separation, bench: Bench): Demand {
  const { hears } = reachability(bench, { cutCables: new Set(), downNodes: new Set() });
  const isApart = separates(wish);
  const apart: Pair[] = [];
  const together: Pair[] = [];
  for (const [listener, to] of bench.boards.entries()) {
    for (const [speaker, from] of bench.boards.entries()) {
      if (listener === speaker || !hears(to.name, from.name)) continue;
      (isApart(from.name, to.name) ? apart : together).push({ listener, speaker });
    }
  }
  return { apart, together };
}

function separates(wish: Separation): (from: NodeName, to: NodeName) => boolean {
  switch (wish.kind) {
    case "split": {
      const groupOf = new Map(wish.groups.flatMap((group, number) => group.map((board) => [board, number] as const)));
      return (from, to) => groupOf.get(from) !== groupOf.get(to);
    }
    case "isolate":
      return (from, to) => wish.boards.includes(from) !== wish.boards.includes(to);
    case "one-way":
      return (from, to) => wish.from.includes(from) && wish.to.includes(to);
    default:
      return wish satisfies never;
  }
}
