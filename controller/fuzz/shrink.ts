/** From a failing seed to the few faults that it takes: delta debugging (Zeller and Hildebrandt, 2002) over its faults. */

import type { Laws } from "../../sim/laws.ts";
import { readyBenches } from "./benches.ts";
import { drawScenario } from "./scenario.ts";
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
  let runs = 0;
  let best: { readonly faults: readonly number[]; readonly failure: Failure } = {
    faults: drawScenario(seed, readyBenches()).experiment.faults.map(({ line }) => line),
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

  // What begins after the failure cannot have caused it, so the later half is most often the first to go.
  let size = Math.ceil(best.faults.length / 2);
  while (size >= 1) {
    let place = best.faults.length - size;
    while (place > -size) {
      const { faults } = best;
      const start = Math.max(place, 0);
      const rest = [...faults.slice(0, start), ...faults.slice(place + size)];
      if (rest.length < faults.length) stillFails(rest);
      place -= size;
    }
    size = size === 1 ? 0 : Math.ceil(size / 2);
  }
  return { seed, ...best };
}
