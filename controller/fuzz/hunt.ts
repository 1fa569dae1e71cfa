/** The hunt for a mutant: seed after seed under a broken law, until a check finds it. */

import type { Mutant } from "../../sim/mutants.ts";
import { describeFaults } from "./describe-fault.ts";
import { runSeed } from "./seed-run.ts";
import { shrink } from "./shrink.ts";

export type MutantReport = {
  readonly name: string;
  readonly section: string;
  readonly consequence: string;
  readonly caught: boolean;
  /** The first seed that catches it, and which check; `null` if none did. */
  readonly seed: number | null;
  readonly by: string | null;
  readonly detail: string | null;
  /** The faults that it takes, shrunk: their numbers in the seed, and what they do. */
  readonly faultNumbers: readonly number[];
  readonly faults: readonly string[];
  /** How many seeds were run. */
  readonly seeds: number;
};

/** Looks for the first seed from `fromSeed` on, of at most `seedsMax`, that catches the mutant. */
export function hunt(
  mutant: Mutant,
  fromSeed: number,
  seedsMax: number,
  goOn: (seed: number) => boolean = () => true,
): MutantReport {
  const { name, section, consequence, laws } = mutant;
  let seed = fromSeed;
  for (; seed < fromSeed + seedsMax && goOn(seed); seed += 1) {
    const { failure, scenario } = runSeed(seed, { laws });
    if (failure === null) continue;
    const shrunk = shrink(seed, failure, laws);
    return {
      name,
      section,
      consequence,
      caught: true,
      seed,
      by: shrunk.failure.by,
      detail: shrunk.failure.detail,
      faultNumbers: shrunk.faults,
      faults: describeFaults(scenario, shrunk.faults),
      seeds: seed - fromSeed + 1,
    };
  }
  const nothing = { caught: false, seed: null, by: null, detail: null, faultNumbers: [], faults: [] };
  return { name, section, consequence, ...nothing, seeds: seed - fromSeed };
}
