/** The least way to do what is wished: from a wish to cables that are cut and pairs that are withheld. */

import { type Bench, controllerNode, type NodeName, reachability } from "../../hardware/bench.ts";
import { type Demand, demandOf, type Wish } from "./plan-demand.ts";
import { type Able, brokerCutter, meansOf, type Unable } from "./plan-means.ts";
import { type Pair, searchLeast } from "./plan-search.ts";
import { wiringOf } from "./plan-wiring.ts";

/** What is to be done, by name, in the order of the bench. */
export type Solution = {
  readonly cables: readonly string[];
  readonly pairs: readonly { readonly from: NodeName; readonly to: NodeName }[];
  /** Whether nothing less does it: not so only where the search had to end before it had seen everything. */
  readonly isLeast: boolean;
};

/** What the search may use. */
export type Allowed = "physical" | "all";

/**
 * The least way; `null` if there is none, `"unknown"` if none was found in time.
 *
 * A way without soft means goes before every one with them. Of several: the one for which the fewest cables are pulled by
 * hand, then with the fewest soft steps, then the fewest pairs withheld, then the fewest cables, then those that stand first.
 */
export function solve(wish: Wish, bench: Bench): Solution | null | "unknown" {
  if (wish.kind === "cut") return isAllowed(wish.cables, bench) ? { ...nothing, cables: wish.cables } : null;
  const demand = demandOf(wish, bench);
  const physical = solveWith(demand, bench, "physical");
  if (physical !== null && physical !== "unknown") return physical;
  const soft = solveWith(demand, bench, "all");
  if (soft === null || soft === "unknown") return physical ?? soft;
  return { ...soft, isLeast: soft.isLeast && physical === null };
}

const nothing: Solution = { cables: [], pairs: [], isLeast: true };

/** Meets a demand with some means. */
export function solveWith(demand: Demand, bench: Bench, allowed: Allowed): Solution | null | "unknown" {
  const wiring = wiringOf(bench);
  const means = bench.cables.map((cable) => meansOf(bench, cable));
  const costs = costsFor(bench.cables.length, bench.boards.length);
  const costOf = (cable: number): number => {
    const able = means[cable];
    if (able === undefined || able.means === null) return Number.POSITIVE_INFINITY;
    if (able.means === "soft" && allowed === "physical") return Number.POSITIVE_INFINITY;
    return costs[able.means] + costs.cable + cable;
  };
  const found = searchLeast({
    ...demand,
    wiring,
    bundleCosts: wiring.bundles.map(({ cables }) => cables.reduce((sum, cable) => sum + costOf(cable), 0)),
    healedOver: wiring.bundles.map(({ cables }) =>
      cables.flatMap((cable) => healedOver(means[cable]).map(wiring.numberOf)),
    ),
    pairCost: allowed === "all" && brokerCutter(bench) !== null ? costs.pair : Number.POSITIVE_INFINITY,
  });
  if (found === null || found === "unknown") return found;
  const cables = new Set(found.cut.flatMap((bundle) => wiring.bundles[bundle]?.cables ?? []));
  return {
    cables: bench.cables.filter((_, cable) => cables.has(cable)).map(({ name }) => name),
    pairs: found.withheld.map((pair) => namesOf(pair, bench)),
    isLeast: found.isProved,
  };
}

/** Whether each of these cables can be cut, and all of them together be healed again. */
function isAllowed(names: readonly string[], bench: Bench): boolean {
  return whyNotAll(names, bench).length === 0;
}

/** What speaks against cutting all these cables: those that nothing opens, and what could not be healed. */
export function whyNotAll(
  names: readonly string[],
  bench: Bench,
): readonly { readonly cable: string; readonly why: string }[] {
  const { reaches } = reachability(bench, { cutCables: new Set(names), downNodes: new Set() });
  return bench.cables
    .filter(({ name }) => names.includes(name))
    .flatMap((cable) => {
      const means = meansOf(bench, cable);
      if (means.means === null) return [{ cable: cable.name, why: means.why }];
      return healedOver(means)
        .filter((node) => !reaches(controllerNode, node))
        .map((node) => ({
          cable: cable.name,
          why: `is healed by way of ${node}, which the controller would not reach`,
        }));
    });
}

/** A pair by name. */
export function namesOf({ listener, speaker }: Pair, bench: Bench) {
  return { from: bench.boards[speaker]?.name ?? "", to: bench.boards[listener]?.name ?? "" };
}

function healedOver(means: Able | Unable | undefined): readonly NodeName[] {
  return means === undefined || means.means === null || means.healedOver === null ? [] : [means.healedOver];
}

/**
 * Costs as digits of one number, so that a sum of any number of them compares digit by digit: people, soft steps, pairs,
 * cables, places in the bench's list. With 256 cables and 32 boards the greatest sum is 2.7e15, below 2^53.
 */
function costsFor(cableCount: number, boardCount: number) {
  const pairCount = boardCount * (boardCount - 1);
  const cable = (cableCount * (cableCount - 1)) / 2 + 1;
  const pairDigit = cable * (cableCount + 1);
  const soft = pairDigit * (pairCount + 1);
  const hand = soft * (cableCount + pairCount + 1);
  return { cable, soft, hand, physical: 0, pair: soft + pairDigit };
}
