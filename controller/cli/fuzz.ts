/** `adrift fuzz`: many random runs on all cores; or, for a mutant, the search for a seed that catches it. */

import { relative } from "node:path";
import { unknownName } from "../../hardware/suggestion.ts";
import { mutants } from "../../sim/mutants.ts";
import { painter } from "../report/paint.ts";
import { huntMutants } from "./campaign/hunt-mutants.ts";
import type { SeedSummary, ShrunkFailure } from "./campaign/jobs.ts";
import { keepSeed } from "./campaign/keep.ts";
import { WorkerPool } from "./campaign/pool.ts";
import { type Campaign, campaignText, type FailureReport } from "./campaign/text.ts";
import { addUp } from "./campaign/totals.ts";
import { createProgressBar } from "./progress.ts";
import { type ExitStatus, exitStatus, type Shell, UsageError } from "./shell.ts";

export type FuzzOptions = {
  readonly seeds?: number;
  readonly from: number;
  readonly minutes?: number;
  readonly mutant?: string;
  readonly json?: true;
};

const seedsUsual = 100;

export async function fuzz(shell: Shell, options: FuzzOptions): Promise<ExitStatus> {
  const { mutant } = options;
  if (mutant !== undefined) {
    const names = mutants.map(({ name }) => name);
    if (mutant !== "all" && !names.includes(mutant)) {
      throw new UsageError(`With --mutant ${mutant}: ${unknownName("mutant", mutant, ["all", ...names])}`);
    }
    return huntMutants(shell, mutant === "all" ? names : [mutant], options);
  }
  const campaign = await runCampaign(shell, options);
  if (options.json === true) shell.out.write(`${JSON.stringify(documentOf(campaign), null, 2)}\n`);
  else shell.out.write(campaignText(campaign, painter(shell.out.isColoured), shell.out.columns));
  if (campaign.failures.length > 0) return exitStatus.failed;
  return campaign.totals.undecided > 0 || campaign.interrupted ? exitStatus.unknown : exitStatus.done;
}

async function runCampaign(shell: Shell, { from, seeds, minutes }: FuzzOptions): Promise<Campaign> {
  const seedsMax = seeds ?? (minutes === undefined ? seedsUsual : Number.POSITIVE_INFINITY);
  const interruption = shell.noteInterruption();
  const startedMs = performance.now();
  const durationMs = minutes === undefined ? Number.POSITIVE_INFINITY : minutes * 60_000;
  const bar = createProgressBar(shell.err, "fuzz");
  const pool = new WorkerPool(seedsMax);
  const summaries: SeedSummary[] = [];
  const elapsedMs = (): number => performance.now() - startedMs;
  let started = 0;
  try {
    await pool.work(
      () => {
        if (started >= seedsMax || interruption.isRequested || elapsedMs() > durationMs) return null;
        started += 1;
        return { kind: "seed", seed: from + started - 1 };
      },
      (summary) => {
        summaries.push(summary);
        const part = Math.max(summaries.length / seedsMax, elapsedMs() / durationMs);
        bar.show(part, progressText(summaries));
      },
    );
    const wallSeconds = elapsedMs() / 1_000;
    const interrupted = interruption.isRequested;
    const failures = await explainFailures(pool, summaries, shell);
    return { from, totals: addUp(summaries), failures, interrupted, wallSeconds, cores: pool.size };
  } finally {
    bar.clear();
    await pool.close();
  }
}

function progressText(summaries: readonly SeedSummary[]): string {
  const failed = summaries.filter(({ failure }) => failure !== null).length;
  return `${summaries.length} seeds, ${failed === 0 ? "none failed" : `${failed} failed`}`;
}

/** All failures by seed, the first one shrunk and kept: the others are mostly the same again. */
async function explainFailures(
  pool: WorkerPool,
  summaries: readonly SeedSummary[],
  shell: Shell,
): Promise<readonly FailureReport[]> {
  const failed = summaries.filter(({ failure }) => failure !== null).toSorted((one, other) => one.seed - other.seed);
  const [first] = failed;
  const shrunk = first === undefined || first.crashed ? null : await shrinkFirst(pool, first);
  return failed.flatMap(({ seed, failure }): readonly FailureReport[] => {
    if (failure === null) return [];
    const report = { seed, ...failure, command: `adrift fuzz --seeds 1 --from ${seed}` };
    if (seed !== first?.seed || shrunk === null) return [{ ...report, faults: null, run: null }];
    const folder = keepSeed(shell, seed, { mutant: null, onlyFaults: shrunk.faultNumbers });
    const run = folder === null ? null : relative(shell.folder, folder);
    return [{ ...report, ...shrunk.failure, faults: shrunk.faults, run }];
  });
}

async function shrinkFirst(pool: WorkerPool, { seed, failure }: SeedSummary): Promise<ShrunkFailure | null> {
  let shrunk: ShrunkFailure | null = null;
  let asked = failure === null;
  await pool.work(
    () => {
      if (asked || failure === null) return null;
      asked = true;
      return { kind: "shrink", seed, failure };
    },
    (answer) => {
      shrunk = answer;
    },
  );
  return shrunk;
}

/** What `--json` prints. */
function documentOf({ from, totals, failures, interrupted, wallSeconds, cores }: Campaign) {
  return {
    seeds: totals.seeds,
    from,
    failed: failures.length,
    failures,
    undecided: totals.undecided,
    interrupted,
    virtualSeconds: totals.virtualSeconds,
    wallSeconds,
    cores,
    speedup: totals.virtualSeconds / wallSeconds,
    speedupPerCore: totals.busySeconds === 0 ? 0 : totals.virtualSeconds / totals.busySeconds,
    events: totals.events,
    operations: totals.operations.ok + totals.operations.fail + totals.operations.info,
    operationsByOutcome: totals.operations,
    faults: totals.faults,
    elections: totals.elections,
    messages: totals.messages,
    fingerprint: totals.fingerprint,
  };
}
