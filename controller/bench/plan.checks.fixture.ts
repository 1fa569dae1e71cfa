/** What must hold of every plan: shared by the quick tests and the long ones. */

import { expect } from "vitest";
import { bruteForce, type Case, costOf, heardPairs, stepsOf, wantsApart } from "./plan.fixture.ts";
import { plan } from "./plan.ts";

/** If there is a plan, it does exactly what was asked for, by cutters that can, and all of it can be healed. */
export function checkPlan({ bench, wish }: Case): void {
  const planned = plan(wish, bench);
  if (planned.kind === "impossible") {
    expect(planned.why).not.toEqual([]);
    return;
  }
  const { cables, pairs } = stepsOf(planned.steps);
  expect(costOf(bench, cables, pairs)).not.toBeNull();
  const after = heardPairs(bench, new Set(cables));
  const expected = [...heardPairs(bench, new Set())].filter((pair) => !wantsApart(wish, pair));
  expect([...after].filter((pair) => !pairs.includes(pair))).toEqual(expected);
  const told = planned.hears.flatMap(({ listener, speakers }) => speakers.map((speaker) => `${speaker}>${listener}`));
  expect(told).toEqual(expected);
}

/** The plan costs what the least of all sets of cables costs; where none does it, there is no plan. */
export function compareWithBruteForce({ bench, wish }: Case): void {
  const planned = plan(wish, bench);
  const { cables, pairs } = planned.kind === "possible" ? stepsOf(planned.steps) : { cables: [], pairs: [] };
  const cost = planned.kind === "possible" ? costOf(bench, cables, pairs) : null;
  expect(cost).toEqual(bruteForce({ bench, wish }));
}
