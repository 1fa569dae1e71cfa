/** `adrift fuzz`: many random runs on all cores; or, for a mutant, the search for a seed that catches it. */

import { unknownName } from "../../hardware/suggestion.ts";
import { mutants } from "../../sim/mutants.ts";
import { painter } from "../report/paint.ts";
import { runCampaign } from "./campaign/campaign.ts";
import { huntMutants } from "./campaign/hunt-mutants.ts";
import { type Campaign, campaignText } from "./campaign/text.ts";
import { type ExitStatus, exitStatus, type Shell, UsageError } from "./shell.ts";

/** The options of `adrift fuzz`, as given. */
export type FuzzOptions = {
  readonly seeds?: number;
  readonly from: number;
  readonly minutes?: number;
  readonly mutant?: string;
  readonly json?: true;
};

const seedsUsual = 100;

/** Runs a campaign, or a hunt for mutants, and prints what came of it. */
export async function fuzz(shell: Shell, options: FuzzOptions): Promise<ExitStatus> {
  const { mutant } = options;
  if (mutant !== undefined) {
    const names = mutants.map(({ name }) => name);
    if (mutant !== "all" && !names.includes(mutant)) {
      throw new UsageError(`With --mutant ${mutant}: ${unknownName("mutant", mutant, ["all", ...names])}`);
    }
    return huntMutants(shell, mutant === "all" ? names : [mutant], options);
  }
  const { from, seeds, minutes } = options;
  const campaign = await runCampaign(shell, {
    from,
    seedsMax: seeds ?? (minutes === undefined ? seedsUsual : Number.POSITIVE_INFINITY),
    durationMs: minutes === undefined ? Number.POSITIVE_INFINITY : minutes * 60_000,
    mutant: null,
  });
  if (options.json === true) shell.out.write(`${JSON.stringify(documentOf(campaign), null, 2)}\n`);
  else shell.out.write(campaignText(campaign, painter(shell.out.isColoured), shell.out.columns));
  if (campaign.failures.length > 0) return exitStatus.failed;
  return campaign.totals.undecided > 0 || campaign.interrupted ? exitStatus.unknown : exitStatus.done;
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
