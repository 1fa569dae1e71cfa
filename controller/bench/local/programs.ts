/** The programs of boards and brokers: in the package they lie ready, in a checkout they are bundled when need be. */

import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The paths of the two programs. */
export type Programs = { readonly board: string; readonly broker: string };

/** The top of the checkout; from inside the package's `dist/` it is that folder. */
const top = fileURLToPath(new URL("../../../", import.meta.url));
const isCheckout = import.meta.url.endsWith(".ts");

/** Finds the programs; in a checkout bundles them first if their sources have changed since. */
export async function findPrograms(): Promise<Programs> {
  if (!isCheckout) return { board: join(top, "board.mjs"), broker: join(top, "broker.mjs") };
  const folder = join(top, "node_modules", ".cache", "adrift");
  const programs = { board: join(folder, "board.mjs"), broker: join(folder, "broker.mjs") };
  const sources = ["package.json", "bundle.mjs", ...filesIn("device")].map((path) => join(top, path));
  const newestMs = Math.max(...sources.map((path) => changedMs(path)));
  if (Object.values(programs).every((path) => changedMs(path) > newestMs)) return programs;
  const bundler: unknown = await import(new URL("../../../bundle.mjs", import.meta.url).href);
  if (!isBundler(bundler)) throw new Error("bundle.mjs has no bundlePrograms: is this checkout whole?");
  return bundler.bundlePrograms(folder);
}

type Bundler = { bundlePrograms(folder: string): Promise<Programs> };

function isBundler(module: unknown): module is Bundler {
  return typeof module === "object" && module !== null && "bundlePrograms" in module;
}

function filesIn(folder: string): readonly string[] {
  const entries = readdirSync(join(top, folder), { withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesIn(path) : [path];
  });
}

/** When a file was last changed; before everything if it is not there. */
function changedMs(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
