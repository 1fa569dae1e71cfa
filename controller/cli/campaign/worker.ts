/** A worker of a campaign: does one job after the other on a core of its own. */

import { parentPort, workerData } from "node:worker_threads";
import type { Laws } from "../../../sim/laws.ts";
import { type Mutant, mutantNamed } from "../../../sim/mutants.ts";
import type { SimulatedRun } from "../../experiment/run-result.ts";
import { describeFaults } from "../../fuzz/describe-fault.ts";
import { hunt } from "../../fuzz/hunt.ts";
import { runSeed } from "../../fuzz/seed-run.ts";
import { shrink } from "../../fuzz/shrink.ts";
import type { Answer, HuntResult, Job, SeedSummary, ShrunkFailure, WorkerSetup } from "./jobs.ts";

const { stop } = workerData as WorkerSetup;

parentPort?.on("message", (job: Job) => parentPort?.postMessage(answerTo(job)));

function answerTo(job: Job): Answer {
  switch (job.kind) {
    case "seed":
      return summaryOf(job);
    case "shrink":
      return shrunk(job);
    case "hunt":
      return hunted(job);
    default:
      return job satisfies never;
  }
}

function summaryOf({ seed, mutant }: Extract<Job, { readonly kind: "seed" }>): SeedSummary {
  const startedMs = performance.now();
  try {
    const { run, failure, undecided } = runSeed(seed, lawsOf(mutant));
    return {
      kind: "seed",
      seed,
      failure,
      crashed: false,
      undecided,
      fingerprint: run.fingerprint,
      virtualUs: run.durationUs,
      busyMs: performance.now() - startedMs,
      events: run.events,
      operations: outcomesOf(run),
      elections: run.elections,
      faults: run.faults,
      network: run.network,
    };
  } catch (error) {
    return crashed(seed, error, performance.now() - startedMs);
  }
}

/** An error of the simulation is a finding like any other: it has a seed, and comes again with it. */
function crashed(seed: number, error: unknown, busyMs: number): SeedSummary {
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    kind: "seed",
    seed,
    failure: { by: "an error in the simulation", detail, atUs: null },
    crashed: true,
    undecided: false,
    fingerprint: "",
    virtualUs: 0,
    busyMs,
    events: 0,
    operations: { ok: 0, fail: 0, info: 0 },
    elections: 0,
    faults: {},
    network: null,
  };
}

function outcomesOf({ history }: SimulatedRun): SeedSummary["operations"] {
  const outcomes = { invoke: 0, ok: 0, fail: 0, info: 0 };
  for (const { type } of history) outcomes[type] += 1;
  const { invoke, ok, fail } = outcomes;
  // What is still open at the end has an unknown outcome as well.
  return { ok, fail, info: invoke - ok - fail };
}

function shrunk({ seed, failure, mutant }: Extract<Job, { readonly kind: "shrink" }>): ShrunkFailure {
  const smallest = shrink(seed, failure, lawsOf(mutant).laws);
  const { scenario } = runSeed(seed, { onlyFaults: [] });
  return {
    kind: "shrink",
    failure: smallest.failure,
    faultNumbers: smallest.faults,
    faults: describeFaults(scenario, smallest.faults),
  };
}

function hunted({ mutant, fromSeed, seedsMax }: Extract<Job, { readonly kind: "hunt" }>): HuntResult {
  return { kind: "hunt", report: hunt(find(mutant), fromSeed, seedsMax, () => Atomics.load(stop, 0) === 0) };
}

/** The laws of a mutant, as an option of `runSeed`. */
function lawsOf(mutant: string | null): { readonly laws?: Laws } {
  return mutant === null ? {} : { laws: find(mutant).laws };
}

function find(name: string): Mutant {
  const mutant = mutantNamed(name);
  if (mutant === undefined) throw new RangeError(`There is no mutant ${name}.`);
  return mutant;
}
