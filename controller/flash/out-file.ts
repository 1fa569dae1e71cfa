/** Where an image may be written: a file of its own, never a device, a folder, or what the image itself is read from. */

import { lstatSync, realpathSync, type Stats, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { CardFailure } from "./card-failure.ts";

/** A place for an image. */
export type OutFile = {
  /** With all links followed. */
  readonly path: string;
  /** Whether there is a file, which a new one would replace. */
  readonly exists: boolean;
};

/** An image that is being written has this name, until it is whole. */
export function unfinishedPath(path: string): string {
  return `${path}.unfinished`;
}

/**
 * Looks at a place; touches nothing.
 *
 * @param sources the files that are read meanwhile, the image among them
 * @param name the path as it was given, for messages
 * @throws {CardFailure} if nothing may be written there: root may rename a file even over a device
 */
export function checkOutFile(path: string, name: string, sources: readonly string[]): OutFile {
  const real = realPathOf(path, name);
  const read = sources.flatMap((source) => statOrNull(source) ?? []);
  const present = checkPlace(real, name, read);
  checkPlace(unfinishedPath(real), unfinishedPath(name), read);
  return { path: real, exists: present };
}

/** @returns whether there is a file */
function checkPlace(path: string, name: string, sources: readonly Stats[]): boolean {
  const present = statOrNull(path);
  if (present === null) return false;
  if (present.isDirectory()) {
    throw new CardFailure(`${name} is a folder: name the file that is to be written, as in ${join(name, "card.img")}.`);
  }
  if (present.isBlockDevice()) {
    throw new CardFailure(`${name} is a drive: give it as --drive ${name}. --out is for files.`);
  }
  if (!present.isFile())
    throw new CardFailure(`${name} is no file but a device: --out is for files. Choose another name.`);
  if (sources.some(({ dev, ino }) => dev === present.dev && ino === present.ino)) {
    throw new CardFailure(`${name} is read from: nothing may be written there. Choose another name for --out.`);
  }
  return true;
}

/** @throws {CardFailure} if its folder is missing, or it is a link to nothing */
function realPathOf(path: string, name: string): string {
  try {
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return realpathSync(path);
    return join(realpathSync(dirname(path)), basename(path));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CardFailure(`${name} cannot be written: its folder, or what it links to, is not there (${why}).`);
  }
}

function statOrNull(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    // Whoever opens it is told why.
    return null;
  }
}
