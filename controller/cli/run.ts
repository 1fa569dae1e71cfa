/** `adrift run`: an experiment on a bench, kept, told and judged. */

import { randomInt } from "node:crypto";
import { relative } from "node:path";
import { parseExperiment } from "../experiment/experiment.ts";
import { readyExperiment, readyExperimentNames } from "../experiment/ready.ts";
import { painter } from "../report/paint.ts";
import { runText } from "../report/text.ts";
import { verdictDocument } from "../report/verdict-document.ts";
import { findBench, findExperiment } from "./files.ts";
import { type ExitStatus, exitStatus, type Shell, UsageError } from "./shell.ts";
import { type KeptSimulation, prepare, simulateAndKeep } from "./simulation.ts";
import { statusOf } from "./status.ts";

/** The options of `adrift run`, as given. */
export type RunOptions = {
  readonly list?: true;
  readonly bench?: string;
  readonly seed?: number;
  readonly json?: true;
};

/** The bench for experiments that name none. */
const usualBench = "five-boards";
const randomSeedMax = 1_000_000;

/** Runs an experiment and tells what happened; or lists the ready experiments. */
export async function run(shell: Shell, given: string | undefined, options: RunOptions): Promise<ExitStatus> {
  if (options.list === true) return list(shell, options);
  if (given === undefined) {
    throw new UsageError(
      'Which experiment? Give a file, or the name of a ready one; "npx adrift run --list" says which there are.',
    );
  }
  const prepared = prepare(findExperiment(given, shell.folder), ({ bench }) =>
    findBench(options.bench ?? bench ?? usualBench, shell.folder),
  );
  const seed = options.seed ?? prepared.experiment.seed ?? randomInt(1, randomSeedMax);
  const simulation = { ...prepared, settings: { seed } };
  const kept = await simulateAndKeep(simulation, shell);
  if (options.json === true) printDocument(kept, seed, shell);
  else print(kept, seed, shell);
  return statusOf(kept.concluded.judgement.verdict);
}

function list({ out }: Shell, { json }: RunOptions): ExitStatus {
  const experiments = readyExperimentNames().map((name) => {
    const { name: file, text } = readyExperiment(name) ?? { name, text: "" };
    const { description, bench } = parseExperiment(text, file);
    return { name, description, bench: bench ?? usualBench };
  });
  if (json === true) {
    out.write(`${JSON.stringify({ experiments }, null, 2)}\n`);
    return exitStatus.done;
  }
  const width = Math.max(...experiments.map(({ name }) => name.length));
  const paint = painter(out.isColoured);
  for (const { name, description } of experiments) {
    out.write(`${paint("bold", name.padEnd(width))}  ${description}\n`);
  }
  return exitStatus.done;
}

function printDocument({ concluded, folder }: KeptSimulation, seed: number, { out, folder: base }: Shell): void {
  const { experiment, bench, run: simulated } = concluded;
  const document = {
    ...verdictDocument(concluded),
    seed,
    fingerprint: simulated.fingerprint,
    experiment: experiment.name,
    bench: bench.name,
    virtualSeconds: simulated.virtualUs / 1_000_000,
    run: folder === null ? null : relative(base, folder),
  };
  out.write(`${JSON.stringify(document, null, 2)}\n`);
}

function print({ concluded, folder }: KeptSimulation, seed: number, { out, folder: base }: Shell): void {
  const { experiment, bench } = concluded;
  const paint = painter(out.isColoured);
  out.write(`${paint("bold", experiment.name)} on ${bench.name}, seed ${seed}\n`);
  if (experiment.description !== "") out.write(`${experiment.description}\n`);
  out.write(`\n${runText(concluded, { columns: out.columns, paint, linesMax: 60 })}`);
  if (folder !== null) {
    out.write(
      `\nKept in ${relative(base, folder)}; open its report.html in a browser, "npx adrift replay latest" repeats it.\n`,
    );
  }
}
