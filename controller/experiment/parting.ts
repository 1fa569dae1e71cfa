/** How a fault parts boards on a bench: by its planner, or on a bench of virtual cables as near as those allow. */

import { type Bench, cablesToSplit } from "../../hardware/bench.ts";
import { type OneWayCables, type PlanAction, planFault, type Wish } from "../bench/plan.ts";

/** A wish that a fault of an experiment can have. */
export type Parting = Extract<Wish, { readonly kind: "split" | "isolate" }> | OneWayCables;

/**
 * What to do. On a bench where it cannot be done exactly, which a rack refuses before it begins, every cable is taken for
 * one that can be cut.
 */
export function partingActions(wish: Parting, bench: Bench): readonly PlanAction[] {
  if (!isVirtual(bench)) {
    const planned = planFault(wish, bench);
    if (!("kind" in planned)) return planned;
  }
  switch (wish.kind) {
    case "split":
      return cablesToSplit(bench, wish.groups).map(cutBothWays);
    case "isolate": {
      const others = bench.boards.map(({ name }) => name).filter((name) => !wish.boards.includes(name));
      return cablesToSplit(bench, [wish.boards, others]).map(cutBothWays);
    }
    case "one-way-cables":
      return wish.boards.flatMap((board) => oneWayCuts(bench, board, wish.loses));
    default:
      return wish satisfies never;
  }
}

function isVirtual({ cutters }: Bench): boolean {
  return cutters.every(({ driver }) => driver === "virtual");
}

function cutBothWays(cable: string): PlanAction {
  return { kind: "cut", cable, direction: "both" };
}

/** What a board sends comes from its own end of a cable, what it hears from the other. */
function oneWayCuts(bench: Bench, board: string, loses: "incoming" | "outgoing"): readonly PlanAction[] {
  return bench.cables
    .filter((cable) => cable.ends.some((end) => end.node === board))
    .map(({ name: cable, ends }) => {
      const isFirst = ends[0].node === board;
      const direction = isFirst === (loses === "outgoing") ? "fromFirstEnd" : "fromSecondEnd";
      return { kind: "cut", cable, direction };
    });
}
