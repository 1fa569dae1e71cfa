/**
 * What is left of a bench when both its process and its warden were killed: a folder, and boards that could not see the
 * end of it because they were stopped. The next bench of the same user cleans up.
 */

import { lstat, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod/mini";
import { isAlive, type ProcessIdentity } from "../../../device/board/disk/process-identity.ts";

/** How the names of the folders begin that a bench makes for as long as it runs. */
export const runFolderPrefix = "adrift-";

/** The file in such a folder that says whose it is, and which processes belong to it. The warden writes it. */
export function recordIn(runFolder: string): string {
  return join(runFolder, "processes.json");
}

const identity = z.object({
  pid: z.int().check(z.positive()),
  start: z.nullable(z.object({ ticks: z.string(), machineStart: z.string() })),
});
const record = z.object({ owner: identity, processes: z.array(identity) });

/** Removes all folders of this user's benches that nobody runs any more, and kills what still belongs to them. */
export async function sweepStaleBenches(parent: string): Promise<void> {
  const names = (await readdir(parent)).filter((name) => name.startsWith(runFolderPrefix));
  for (const name of names) {
    try {
      await sweep(join(parent, name));
    } catch {
      // It is none of ours, somebody else is at it, or it cannot be removed: no reason not to start.
    }
  }
}

/** The folders of this user's benches that nobody runs any more; nothing is done to them. */
export async function staleBenches(parent: string): Promise<readonly string[]> {
  const folders = (await readdir(parent))
    .filter((name) => name.startsWith(runFolderPrefix))
    .map((name) => join(parent, name));
  const left = await Promise.all(folders.map((folder) => processesLeft(folder).catch(() => null)));
  return folders.filter((_, index) => (left[index] ?? null) !== null);
}

async function sweep(folder: string): Promise<void> {
  const processes = await processesLeft(folder);
  if (processes === null) return;
  for (const each of processes) if (await isSurelyAlive(each)) process.kill(each.pid, "SIGKILL");
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}

/** The processes of a bench that nobody runs any more; `null` if it runs, or is another user's. @throws if it is no bench */
async function processesLeft(folder: string): Promise<readonly ProcessIdentity[] | null> {
  const { uid } = await lstat(folder);
  // In a folder that all may write to, somebody else may have put one there that names processes of ours.
  if (uid !== process.getuid?.()) return null;
  const found = record.parse(JSON.parse(await readFile(recordIn(folder), "utf8")));
  return (await isAlive(found.owner)) ? null : found.processes;
}

/** Whether it still runs, and its number has not been given to another process meanwhile. */
async function isSurelyAlive(process: ProcessIdentity): Promise<boolean> {
  return process.start !== null && (await isAlive(process));
}
