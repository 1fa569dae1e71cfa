/**
 * The description of a bench: `bench.yaml`, from its text to a `Bench`, and the graph of its cables.
 *
 * A short file is a whole bench: `boards: 5` alone means five boards and a broker's machine on one switch.
 */

import type { Bench } from "./model.ts";
import { resolveBench } from "./resolve.ts";
import { benchFile } from "./schema.ts";
import { readYamlFile } from "./yaml-file.ts";

export type { Damage, Reachability } from "./graph.ts";
export { reachability } from "./graph.ts";
export type * from "./model.ts";
export { controllerNode } from "./model.ts";
export { cablesToSplit } from "./split.ts";
export type { Problem } from "./yaml-file.ts";
export { YamlFileError } from "./yaml-file.ts";

/**
 * Reads a bench from the text of its file. Everything that is wrong is told at once, each with its line.
 *
 * @param fileName for the messages, and for the bench's name if the file gives none
 * @throws YamlFileError if the text is not YAML, not of the right shape, or describes what cannot be built.
 */
export function parseBench(text: string, fileName: string): Bench {
  const { value, problems } = readYamlFile(text, fileName, benchFile);
  return resolveBench(value, fileName, problems);
}
