/** The files of a local bench's boards: what each is told about itself, and what can happen to its card. */

import { randomInt } from "node:crypto";
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import type { BoardConfiguration } from "../../../device/board/configuration.ts";
import { formatBoardConfiguration } from "../../../device/board/format-configuration.ts";

/** Writes a board's `board.yaml` into a folder; gives its path. */
export function writeConfiguration(folder: string, configuration: BoardConfiguration): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `${configuration.board}.yaml`);
  writeFileSync(path, formatBoardConfiguration(configuration), { mode: 0o600 });
  return path;
}

/** Removes all that is in a folder: a new card holds nothing. */
export function empty(folder: string): void {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true, force: true });
}

/** A bit that was turned over. */
export type FlippedBit = { readonly file: string; readonly offset: number };

/** Turns one bit over in one of the folder's files, each bit as likely as any other; `null` if they hold none. */
export function flipBit(folder: string, draw: (below: number) => number = randomInt): FlippedBit | null {
  const files = readdirSync(folder)
    .map((name) => ({ path: join(folder, name), name }))
    .map((file) => ({ ...file, stat: statSync(file.path, { throwIfNoEntry: false }) }))
    .flatMap(({ stat, ...file }) => (stat?.isFile() === true ? [{ ...file, sizeBytes: stat.size }] : []));
  const bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  if (bytes === 0) return null;
  let offset = draw(bytes);
  for (const { path, name, sizeBytes } of files) {
    if (offset < sizeBytes) {
      flipAt(path, offset, draw(8));
      return { file: name, offset };
    }
    offset -= sizeBytes;
  }
  return null;
}

/** In place: the board may be writing to the file. */
function flipAt(path: string, offset: number, bit: number): void {
  const file = openSync(path, "r+");
  try {
    const byte = Buffer.alloc(1);
    readSync(file, byte, 0, 1, offset);
    byte[0] = (byte[0] ?? 0) ^ (1 << bit);
    writeSync(file, byte, 0, 1, offset);
  } finally {
    closeSync(file);
  }
}
