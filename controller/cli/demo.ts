/** `adrift demo`: the main job in one go. A simulated bench, the leader's cable cut, a timeline, a verdict. */

import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { painter } from "../report/paint.ts";
import { runText } from "../report/text.ts";
import { findBench } from "./files.ts";
import type { ExitStatus, Shell } from "./shell.ts";
import { prepare, simulateAndKeep } from "./simulation.ts";
import { statusOf } from "./status.ts";

const file = new URL("./demo.yaml", import.meta.url);

export async function demo(shell: Shell, options: { readonly seed: number }): Promise<ExitStatus> {
  const { out } = shell;
  const paint = painter(out.isColoured);
  const prepared = prepare({ name: "demo.yaml", text: readFileSync(file, "utf8") }, () =>
    findBench("five-boards", shell.folder),
  );
  const simulation = { ...prepared, settings: { seed: options.seed } };
  const { concluded, folder } = await simulateAndKeep(simulation, shell);
  const kept = folder === null ? null : relative(shell.folder, folder);
  out.write(`${opening(paint("bold", "Five boards on one switch run Raft."))}\n\n`);
  out.write(runText(concluded, { columns: Math.min(out.columns, 120), paint, linesMax: 40 }));
  out.write(`\n${closing(options.seed, kept).join("\n")}\n`);
  return statusOf(concluded.judgement.verdict);
}

function opening(headline: string): string {
  return `${headline} The one that leads takes every write, and keeps it safe with
a majority of the others before it answers. Now somebody cuts the leader's cable.`;
}

function closing(seed: number, kept: string | null): readonly string[] {
  return [
    ...(kept === null
      ? ["The run is not kept: no folder can be made here.", ""]
      : [`The run is kept in ${kept}; look at ${kept}/report.html.`, ""]),
    "Try next:",
    `  adrift demo --seed ${seed + 1}            another run; the same seed gives the same run, to the byte`,
    "  adrift run trunk-split         cut the bench in two, with clients on both sides",
    "  adrift run --list              more experiments, each a few lines of YAML to change",
    "  adrift replay latest           the last run again, compared byte for byte",
    "  adrift fuzz --mutant all       break a rule of Raft on purpose, and see it caught",
  ];
}
