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

/** From which seed to look, at how many at most and for how long, and how to print what was found. */
export type HuntOptions = {
  readonly from: number;
  readonly seeds?: number;
  readonly minutes?: number;
  readonly json?: true;
};

/** What was found of a mutant, and how to see it again. */
type Hunted = MutantReport & {
  readonly command: string | null;
  readonly run: string | null;
  /** The hunt was broken off before it could say anything. */
  readonly unfinished: boolean;
};

/** Hunts for mutants, one on each core at a time. */
export async function huntMutants(shell: Shell, names: readonly string[], options: HuntOptions): Promise<ExitStatus> {
  const { from, seeds: seedsMax = seedsUsual, minutes } = options;
  const { reports, interrupted } = await hunt(shell, names, { from, seedsMax, minutes });
  const hunted = [...reports.values()]
    .toSorted((one, other) => names.indexOf(one.name) - names.indexOf(other.name))
    .map(
      (report): Hunted => ({
        ...report,
        ...explain(report, names, shell),
        unfinished: !report.caught && report.seeds < seedsMax,
      }),
    );
  const caught = hunted.filter((each) => each.caught).length;
  const missed = hunted.filter((each) => !each.caught && !each.unfinished).length;
  const unfinished = names.length - caught - missed;
  if (options.json === true) {
    shell.out.write(`${JSON.stringify({ mutants: hunted, caught, missed, unfinished, interrupted }, null, 2)}\n`);
  } else {
    const paint = painter(shell.out.isColoured);
    for (const each of hunted) shell.out.write(`${textOf(each, paint, shell.out.columns)}\n`);
    const rest = [
      missed > 0 ? paint("red", `${missed} missed`) : "",
      unfinished > 0 ? `${unfinished} not hunted to the end` : "",
    ];
    const all =
      caught === names.length ? paint("green", "all caught") : [`${caught} caught`, ...rest].filter(Boolean).join(", ");
    shell.out.write(`${count(names.length, "mutant")}: ${all}\n`);
  }
  if (missed > 0) return exitStatus.failed;
  return unfinished > 0 ? exitStatus.unknown : exitStatus.done;
}

type Hunt = { readonly from: number; readonly seedsMax: number; readonly minutes: number | undefined };

async function hunt(
  shell: Shell,
  names: readonly string[],
  { from, seedsMax, minutes }: Hunt,
): Promise<{ readonly reports: ReadonlyMap<string, MutantReport>; readonly interrupted: boolean }> {
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
        return mutant === undefined ? null : { kind: "hunt", mutant, fromSeed: from, seedsMax };
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
function explain(report: MutantReport, names: readonly string[], shell: Shell): Pick<Hunted, "command" | "run"> {
  const { name, seed, faultNumbers } = report;
  if (seed === null) return { command: null, run: null };
  const folder = names.length === 1 ? keepSeed(shell, seed, { mutant: name, onlyFaults: faultNumbers }) : null;
  const run = folder === null ? null : relative(shell.folder, folder);
  return { command: commandFor(seed, name), run };
}

function textOf(report: Hunted, paint: Paint, columns: number): string {
  const { name, section, consequence, caught, seed, by, detail, faults, seeds, command, run, unfinished } = report;
  const indented = (text: string): readonly string[] => wrapped(text, columns - 3).map((line) => `  ${line}`);
  const word = caught ? paint("green", "caught") : unfinished ? paint("yellow", "stopped") : paint("red", "MISSED");
  const head = `${word}  ${paint("bold", name)} (${section})`;
  if (!caught) return [head, ...indented(consequence), `  Not found in ${count(seeds, "seed")}.`, ""].join("\n");
  return [
    head,
    ...indented(consequence),
    ...indented(`Seed ${seed}: ${by}${detail === null ? "" : `: ${detail}`}`),
    ...faultLines(faults),
    ...(command === null ? [] : [`  ${command}`]),
    ...(run === null ? [] : [`  npx adrift replay ${run}`, `  ${run}/report.html`]),
    "",
  ].join("\n");
}
