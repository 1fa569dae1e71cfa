/**
 * A board's flight recorder: what happened on it last, on its own disk, so that a run can show what a board believed while
 * nobody could reach it.
 *
 * The records are a ring: when the newer of two files is full, the older one is started anew. All of it stands in memory
 * too, so that asking for it waits for no disk. Nothing is flushed through to the disk: what a crashed process wrote is
 * still there, and a power cut may take the last seconds, which is a small loss beside flushes in the way of Raft's own.
 * Whatever the disk does, the board goes on; what could not be kept is counted.
 */

import { writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { type Json, toAsciiJson } from "../json.ts";
import type { BoardTime, FlightRecord } from "../transport/envelope.ts";
import { type FlightFile, openFlightFiles } from "./flight-files.ts";
import type { Happening } from "./happening.ts";

/** What a flight recorder is made of. */
export type FlightRecorderSettings = {
  /** The folder for its files, made if need be. */
  readonly folder: string;
  readonly boot: number;
  readonly wallUs: () => number;
  readonly monotonicUs: () => number;
  /** How large one of the two files may become. */
  readonly fileBytesMax?: number;
};

/** Records of a flight recorder, and the number of the newest one that there is. */
export type FlightRecords = { readonly records: readonly FlightRecord[]; readonly last: number };

const usualFileBytesMax = 512 * 1024;
const writeEveryMs = 100;

/** So many numbers are left out at each boot: those of records that the boot before may have told but not kept. */
const numbersLeftOut = 1_000;

/** Opens the recorder on what earlier boots have left. A folder that cannot be used only keeps it from keeping. */
export async function openFlightRecorder(settings: FlightRecorderSettings): Promise<FlightRecorder> {
  const fileBytesMax = settings.fileBytesMax ?? usualFileBytesMax;
  return new FlightRecorder(settings, fileBytesMax, await openFlightFiles(settings.folder, 2 * fileBytesMax));
}

/** See the head of this file. */
export class FlightRecorder {
  readonly #settings: FlightRecorderSettings;
  readonly #fileBytesMax: number;
  #older: FlightFile;
  #newer: FlightFile;
  #last: number;
  #lost = 0;
  #timer: NodeJS.Timeout | null = null;
  /** What is being written; a disk that stalls has one write to end, however long that takes. */
  #writing: Promise<void> | null = null;

  constructor(settings: FlightRecorderSettings, fileBytesMax: number, files: readonly [FlightFile, FlightFile]) {
    [this.#older, this.#newer] = files;
    this.#settings = settings;
    this.#fileBytesMax = fileBytesMax;
    const last = this.#newer.lines.at(-1) ?? this.#older.lines.at(-1);
    this.#last = last === undefined ? 0 : last.number + numbersLeftOut;
  }

  /** How many records of this boot could not be written to the disk. */
  get lost(): number {
    return this.#lost;
  }

  /** What the clocks show by which it notes when something happened. */
  time(): BoardTime {
    const { boot, wallUs, monotonicUs } = this.#settings;
    return { boot, wallUs: wallUs(), monotonicUs: monotonicUs() };
  }

  /** Records a happening; it is on the disk a little later. */
  record(happening: Happening): FlightRecord {
    this.#last += 1;
    // A happening is made of JSON alone.
    const told = happening as Json;
    const record = { number: this.#last, ...this.time(), happening: told };
    const text = `${toAsciiJson(record)}\n`;
    if (this.#newer.bytes + text.length > this.#fileBytesMax && this.#newer.bytes > 0) this.#turnOver();
    this.#newer.lines.push({ number: record.number, text });
    this.#newer.bytes += text.length;
    this.#writeSoon();
    return record;
  }

  /** The oldest records after this number, as many as fit into so many bytes (but one at least, if there is one). */
  after(number: number, bytesMax: number): FlightRecords {
    const records: FlightRecord[] = [];
    let bytes = 0;
    for (const { lines } of [this.#older, this.#newer]) {
      for (let at = firstAfter(lines, number); at < lines.length; at += 1) {
        const text = lines[at]?.text ?? "";
        bytes += text.length;
        if (bytes > bytesMax && records.length > 0) return { records, last: this.#last };
        // Written by `record`, or checked when the files were opened.
        records.push(JSON.parse(text) as FlightRecord);
      }
    }
    return { records, last: this.#last };
  }

  /** Writes what is not written yet. */
  async close(): Promise<void> {
    await this.#writing;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#write();
  }

  /** Writes what is not written yet, at once: for a process that ends and waits for nothing any more. */
  writeNow(): void {
    for (const file of [this.#older, this.#newer]) {
      const rest = takeRest(file);
      if (rest === null) continue;
      try {
        writeFileSync(file.path, rest.text, { flag: rest.flag });
      } catch {
        this.#lost += rest.lines;
      }
    }
  }

  /** The older file is started anew, as the newer one. */
  #turnOver(): void {
    const { path, lines, written } = this.#older;
    this.#lost += lines.length - written;
    this.#older = this.#newer;
    this.#newer = { path, lines: [], bytes: 0, written: 0, isNew: true, endsWithin: false };
  }

  #writeSoon(): void {
    if (this.#timer !== null || this.#writing !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#writing = this.#write().then(() => {
        this.#writing = null;
        if (this.#newer.written < this.#newer.lines.length) this.#writeSoon();
      });
    }, writeEveryMs).unref();
  }

  async #write(): Promise<void> {
    for (const file of [this.#older, this.#newer]) {
      const lost = await writeRest(file);
      this.#lost += lost;
    }
  }
}

/** Writes the lines of a file that are not written yet, and says how many of them were lost. */
async function writeRest(file: FlightFile): Promise<number> {
  const rest = takeRest(file);
  if (rest === null) return 0;
  try {
    await writeFile(file.path, rest.text, { flag: rest.flag });
    return 0;
  } catch {
    file.isNew = rest.flag === "w";
    // A part of it may have been written, and then the last line of the file has no end.
    file.endsWithin = true;
    return rest.lines;
  }
}

/** The lines of a file that are not written yet, and how; they are nobody else's to write from then on. */
function takeRest(
  file: FlightFile,
): { readonly text: string; readonly flag: "w" | "a"; readonly lines: number } | null {
  const rest = file.lines.slice(file.written);
  if (rest.length === 0) return null;
  file.written = file.lines.length;
  const text = rest.map((line) => line.text).join("");
  const { isNew, endsWithin } = file;
  file.isNew = false;
  file.endsWithin = false;
  return { text: endsWithin && !isNew ? `\n${text}` : text, flag: isNew ? "w" : "a", lines: rest.length };
}

/** Where the first line after this number stands. */
function firstAfter(lines: FlightFile["lines"], number: number): number {
  let from = 0;
  let to = lines.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((lines[middle]?.number ?? 0) > number) to = middle;
    else from = middle + 1;
  }
  return from;
}
