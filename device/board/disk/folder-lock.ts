/**
 * A lock against two processes on one folder. Node offers no flock, so it is made of files in a folder of its own, and a
 * process that was killed leaves nothing behind that would have to be cleared by hand.
 *
 * Whoever takes the lock creates the file with the number after the highest that is there, which only one process can,
 * and names itself in it. A holder that no longer lives is seen by its process id together with the moment of its start,
 * because ids are used again. Numbers only grow, so that a process that decided long ago that the holder was dead cannot
 * take the lock from the one that came after: it finds its number taken, or a higher one there, and starts over.
 */

import { randomBytes } from "node:crypto";
import { link, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DataFolderError, errorCode } from "./data-folder-error.ts";
import { makeFolder } from "./folder.ts";
import { isAlive, parseIdentity, thisProcess } from "./process-identity.ts";

/** A lock that is held. */
export type FolderLock = { release(): Promise<void> };

/**
 * Takes the lock whose files stand in `folder`. Rejects with a `DataFolderError` that names the process if another one
 * holds it, or this one does.
 */
export async function takeFolderLock(folder: string): Promise<FolderLock> {
  await makeFolder(folder);
  const claim = join(folder, `claim-${randomBytes(8).toString("hex")}`);
  try {
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      const number = await tryToTake(folder, claim);
      if (number !== null) return { release: () => release(folder, number) };
    }
  } finally {
    await rm(claim, { force: true });
  }
  throw new DataFolderError(`${folder}: too many boards start here at once. Start one of them again.`);
}

const attemptsMax = 100;

/** The number under which the lock is held now, or `null` if someone else moved at the same time. */
async function tryToTake(folder: string, claim: string): Promise<number | null> {
  const last = highestOf(await readdir(folder));
  if (last > 0 && !(await isFree(join(folder, String(last)), folder))) return null;
  const number = last + 1;
  await writeFile(claim, JSON.stringify(await thisProcess()), { mode: 0o600 });
  try {
    await link(claim, join(folder, String(number)));
  } catch (error) {
    if (["EEXIST", "ENOENT"].includes(errorCode(error))) return null;
    throw error;
  }
  const names = await readdir(folder);
  const isHeld = highestOf(names) === number;
  const needless = isHeld ? names.filter((name) => name !== String(number)) : [String(number)];
  for (const name of needless) await rm(join(folder, name), { force: true });
  return isHeld ? number : null;
}

/** Whether the lock can be had after the one that this file names; `false` too if the file has gone meanwhile. */
async function isFree(file: string, folder: string): Promise<boolean> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return false;
    throw error;
  }
  // Nobody is named once the lock was released, or if a power cut took the text away.
  const holder = parseIdentity(text);
  if (holder === null || !(await isAlive(holder))) return true;
  throw new DataFolderError(
    `${folder}: process ${holder.pid} holds this lock, so a board runs on this folder. Stop that process, or give this board a folder of its own.`,
  );
}

/** The file stays, and names nobody, so that the next number is higher. That works on a full disk, too. */
async function release(folder: string, number: number): Promise<void> {
  await truncate(join(folder, String(number)));
}

/** The highest number among names of files, or 0. */
function highestOf(names: readonly string[]): number {
  return Math.max(0, ...names.filter((name) => /^\d{1,15}$/.test(name)).map(Number));
}
