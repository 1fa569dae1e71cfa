/** `adrift replay`: a kept run again, from its seed, compared byte for byte with what was kept. */

import { basename, join } from "node:path";
import { mutantNamed } from "../../sim/mutants.ts";
import { type KeptRun, readRunFolder, runFiles, type SimulatedRecord } from "../experiment/run-folder.ts";
import type { RunEvent, SimulatedRun } from "../experiment/run-result.ts";
import { runSeed } from "../fuzz/seed-run.ts";
import { painter } from "../report/paint.ts";
import { seconds } from "../report/words.ts";
import { Comparison, type Difference } from "./comparison.ts";
import { prepare } from "./prepare.ts";
import { type ExitStatus, exitStatus, type Shell, UsageError } from "./shell.ts";
import { simulateWatched } from "./simulation.ts";
import { version } from "./version.ts";

/** Repeats a kept run and says whether it is the same, and if not, what differs first and why that may be. */
export async function replay(shell: Shell, given: string, options: { readonly json?: true }): Promise<ExitStatus> {
  const kept = repeatable(readRunFolder(given, shell.folder));
  const events = new Comparison(runFiles.events, kept.events);
  const run = await repeat(kept, shell, (event) => events.add(JSON.stringify(event)));
  const history = new Comparison(runFiles.history, kept.history);
  for (const event of run.history) history.add(JSON.stringify(event));
  const isInterrupted = run.interrupted && !kept.record.interrupted;
  const differences = isInterrupted ? [] : [...history.finish(), ...events.finish()];
  const isSame = differences.length === 0 && run.fingerprint === kept.record.fingerprint;

  const { seed, fingerprint } = kept.record;
  if (options.json === true) {
    const fingerprints = { kept: fingerprint, now: run.fingerprint };
    const document = { same: isInterrupted ? null : isSame, seed, fingerprints, differences, run: kept.path };
    shell.out.write(`${JSON.stringify(document, null, 2)}\n`);
  } else if (isInterrupted) {
    shell.out.write(`Stopped after ${seconds(run.durationUs)}, before the end: nothing is known.\n`);
  } else shell.out.write(textOf(kept, run, differences, shell));
  return isInterrupted ? exitStatus.unknown : isSame ? exitStatus.done : exitStatus.failed;
}

/** @throws {UsageError} for what happened in real time: no seed brings it back. */
function repeatable(kept: KeptRun): KeptRun<SimulatedRecord> {
  const { record } = kept;
  if (record.kind === "simulated") return { ...kept, record };
  throw new UsageError(
    `${kept.path} is a run on a ${record.kind} bench: what happens in real time does not happen twice the same way. ` +
      `Its report.html tells it; "npx adrift check ${join(kept.path, runFiles.history)}" judges again what clients saw; ` +
      `"npx adrift run ${kept.experiment.name} --bench ${record.kind}" runs the experiment once more, and without --bench ` +
      "the simulator does, whose runs can be repeated.",
  );
}

/** The run once more, up to where it was stopped if it was. */
function repeat(kept: KeptRun<SimulatedRecord>, shell: Shell, tell: (event: RunEvent) => void): Promise<SimulatedRun> {
  const { source, seed, interrupted, virtualUs } = kept.record;
  if (source.kind === "fuzz") {
    const mutant = source.mutant === null ? undefined : mutantNamed(source.mutant);
    if (mutant === undefined && source.mutant !== null) {
      throw new UsageError(`The run is one of the mutant "${source.mutant}", which this version does not know.`);
    }
    const { onlyFaults } = source;
    const laws = mutant === undefined ? {} : { laws: mutant.laws };
    return Promise.resolve(runSeed(seed, { onlyFaults, tell, ...laws }).run);
  }
  const { experiment, bench } = prepare(kept.experiment, "simulated", () => kept.bench);
  return simulateWatched({ experiment, bench, settings: { seed } }, shell, tell, interrupted ? virtualUs : null);
}

function textOf(
  kept: KeptRun<SimulatedRecord>,
  run: SimulatedRun,
  differences: readonly Difference[],
  { out }: Shell,
): string {
  const paint = painter(out.isColoured);
  const { record, path } = kept;
  const [first] = differences;
  const title = `${record.experiment} on ${record.bench}, seed ${record.seed}`;
  if (first === undefined && run.fingerprint === record.fingerprint) {
    return (
      `${paint("bold", paint("green", "THE SAME"))}  ${title}\n\n` +
      `All ${run.history.length} lines of the history, all events and the fingerprint ${run.fingerprint} are those of ${basename(path)}.\n`
    );
  }
  const lines = [`${paint("bold", paint("red", "DIFFERENT"))}  ${title}`, ""];
  if (first !== undefined) {
    lines.push(
      `The first difference is in line ${first.line} of ${first.file}:`,
      `  kept  ${first.kept ?? "(the file ends here)"}`,
      `  now   ${first.now ?? "(the run ends here)"}`,
      "",
    );
  }
  lines.push(`fingerprint  kept ${record.fingerprint}, now ${run.fingerprint}`, hint(kept));
  return `${lines.join("\n")}\n`;
}

/** Why a repetition can differ. */
function hint({ record, path }: KeptRun<SimulatedRecord>): string {
  const { adrift } = record.versions;
  if (adrift !== version) {
    return `The run was kept by Adrift ${adrift}, and this is ${version}: other code gives another run from the same seed.`;
  }
  return (
    "The same version gives the same run from the same seed. So Adrift's code has changed since, or a file in " +
    `${path} has; if neither has, please report it with that folder.`
  );
}
