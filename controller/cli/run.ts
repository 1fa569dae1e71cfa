/** `adrift run`: an experiment on a bench, kept, told and judged. */

import { randomInt } from "node:crypto";
import { relative } from "node:path";
import { parseExperiment } from "../experiment/experiment.ts";
import type { Experiment } from "../experiment/model.ts";
import { readyExperiment, readyExperimentNames } from "../experiment/ready.ts";
import { painter } from "../report/paint.ts";
import { runText } from "../report/text.ts";
import { verdictDocument } from "../report/verdict-document.ts";
import { chooseBench, findBench, findExperiment } from "./files.ts";
import type { KeptRun } from "./keeping.ts";
import { prepare } from "./prepare.ts";
import { runAndKeep } from "./real-run.ts";
import { type ExitStatus, exitStatus, type Shell, UsageError } from "./shell.ts";
import { simulateAndKeep } from "./simulation.ts";
import { statusOf } from "./status.ts";

/** The options of `adrift run`, as given. */
export type RunOptions = {
  readonly list?: true;
  readonly bench?: string;
  readonly seed?: number;
  readonly json?: true;
  readonly dryRun?: true;
};

/** The bench for experiments that name none; emulated boards are slow enough when there are three of them. */
const usualBench = "five-boards";
const usualEmulatedBench = "three-boards";
const randomSeedMax = 1_000_000;

/** Runs an experiment and tells what happened; or lists the ready experiments. */
export async function run(shell: Shell, given: string | undefined, options: RunOptions): Promise<ExitStatus> {
  if (options.list === true) return list(shell, options);
  if (given === undefined) {
    throw new UsageError(
      'Which experiment? Give a file, or the name of a ready one; "npx adrift run --list" says which there are.',
    );
  }
  const choice = chooseBench(options.bench);
  const experimentFile = findExperiment(given, shell.folder);
  const usual = choice.kind === "qemu" ? usualEmulatedBench : usualBench;
  const benchFileOf = ({ bench }: Experiment) => findBench(choice.bench ?? bench ?? usual, shell.folder);
  if (options.dryRun === true) {
    const { dryRun } = await import("./plan/dry-run.ts");
    return dryRun(shell, { experimentFile, benchFileOf, kind: choice.kind }, options.json === true);
  }
  const prepared = prepare(experimentFile, choice.kind, benchFileOf);
  if (choice.kind === "netns") {
    const { runInNamespace } = await import("../bench/netns/enter.ts");
    const ended = await runInNamespace();
    if (ended !== null) return Object.values(exitStatus).find((status) => status === ended) ?? exitStatus.fault;
  }
  const seed = options.seed ?? prepared.experiment.seed ?? randomInt(1, randomSeedMax);
  const kept =
    choice.kind === "simulated"
      ? { ...(await simulateAndKeep({ ...prepared, settings: { seed } }, shell)), leftovers: [] }
      : await runAndKeep({ ...prepared, seed, kind: choice.kind }, shell);
  if (options.json === true) printDocument(kept, seed, shell);
  else print(kept, seed, shell);
  const status = statusOf(kept.concluded.judgement.verdict);
  return kept.leftovers.length > 0 ? exitStatus.failed : status;
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

type Ran = KeptRun & { readonly leftovers: readonly string[] };

function printDocument({ concluded, folder, leftovers }: Ran, seed: number, { out, folder: base }: Shell): void {
  const { experiment, bench, run } = concluded;
  const isSimulated = run.kind === "simulated";
  const seconds = run.durationUs / 1_000_000;
  const document = {
    ...verdictDocument(concluded),
    seed,
    fingerprint: isSimulated ? run.fingerprint : null,
    experiment: experiment.name,
    bench: bench.name,
    virtualSeconds: isSimulated ? seconds : null,
    realSeconds: isSimulated ? null : seconds,
    run: folder === null ? null : relative(base, folder),
    leftovers,
  };
  out.write(`${JSON.stringify(document, null, 2)}\n`);
}

function print({ concluded, folder }: KeptRun, seed: number, { out, folder: base }: Shell): void {
  const { experiment, bench, run } = concluded;
  const paint = painter(out.isColoured);
  const isSimulated = run.kind === "simulated";
  const where = isSimulated ? bench.name : `${bench.name} (${run.kind})`;
  out.write(`${paint("bold", experiment.name)} on ${where}, seed ${seed}\n`);
  if (experiment.description !== "") out.write(`${experiment.description}\n`);
  out.write(`\n${runText(concluded, { columns: out.columns, paint, linesMax: 60 })}`);
  if (folder === null) return;
  const repeated = isSimulated ? ', "npx adrift replay latest" repeats it' : "";
  out.write(`\nKept in ${relative(base, folder)}; open its report.html in a browser${repeated}.\n`);
}
