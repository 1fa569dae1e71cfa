/** The experiments and benches that Adrift brings along. */

import { readdirSync, readFileSync } from "node:fs";

/** The text of a file, and its name as messages give it. */
export type TextFile = { readonly name: string; readonly text: string };

const experimentFolder = new URL("./ready/", import.meta.url);
const benchFolder = new URL("../../hardware/benches/", import.meta.url);

/** The names of the ready experiments, sorted. */
export function readyExperimentNames(): readonly string[] {
  return namesIn(experimentFolder);
}

/** The names of the ready benches, sorted. */
export function readyBenchNames(): readonly string[] {
  return namesIn(benchFolder);
}

/** The file of a ready experiment; `null` if there is none of that name. */
export function readyExperiment(name: string): TextFile | null {
  return readyFile(experimentFolder, readyExperimentNames(), name);
}

/** The file of a ready bench; `null` if there is none of that name. */
export function readyBench(name: string): TextFile | null {
  return readyFile(benchFolder, readyBenchNames(), name);
}

function namesIn(folder: URL): readonly string[] {
  const files = readdirSync(folder).filter((file) => file.endsWith(".yaml"));
  return files.map((file) => file.slice(0, -".yaml".length)).sort();
}

function readyFile(folder: URL, names: readonly string[], name: string): TextFile | null {
  if (!names.includes(name)) return null;
  const file = `${name}.yaml`;
  return { name: file, text: readFileSync(new URL(file, folder), "utf8") };
}
