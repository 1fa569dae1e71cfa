/** From a failing seed to the few faults that it takes: delta debugging (Zeller and Hildebrandt, 2002) over its faults. */

import type { Laws } from "../../sim/laws.ts";
import { readyBenches } from "./benches.ts";
import { beginOf, drawScenario } from "./scenario.ts";
import { type Failure, runSeed } from "./seed-run.ts";

export type Shrunk = {
  readonly seed: number;
  /** The numbers of the faults that are left (from 1), as `runSeed` takes them. */
  readonly faults: readonly number[];
  /** What they bring about: found by the same check as the original failure. */
  readonly failure: Failure;
};

/** How many runs it may take. Each is as long as the original, or shorter. */
const runsMax = 150;

/**
 * Leaves out faults as long as the same check still fails. The seed stays, so all that is random goes on to be drawn in
 * the same way, but a run without a fault goes its own way from there on; hence every step is tried, not reasoned about.
 */
export function shrink(seed: number, failure: Failure, laws?: Laws): Shrunk {
  const scenario = drawScenario(seed, readyBenches());
  let runs = 0;
  let best: { readonly faults: readonly number[]; readonly failure: Failure } = {
    faults: scenario.experiment.faults.map(({ line }) => line),
    failure,
  };

  /** Tries with only these faults; keeps them if it still fails. */
  function stillFails(faults: readonly number[]): boolean {
    if (runs >= runsMax) return false;
    runs += 1;
    const result = runSeed(seed, { onlyFaults: faults, ...(laws === undefined ? {} : { laws }) });
    if (result.failure?.by !== failure.by) return false;
    best = { faults, failure: result.failure };
    return true;
  }

  // What begins after the failure cannot have caused it.
  const begun = scenario.experiment.faults.filter(
    (fault) => beginOf(fault) <= (failure.atUs ?? Number.POSITIVE_INFINITY),
  );
  if (begun.length < best.faults.length) stillFails(begun.map(({ line }) => line));

  let size = Math.ceil(best.faults.length / 2);
  while (size >= 1) {
    const before = best.faults.length;
    // From the back: leaving out a late fault changes less of what comes to the failure.
    for (let place = best.faults.length - size; place > -size; place -= size) {
      const { faults } = best;
      const start = Math.max(place, 0);
      stillFails([...faults.slice(0, start), ...faults.slice(place + size)]);
    }
    // Once nothing more goes one by one, nothing more goes.
    if (size > 1) size = Math.ceil(size / 2);
    else if (best.faults.length === before) break;
  }
  return { seed, ...best };
}
