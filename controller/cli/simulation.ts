/** Runs an experiment on a simulated bench for somebody who watches: with progress, and stopped by Ctrl-C. */

import { basename, join } from "node:path";
import { type Bench, parseBench } from "../../hardware/bench.ts";
import { checkOnBench } from "../experiment/check-on-bench.ts";
import { Chronicler } from "../experiment/chronicler.ts";
import { type ConcludedRun, concludeRun } from "../experiment/conclude.ts";
import { parseExperiment } from "../experiment/experiment.ts";
import type { Experiment } from "../experiment/model.ts";
import type { TextFile } from "../experiment/ready.ts";
import { RunFolder, type RunRecord, type RunSource } from "../experiment/run-folder.ts";
import {
  type RunEvent,
  type SimulatedRun,
  type SimulationSettings,
  simulateBySeconds,
} from "../experiment/simulate.ts";
import { renderReport } from "../report/html.ts";
import { verdictDocument } from "../report/verdict-document.ts";
import { createProgressBar } from "./progress.ts";
import type { Shell } from "./shell.ts";
import { version } from "./version.ts";

/** What is to be run, with the files that say so. */
export type Simulation = {
  readonly experiment: Experiment;
  readonly bench: Bench;
  readonly experimentFile: TextFile;
  readonly benchFile: TextFile;
  readonly settings: SimulationSettings & { readonly seed: number };
};

/** Puts an experiment on a bench. @throws {YamlFileError} if one of the files is wrong, or they do not fit together. */
export function prepare(experimentFile: TextFile, benchFileOf: (experiment: Experiment) => TextFile) {
  const experiment = parseExperiment(experimentFile.text, experimentFile.name);
  const benchFile = benchFileOf(experiment);
  const bench = parseBench(benchFile.text, benchFile.name);
  checkOnBench(experiment, bench, experimentFile.name);
  return { experiment, bench, experimentFile, benchFile };
}

/** How often whoever watches is served: progress is shown, and Ctrl-C heard. */
const serveEveryMs = 40;

/** Runs it to its end, or until somebody presses Ctrl-C; or until `stopUs`, where an earlier run was stopped. */
export async function simulateWatched(
  { experiment, bench, settings }: Pick<Simulation, "experiment" | "bench" | "settings">,
  shell: Shell,
  tell: (event: RunEvent) => void,
  stopUs: number | null = null,
): Promise<SimulatedRun> {
  const interruption = shell.noteInterruption();
  const bar = createProgressBar(shell.err, experiment.name);
  let virtualUs = 0;
  const goOn = (atUs: number): boolean => {
    virtualUs = atUs;
    return !interruption.isRequested && (stopUs === null || atUs < stopUs);
  };
  const seconds = simulateBySeconds(experiment, bench, { ...settings, tell, goOn });
  let servedMs = performance.now();
  for (;;) {
    const next = seconds.next();
    if (next.done === true) {
      bar.clear();
      return next.value;
    }
    if (performance.now() - servedMs < serveEveryMs) continue;
    const doneSeconds = Math.round(virtualUs / 1_000_000);
    bar.show(
      virtualUs / experiment.durationUs,
      `${doneSeconds} of ${experiment.durationUs / 1_000_000} virtual seconds`,
    );
    await new Promise((resolve) => setImmediate(resolve));
    servedMs = performance.now();
  }
}

/** A run that is over, and where it is kept; `null` if no folder could be made. */
export type KeptSimulation = { readonly concluded: ConcludedRun; readonly folder: string | null };

/** Runs a simulation, judges it and keeps it in a new folder under `runs/`, if one can be made there. */
export async function simulateAndKeep(simulation: Simulation, shell: Shell): Promise<KeptSimulation> {
  const startedAt = new Date();
  const { experiment, bench, settings } = simulation;
  const folder = openRunFolder(simulation, startedAt, shell);
  const chronicler = new Chronicler(bench);
  const run = await simulateWatched(simulation, shell, (event) => {
    chronicler.tell(event);
    folder?.tell(event);
  });
  const concluded = concludeRun(experiment, bench, run, chronicler);
  if (folder === null) return { concluded, folder };
  const source = { kind: "experiment" } as const;
  keepRun({ folder, concluded, files: simulation, source, seed: settings.seed, startedAt, shell });
  return { concluded, folder: folder.path };
}

/** A new folder for a run, with what is known of it before it begins; `null`, and a word to the user, if there can be none. */
export function openRunFolder(
  simulation: Omit<Simulation, "settings">,
  startedAt: Date,
  shell: Shell,
): RunFolder | null {
  const { experiment, experimentFile, benchFile } = simulation;
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
export function keepRun({ folder, concluded, files, source, seed, startedAt, shell }: RunEnding): void {
  const { experiment, bench, run } = concluded;
  const record: RunRecord = {
    format: 1,
    source,
    experiment: experiment.name,
    bench: bench.name,
    experimentFile: basename(files.experimentFile.name),
    benchFile: basename(files.benchFile.name),
    seed,
    fingerprint: run.fingerprint,
    virtualUs: run.virtualUs,
    events: run.events,
    interrupted: run.interrupted,
    startedAt: startedAt.toISOString(),
    commandLine: shell.commandLine,
    versions: { adrift: version, node: process.version },
  };
  const report = renderReport(concluded, record, basename(folder.path));
  folder.finish({ record, history: run.history, verdict: verdictDocument(concluded), report });
}

type RunEnding = {
  readonly folder: RunFolder;
  readonly concluded: ConcludedRun;
  readonly files: Pick<Simulation, "experimentFile" | "benchFile">;
  readonly source: RunSource;
  readonly seed: number;
  readonly startedAt: Date;
  readonly shell: Shell;
};
