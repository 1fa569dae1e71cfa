/** `adrift demo`: the main job in one go. A simulated bench, the leader's cable cut, a timeline, a verdict. */

import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { painter } from "../report/paint.ts";
import { runText, wrapped } from "../report/text.ts";
import { findBench } from "./files.ts";
import { prepare } from "./prepare.ts";
import type { ExitStatus, Shell } from "./shell.ts";
import { simulateAndKeep } from "./simulation.ts";
import { statusOf } from "./status.ts";

const file = new URL("./demo.yaml", import.meta.url);

/** Runs the demonstration and tells it. */
export async function demo(shell: Shell, options: { readonly seed: number }): Promise<ExitStatus> {
  const { out } = shell;
  const paint = painter(out.isColoured);
  const prepared = prepare({ name: "demo.yaml", text: readFileSync(file, "utf8") }, "simulated", () =>
    findBench("five-boards", shell.folder),
  );
  const simulation = { ...prepared, settings: { seed: options.seed } };
  const { concluded, folder } = await simulateAndKeep(simulation, shell);
  const kept = folder === null ? null : relative(shell.folder, folder);
  const columns = Math.min(out.columns, columnsMax);
  const lines = [
    ...wrapped(opening, columns - 1),
    "",
    runText(concluded, { columns, paint, linesMax: 40 }),
    ...closing(options.seed, kept),
  ];
  out.write(`${lines.join("\n")}\n`);
  return statusOf(concluded.judgement.verdict);
}

/** Wider lines are hard to read. */
const columnsMax = 120;

const opening =
  "Five boards on one switch run Raft. The one that leads takes every write, and keeps it safe with a majority of the " +
  "others before it answers. Now somebody cuts the leader's cable.";

function closing(seed: number, kept: string | null): readonly string[] {
  return [
    ...(kept === null ? [] : [`Kept in ${kept}; open its report.html in a browser.`, ""]),
    "Try next:",
    `${`  npx adrift demo --seed ${seed + 1}`.padEnd(33)}another run; the same seed, the same run`,
    "  npx adrift run trunk-split     cut the bench in two, clients on both sides",
    "  npx adrift run --list          more experiments, each a few lines of YAML",
    "  npx adrift replay latest       the last run again, compared byte for byte",
    "  npx adrift fuzz --mutant all   break a rule of Raft, and see it caught",
  ];
}
