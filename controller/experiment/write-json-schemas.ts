/**
 * Writes the JSON Schemas by which editors complete `bench.yaml` and `experiment.yaml`; with `--check` it only says
 * whether those that are kept are up to date, and leaves with 1 if not.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { benchJsonSchema } from "../../hardware/schema.ts";
import { experimentJsonSchema } from "./schema.ts";

const schemas = [
  { file: new URL("../../hardware/bench.schema.json", import.meta.url), text: benchJsonSchema() },
  { file: new URL("experiment.schema.json", import.meta.url), text: experimentJsonSchema() },
];

if (process.argv.includes("--check")) {
  for (const { file, text } of schemas) {
    if (readFileSync(file, "utf8") === text) continue;
    process.stderr.write(`${file.pathname} is not what the code says. Run: npm run schema\n`);
    process.exitCode = 1;
  }
} else {
  for (const { file, text } of schemas) writeFileSync(file, text);
}
