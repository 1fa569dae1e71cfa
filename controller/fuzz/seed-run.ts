/** One seed of a campaign: its scenario run, judged by invariants, liveness and the history's verdict. */

import type { Laws } from "../../sim/laws.ts";
import { checkHistory } from "../check/index.ts";
import type { RunEvent, SimulatedRun } from "../experiment/run-result.ts";
import { simulate } from "../experiment/simulate.ts";
import { readyBenches } from "./benches.ts";
import { drawScenario, type Scenario } from "./scenario.ts";

export type SeedOptions = {
  /** The laws that boards follow; a mutant's instead of the lawful. */
  readonly laws?: Laws;
  /** Only the faults with these numbers (from 1) happen; otherwise all. */
  readonly onlyFaults?: readonly number[];
  readonly tell?: (event: RunEvent) => void;
  readonly goOn?: (atUs: number) => boolean;
};

/** What was wrong with a run: which invariant, demand or check found it, and what it says. */
export type Failure = { readonly by: string; readonly detail: string; readonly atUs: number | null };

export type SeedResult = {
  readonly seed: number;
  readonly failure: Failure | null;
  /** The checker's budget ended before its verdict. */
  readonly undecided: boolean;
  readonly scenario: Scenario;
  readonly run: SimulatedRun;
};

/** Runs one seed. The same seed and options give the same result, to the byte. */
export function runSeed(seed: number, options: SeedOptions = {}): SeedResult {
  const drawn = drawScenario(seed, readyBenches());
  const scenario = options.onlyFaults === undefined ? drawn : withFaults(drawn, options.onlyFaults);
  const { bench, experiment, network, disk, replica, raft } = scenario;
  const run = simulate(experiment, bench, {
    seed,
    adversarial: true,
    network,
    disk,
    replica,
    raft,
    ...(options.laws === undefined ? {} : { laws: options.laws }),
    ...(options.tell === undefined ? {} : { tell: options.tell }),
    ...(options.goOn === undefined ? {} : { goOn: options.goOn }),
  });
  return { seed, scenario, run, ...judge(run) };
}

/** The scenario with only the faults that have these numbers. */
export function withFaults(scenario: Scenario, numbers: readonly number[]): Scenario {
  const faults = scenario.experiment.faults.filter(({ line }) => numbers.includes(line));
  return { ...scenario, experiment: { ...scenario.experiment, faults } };
}

/**
 * How long the checker may search in one history: some tens of milliseconds are usual. A few histories, of counters with
 * dozens of additions that nobody knows the end of, would take minutes; they count as undecided.
 */
const configurationsMax = 100_000;

function judge(run: SimulatedRun): { readonly failure: Failure | null; readonly undecided: boolean } {
  if (run.violation !== null) {
    const { invariant, board, detail, atUs } = run.violation;
    return { failure: { by: invariant, detail: `${board}: ${detail}`, atUs }, undecided: false };
  }
  const verdict = checkHistory(run.history, { limits: { configurationsMax } });
  if (verdict.verdict === "invalid") {
    return { failure: { by: "linearizable", detail: verdict.reason, atUs: null }, undecided: false };
  }
  const undecided = verdict.verdict === "unknown";
  if (run.liveness === null) return { failure: null, undecided };
  const { demand, detail } = run.liveness;
  return { failure: { by: `liveness: ${demand}`, detail, atUs: run.durationUs }, undecided };
}
