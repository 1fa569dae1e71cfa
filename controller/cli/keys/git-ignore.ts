/** Keeps private files out of git. */

import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createFile } from "../../keys/new-file.ts";
import { UsageError } from "../shell.ts";

const privateFolders = ["keys/", "runs/", ".adrift/"];

/** Makes a `.gitignore` that names what must not be in git, or adds what is missing to the one that is there. */
export function ignoreWhatIsPrivate(folder: string): void {
  const path = join(folder, ".gitignore");
  const present = readOrNull(path);
  if (present === null) {
    createFile(path, `${privateFolders.join("\n")}\n`, 0o644);
    return;
  }
  const lines = new Set(present.split(/\r?\n/).map((line) => line.trim().replace(/^\//, "")));
  const missing = privateFolders.filter((name) => !lines.has(name));
  if (missing.length === 0) return;
  const joint = present === "" || present.endsWith("\n") ? "" : "\n";
  appendFileSync(path, `${joint}${missing.join("\n")}\n`);
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : null;
    if (code === "ENOENT") return null;
    if (code === "EISDIR") throw new UsageError(`${path}: a folder stands where the file must be. Take it away.`);
    throw error;
  }
}
