/** What a process writes, kept in a file that does not grow for ever: the last part of it, and the part before that. */

import { appendFileSync, renameSync, statSync } from "node:fs";
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

  /** What it last wrote to its standard error since `follow`, for whoever must be told why it died. */
  get lastErrors(): readonly string[] {
    return this.#lastErrors;
  }

  /** Takes what a process writes from now on. */
  follow(out: Readable | null, err: Readable | null): void {
    this.#lastErrors = [];
    out?.on("data", (bytes: Buffer) => this.#append(bytes));
    err?.on("data", (bytes: Buffer) => {
      this.#append(bytes);
      const lines = bytes
        .toString()
        .split("\n")
        .filter((line) => line.trim() !== "");
      this.#lastErrors = [...this.#lastErrors, ...lines].slice(-lastLinesMax);
    });
  }

  #append(bytes: Buffer): void {
    if (this.#bytes + bytes.length > partBytesMax) {
      renameSync(this.path, `${this.path}.before`);
      this.#bytes = 0;
    }
    appendFileSync(this.path, bytes, { mode: 0o600 });
    this.#bytes += bytes.length;
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
