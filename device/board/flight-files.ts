/** The two files of a flight recorder: JSON lines, each a record, in the order of their numbers. */

import { mkdir, readFile, rename, stat } from "node:fs/promises";
import { join } from "node:path";

/** One file of a flight recorder, and its lines in memory. */
export type FlightFile = {
  readonly path: string;
  readonly lines: { readonly number: number; readonly text: string }[];
  /** The size of all lines. */
  bytes: number;
  /** How many of its lines have gone to the disk. */
  written: number;
  /** What stands in it on the disk is to be replaced. */
  isNew: boolean;
  /** Its last line on the disk has no end. */
  endsWithin: boolean;
};

const names = ["flight-a", "flight-b"] as const;

/** Reads both files, the one with the newer records last. What cannot be read is put aside. Never fails. */
export async function openFlightFiles(folder: string, readBytesMax: number): Promise<[FlightFile, FlightFile]> {
  await mkdir(folder, { recursive: true }).catch(() => {});
  const [a, b] = await Promise.all([open(folder, names[0], readBytesMax), open(folder, names[1], readBytesMax)]);
  return lastNumber(a) > lastNumber(b) ? [b, a] : [a, b];
}

async function open(folder: string, name: string, readBytesMax: number): Promise<FlightFile> {
  const path = join(folder, `${name}.jsonl`);
  const text = await readText(path, readBytesMax);
  const lines = text === null ? [] : readLines(text);
  // Lines that say nothing are only a torn end or a damaged card; a file of nothing else is no file of ours.
  const isReadable = text !== null && (text === "" || lines.length > 0);
  if (!isReadable) await rename(path, join(folder, `${name}.unreadable`)).catch(() => {});
  return {
    path,
    lines,
    bytes: lines.reduce((bytes, line) => bytes + line.text.length, 0),
    written: lines.length,
    isNew: lines.length === 0,
    endsWithin: text !== null && !text.endsWith("\n"),
  };
}

/** `null` if it is too large or cannot be read; one that is not there is empty. */
async function readText(path: string, bytesMax: number): Promise<string | null> {
  try {
    const { size } = await stat(path);
    return size > bytesMax ? null : await readFile(path, "latin1");
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    return isMissing ? "" : null;
  }
}

/** The records in a text; what is none, or is out of order, is left out. */
function readLines(text: string): FlightFile["lines"] {
  const lines: FlightFile["lines"] = [];
  for (const line of text.split("\n")) {
    const number = numberOfRecord(line);
    if (number !== null && number > (lines.at(-1)?.number ?? 0)) lines.push({ number, text: `${line}\n` });
  }
  return lines;
}

/** The number of the record that a line holds; `null` if it holds none. */
function numberOfRecord(line: string): number | null {
  try {
    const record: unknown = JSON.parse(line);
    if (typeof record !== "object" || record === null || !("number" in record) || !("happening" in record)) return null;
    const { number, boot, wallUs, monotonicUs } = { boot: null, wallUs: null, monotonicUs: null, ...record };
    const areNumbers = [number, boot, wallUs, monotonicUs].every((each) => Number.isSafeInteger(each));
    return areNumbers && typeof number === "number" ? number : null;
  } catch {
    return null;
  }
}

function lastNumber(file: FlightFile): number {
  return file.lines.at(-1)?.number ?? 0;
}
