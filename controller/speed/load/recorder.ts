/**
 * Writes down what clients saw, for the checker: the first operations of a measurement, up to a bound. What a history
 * begins with is a history too, with some operations open at its end.
 */

import { closeSync, openSync, writeSync } from "node:fs";
import type { Json } from "../../../device/json.ts";

/** An operation that has begun. */
export type RecordedOperation = {
  ok(result?: Json): void;
  /** It surely had no effect. */
  fail(): void;
  /** Nobody knows. */
  info(): void;
};

/** What an operation is, in the words of a history. */
export type Invocation = { readonly op: "write" | "read"; readonly key: string; readonly value?: number };

/** Enough to show what is wrong, few enough to be judged soon. */
const operationsMax = 200_000;

const blockBytes = 1 << 16;

/** See the head of this file. */
export class HistoryRecorder {
  readonly #file: number;
  #operations = 0;
  #processes = 0;
  /** Processes whose last operation is over: each has one open at a time. */
  readonly #idle: string[] = [];
  #text = "";

  /** @param path the history's file, which must not be there yet. */
  constructor(path: string) {
    this.#file = openSync(path, "wx");
  }

  /** `null`: enough is written down. */
  begin({ op, key, value }: Invocation): RecordedOperation | null {
    if (this.#operations === operationsMax) return null;
    this.#operations += 1;
    const process = this.#idle.pop() ?? this.#newProcess();
    this.#add({ process, type: "invoke", op, key, ...(value === undefined ? {} : { value }) });
    const end = (type: "ok" | "fail", result?: Json): void => {
      this.#add({ process, type, op, key, ...(result === undefined ? {} : { result }) });
      this.#idle.push(process);
    };
    return {
      ok: (result) => end("ok", result),
      fail: () => end("fail"),
      info: () => this.#add({ process, type: "info", op, key }),
    };
  }

  /** Has everything in the file. */
  close(): void {
    this.#flush();
    closeSync(this.#file);
  }

  #newProcess(): string {
    this.#processes += 1;
    return `c${this.#processes}`;
  }

  #add(event: { readonly [field: string]: Json }): void {
    this.#text += `${JSON.stringify({ ...event, atUs: Math.floor(1_000 * performance.now()) })}\n`;
    if (this.#text.length > blockBytes) this.#flush();
  }

  #flush(): void {
    writeSync(this.#file, this.#text);
    this.#text = "";
  }
}
