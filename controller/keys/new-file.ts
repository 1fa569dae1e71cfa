/** Files that are there whole or not at all, and never in the place of another. */

import { closeSync, fsyncSync, linkSync, openSync, unlinkSync, writeFileSync } from "node:fs";

/**
 * Makes a file with this text. Nobody else can read it at any moment if the mode says so.
 *
 * @throws an error with the code EEXIST if there is something of that name, and other errors of the file system.
 */
export function createFile(path: string, text: string, mode: number): void {
  const unfinished = `${path}.${process.pid}.unfinished`;
  const descriptor = openSync(unfinished, "wx", mode);
  try {
    try {
      writeFileSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    // A link, unlike a renaming, never takes the place of a file that is there.
    linkSync(unfinished, path);
  } finally {
    unlinkSync(unfinished);
  }
}
