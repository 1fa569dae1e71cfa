/** What a process writes, kept in a file that does not grow for ever: the last part of it, and the part before that. */

import { appendFileSync, renameSync, statSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

const partBytesMax = 4 * 1024 * 1024;
const lastLinesMax = 5;

/** The log of one process, through all its starts. */
export class LogFile {
  readonly path: string;
  #bytes: number;
  #lastErrors: string[] = [];

  constructor(path: string) {
    this.path = path;
    this.#bytes = sizeOf(path);
  }

  /** What it last said about its end since `follow`, for whoever must be told why it died. */
  get lastErrors(): readonly string[] {
    return this.#lastErrors;
  }

  /** Takes what a process writes from now on: its log, and what it says on its standard error. */
  follow(out: Readable | null, err: Readable | null): void {
    this.#lastErrors = [];
    this.#followLines(out, reasonOf);
    this.#followLines(err, (line) => (line.trim() === "" ? null : line));
  }

  #followLines(stream: Readable | null, wordOf: (line: string) => string | null): void {
    if (stream === null) return;
    stream.on("data", (bytes: Buffer) => this.#append(bytes));
    createInterface({ input: stream }).on("line", (line) => {
      const word = wordOf(line);
      // A board that cannot start says why in its log and on its standard error.
      if (word !== null && !this.#lastErrors.includes(word)) {
        this.#lastErrors = [...this.#lastErrors, word].slice(-lastLinesMax);
      }
    });
  }

  #append(bytes: Buffer): void {
    try {
      if (this.#bytes + bytes.length > partBytesMax) {
        renameSync(this.path, `${this.path}.before`);
        this.#bytes = 0;
      }
      appendFileSync(this.path, bytes, { mode: 0o600 });
      this.#bytes += bytes.length;
    } catch {
      // There is no room for it, or the disk went bad: the boards go on without their logs, and say it themselves.
    }
  }
}

/** Why a board ends, if this line of its log says so. */
function reasonOf(line: string): string | null {
  if (!line.includes('"fatal"')) return null;
  try {
    const entry: unknown = JSON.parse(line);
    if (typeof entry !== "object" || entry === null || !("level" in entry) || entry.level !== "fatal") return null;
    if ("reason" in entry && typeof entry.reason === "string") return entry.reason;
    return "error" in entry && typeof entry.error === "string" ? (entry.error.split("\n")[0] ?? null) : null;
  } catch {
    return null;
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
