/** The version of Adrift that runs. */

import { createRequire } from "node:module";

// The package's own name leads to its root from the sources as well as from what is built of them.
const manifest: unknown = createRequire(import.meta.url)("adrift-raft/package.json");

/** As in `package.json`. */
export const version = versionIn(manifest);

function versionIn(json: unknown): string {
  if (typeof json === "object" && json !== null && "version" in json) return String(json.version);
  throw new TypeError("package.json holds no version.");
}
