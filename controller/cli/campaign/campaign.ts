/** A campaign of random runs on all cores, from the first seed to the report on what failed. */

import { relative } from "node:path";
import { createProgressBar } from "../progress.ts";
import type { Shell } from "../shell.ts";
import type { SeedSummary, ShrunkFailure } from "./jobs.ts";
import { keepSeed } from "./keep.ts";
import { WorkerPool } from "./pool.ts";
import type { Campaign, FailureReport } from "./text.ts";
import { Tally } from "./totals.ts";

/** Which seeds a campaign runs. It ends with the seeds or with the time, whichever comes first. */
export type CampaignSettings = {
  readonly from: number;
  readonly seedsMax: number;
  readonly durationMs: number;
  /** The broken law under which the boards run, to see what failures look like; `null`: the boards are lawful. */
  readonly mutant: string | null;
};

/** Runs a campaign. Ctrl-C ends it early, with what is known by then. */
export async function runCampaign(shell: Shell, settings: CampaignSettings): Promise<Campaign> {
  const { from, seedsMax, durationMs, mutant } = settings;
  const interruption = shell.noteInterruption();
  const startedMs = performance.now();
  const bar = createProgressBar(shell.err, "fuzz");
  const pool = new WorkerPool(seedsMax);
  const tally = new Tally();
  const failed: SeedSummary[] = [];
  const elapsedMs = (): number => performance.now() - startedMs;
  let started = 0;
  let ended = 0;
  try {
    await pool.work(
      () => {
        if (started >= seedsMax || interruption.isRequested || elapsedMs() > durationMs) return null;
        started += 1;
        return { kind: "seed", seed: from + started - 1, mutant };
      },
      (summary) => {
        ended += 1;
        tally.add(summary);
        if (summary.failure !== null) failed.push(summary);
        const failures = failed.length === 0 ? "none failed" : `${failed.length} failed`;
        bar.show(Math.max(ended / seedsMax, elapsedMs() / durationMs), `${ended} seeds, ${failures}`);
      },
    );
    const wallSeconds = elapsedMs() / 1_000;
    const interrupted = interruption.isRequested;
    const failures = await explainFailures(pool, failed, mutant, shell);
    return { from, totals: tally.totals(), failures, interrupted, wallSeconds, cores: pool.size };
  } finally {
    bar.clear();
    await pool.close();
  }
}

/** All failures by seed, the first one shrunk and kept: the others are mostly the same again. */
async function explainFailures(
  pool: WorkerPool,
  summaries: readonly SeedSummary[],
  mutant: string | null,
  shell: Shell,
): Promise<readonly FailureReport[]> {
  const failed = summaries.toSorted((one, other) => one.seed - other.seed);
  const [first] = failed;
  const shrunk = first === undefined || first.crashed ? null : await shrinkFirst(pool, first, mutant);
  return failed.flatMap(({ seed, failure }): readonly FailureReport[] => {
    if (failure === null) return [];
    const report = { seed, ...failure, command: commandFor(seed, mutant) };
    if (seed !== first?.seed || shrunk === null) return [{ ...report, faults: null, run: null }];
    const folder = keepSeed(shell, seed, { mutant, onlyFaults: shrunk.faultNumbers });
    const run = folder === null ? null : relative(shell.folder, folder);
    return [{ ...report, ...shrunk.failure, faults: shrunk.faults, run }];
  });
}

async function shrinkFirst(
  pool: WorkerPool,
  { seed, failure }: SeedSummary,
  mutant: string | null,
): Promise<ShrunkFailure | null> {
  if (failure === null) return null;
  const jobs = [{ kind: "shrink", seed, failure, mutant } as const];
  const answers: ShrunkFailure[] = [];
  await pool.work(
    () => jobs.pop() ?? null,
    (answer) => answers.push(answer),
  );
  return answers[0] ?? null;
}

/** The command that shows a seed's failure again. */
export function commandFor(seed: number, mutant: string | null): string {
  return `npx adrift fuzz --seeds 1 --from ${seed}${mutant === null ? "" : ` --mutant ${mutant}`}`;
}
