/** Files that are there whole or not at all. */

import { closeSync, fsyncSync, linkSync, openSync, renameSync, unlinkSync, writeFileSync } from "node:fs";

/**
 * Makes a file with this text, never in the place of another. Nobody else can read it at any moment if the mode says so.
 *
 * @throws an error with the code EEXIST if there is something of that name, and other errors of the file system.
 */
export function createFile(path: string, text: string, mode: number): void {
  const unfinished = writeUnfinished(path, text, mode);
  try {
    // A link, unlike a renaming, never takes the place of a file that is there.
    linkSync(unfinished, path);
  } finally {
    unlinkSync(unfinished);
  }
}

/** Puts a file with this text in the place of the one that is there: at any moment there is one or the other. */
export function replaceFile(path: string, text: string, mode: number): void {
  const unfinished = writeUnfinished(path, text, mode);
  try {
    renameSync(unfinished, path);
  } catch (error) {
    unlinkSync(unfinished);
    throw error;
  }
}

/** @returns the path of a file beside the one that is to be, with all of the text on the disk */
function writeUnfinished(path: string, text: string, mode: number): string {
  const unfinished = `${path}.${process.pid}.unfinished`;
  const descriptor = openSync(unfinished, "wx", mode);
  try {
    writeFileSync(descriptor, text);
    fsyncSync(descriptor);
  } catch (error) {
    unlinkSync(unfinished);
    throw error;
  } finally {
    closeSync(descriptor);
  }
  return unfinished;
}
