/** Keeps runs, of whatever kind of bench: opens the folder before a run begins, and fills it when the run is over. */

import { basename, join } from "node:path";
import type { ConcludedRun } from "../experiment/conclude.ts";
import type { Experiment } from "../experiment/model.ts";
import type { TextFile } from "../experiment/ready.ts";
import { RunFolder, type RunRecord, type RunSource } from "../experiment/run-folder.ts";
import type { RunResult } from "../experiment/run-result.ts";
import { renderReport } from "../report/html.ts";
import { verdictDocument } from "../report/verdict-document.ts";
import type { Shell } from "./shell.ts";
import { version } from "./version.ts";

/** A run that is over, and where it is kept; `null` if no folder could be made. */
export type KeptRun<Run extends RunResult = RunResult> = {
  readonly concluded: ConcludedRun<Run>;
  readonly folder: string | null;
};

/** The files that say what is run. */
export type RunInputs = { readonly experimentFile: TextFile; readonly benchFile: TextFile };

/** A new folder for a run, with what is known of it before it begins; `null`, and a word to the user, if there can be none. */
export function openRunFolder(
  { experiment, experimentFile, benchFile }: RunInputs & { readonly experiment: Experiment },
  startedAt: Date,
  shell: Shell,
): RunFolder | null {
  const runs = join(shell.folder, "runs");
  try {
    return new RunFolder({ runs, name: experiment.name, startedAt, bench: benchFile, experiment: experimentFile });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    shell.err.write(`This run is not kept: ${why}\n`);
    return null;
  }
}

/** Writes what is known of a run when it is over. */
export function keepRun(ending: RunEnding): void {
  const { folder, concluded } = ending;
  const record = recordOf(ending);
  const report = renderReport(concluded, record, basename(folder.path));
  folder.finish({ record, history: concluded.run.history, verdict: verdictDocument(concluded), report });
}

type RunEnding = {
  readonly folder: RunFolder;
  readonly concluded: ConcludedRun;
  readonly files: RunInputs;
  /** From what a simulated run can be repeated. */
  readonly source: RunSource;
  readonly seed: number;
  readonly startedAt: Date;
  readonly shell: Shell;
};

function recordOf({ concluded, files, source, seed, startedAt, shell }: RunEnding): RunRecord {
  const { experiment, bench, run } = concluded;
  const record = {
    format: 1,
    experiment: experiment.name,
    bench: bench.name,
    experimentFile: basename(files.experimentFile.name),
    benchFile: basename(files.benchFile.name),
    seed,
    interrupted: run.interrupted,
    startedAt: startedAt.toISOString(),
    commandLine: shell.commandLine,
    versions: { adrift: version, node: process.version },
  } as const;
  if (run.kind !== "simulated") return { ...record, kind: run.kind, durationUs: run.durationUs };
  const { kind, fingerprint, durationUs: virtualUs, events } = run;
  return { ...record, kind, source, fingerprint, virtualUs, events };
}
