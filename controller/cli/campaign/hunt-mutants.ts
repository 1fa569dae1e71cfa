/** `adrift fuzz --mutant`: seed after seed under a broken law, until a check finds it. */

import { relative } from "node:path";
import type { MutantReport } from "../../fuzz/hunt.ts";
import { type Paint, painter } from "../../report/paint.ts";
import { wrapped } from "../../report/text.ts";
import { count } from "../../report/words.ts";
import { createProgressBar } from "../progress.ts";
import { type ExitStatus, exitStatus, type Shell } from "../shell.ts";
import { commandFor } from "./campaign.ts";
import { keepSeed } from "./keep.ts";
import { WorkerPool } from "./pool.ts";
import { faultLines } from "./text.ts";

/** What a mutant can be expected to show itself within. */
const seedsUsual = 2_000;

export type HuntOptions = {
  readonly from: number;
  readonly seeds?: number;
  readonly minutes?: number;
  readonly json?: true;
};

/** What was found of a mutant, and how to see it again. */
type Hunted = MutantReport & { readonly command: string | null; readonly run: string | null };

/** Hunts for mutants, one on each core at a time. */
export async function huntMutants(shell: Shell, names: readonly string[], options: HuntOptions): Promise<ExitStatus> {
  const { reports, interrupted } = await hunt(shell, names, options);
  const hunted = names.flatMap((name) => reports.get(name) ?? []).map((report) => explain(report, names, shell));
  const caught = hunted.filter((each) => each.caught).length;
  if (options.json === true) {
    const document = { mutants: hunted, caught, missed: names.length - caught, interrupted };
    shell.out.write(`${JSON.stringify(document, null, 2)}\n`);
  } else {
    const paint = painter(shell.out.isColoured);
    for (const each of hunted) shell.out.write(`${textOf(each, paint, shell.out.columns)}\n`);
    const all =
      caught === names.length ? paint("green", "all caught") : paint("red", `${names.length - caught} not caught`);
    shell.out.write(`${count(names.length, "mutant")}: ${all}\n`);
    if (interrupted) shell.out.write("Stopped before its end: this is what is known so far.\n");
  }
  if (caught === names.length) return exitStatus.done;
  return interrupted ? exitStatus.unknown : exitStatus.failed;
}

async function hunt(shell: Shell, names: readonly string[], { from, seeds, minutes }: HuntOptions) {
  const interruption = shell.noteInterruption();
  const bar = createProgressBar(shell.err, "hunt");
  const pool = new WorkerPool(names.length);
  const reports = new Map<string, MutantReport>();
  const startedMs = performance.now();
  const durationMs = minutes === undefined ? Number.POSITIVE_INFINITY : minutes * 60_000;
  const isOver = (): boolean => interruption.isRequested || performance.now() - startedMs > durationMs;
  const watch = setInterval(() => {
    if (isOver()) pool.stop();
    bar.show(reports.size / names.length, `${reports.size} of ${count(names.length, "mutant")}`);
  }, 100);
  const left = [...names];
  try {
    await pool.work(
      () => {
        const mutant = isOver() ? undefined : left.shift();
        return mutant === undefined ? null : { kind: "hunt", mutant, fromSeed: from, seedsMax: seeds ?? seedsUsual };
      },
      ({ report }) => reports.set(report.name, report),
    );
  } finally {
    clearInterval(watch);
    bar.clear();
    await pool.close();
  }
  return { reports, interrupted: interruption.isRequested };
}

/** The run of a single mutant that was asked for is kept, to be looked at. */
function explain(report: MutantReport, names: readonly string[], shell: Shell): Hunted {
  const { name, seed, faultNumbers } = report;
  if (seed === null) return { ...report, command: null, run: null };
  const folder = names.length === 1 ? keepSeed(shell, seed, { mutant: name, onlyFaults: faultNumbers }) : null;
  const run = folder === null ? null : relative(shell.folder, folder);
  return { ...report, command: commandFor(seed, name), run };
}

function textOf(report: Hunted, paint: Paint, columns: number): string {
  const { name, section, consequence, caught, seed, by, detail, faults, seeds, command, run } = report;
  const indented = (text: string): readonly string[] => wrapped(text, columns - 3).map((line) => `  ${line}`);
  const head = `${caught ? paint("green", "caught") : paint("red", "MISSED")}  ${paint("bold", name)} (${section})`;
  if (!caught) return [head, ...indented(consequence), `  Not found in ${count(seeds, "seed")}.`, ""].join("\n");
  return [
    head,
    ...indented(consequence),
    ...indented(`Seed ${seed}: ${by}${detail === null ? "" : `: ${detail}`}`),
    ...faultLines(faults),
    ...(command === null ? [] : [`  ${command}`]),
    ...(run === null ? [] : [`  adrift replay ${run}`, `  ${run}/report.html`]),
    "",
  ].join("\n");
}
