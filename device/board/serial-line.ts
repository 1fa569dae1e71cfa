/**
 * A serial line that a board writes to, whether or not anybody listens at its other end: nothing ever waits for it. What it
 * does not take in time is left out, and a line that is missing or pulled out is looked for again.
 */

import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

/** What a serial line is made of. */
export type SerialLineSettings = {
  readonly path: string;
  /** Told once whenever it begins not to work. */
  readonly failed: (reason: string) => void;
  /** How long after a failure it is tried again. */
  readonly retryMs?: number;
};

/** Without O_NONBLOCK opening waits for a modem, and writing for a listener. */
const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
const usualRetryMs = 2_000;
/** So soon a line that takes no more is tried again. */
const fullRetryMs = 20;
/** A line that takes nothing for so long is told of. */
const stuckMs = 5_000;

/** See the head of this file. Keeps no process alive. */
export class SerialLine {
  readonly #settings: SerialLineSettings;
  #file: FileHandle | null = null;
  /** What is being written; and the newest text that waits for it. */
  #rest: Buffer | null = null;
  #next: string | null = null;
  #isBusy = false;
  #isClosed = false;
  #retry: NodeJS.Timeout | null = null;
  #hasFailed = false;
  #tookLastMs = performance.now();

  constructor(settings: SerialLineSettings) {
    this.#settings = settings;
  }

  /** Writes a line soon, unless a newer one comes first. */
  write(line: string): void {
    this.#next = line;
    this.#begin();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    await this.#drop();
  }

  #begin(): void {
    if (this.#isBusy || this.#isClosed || this.#retry !== null) return;
    this.#isBusy = true;
    void this.#work().finally(() => {
      this.#isBusy = false;
      // It came while the work ended.
      if (this.#next !== null) this.#begin();
    });
  }

  async #work(): Promise<void> {
    try {
      while (!this.#isClosed && (this.#rest !== null || this.#next !== null)) {
        this.#file ??= await this.#open();
        const bytes = this.#rest ?? this.#takeNext();
        const { bytesWritten } = await this.#file.write(bytes);
        this.#rest = bytesWritten < bytes.length ? bytes.subarray(bytesWritten) : null;
        this.#tookLastMs = performance.now();
        this.#hasFailed = false;
      }
    } catch (error) {
      await this.#takeFailure(error);
    }
  }

  async #open(): Promise<FileHandle> {
    const file = await open(this.#settings.path, flags);
    // Whatever stood there without an end stands on a line of its own.
    this.#rest = Buffer.from("\n");
    return file;
  }

  #takeNext(): Buffer {
    const line = this.#next ?? "";
    this.#next = null;
    this.#rest = Buffer.from(`${line}\n`, "latin1");
    return this.#rest;
  }

  async #takeFailure(error: unknown): Promise<void> {
    const isFull = error instanceof Error && "code" in error && error.code === "EAGAIN";
    if (isFull) {
      if (performance.now() - this.#tookLastMs > stuckMs) this.#tell("it takes nothing any more");
      this.#tryAgain(fullRetryMs);
      return;
    }
    this.#tell(error instanceof Error ? error.message : String(error));
    await this.#drop();
    this.#rest = null;
    this.#tryAgain(this.#settings.retryMs ?? usualRetryMs);
  }

  #tryAgain(afterMs: number): void {
    if (this.#isClosed) return;
    this.#retry = setTimeout(() => {
      this.#retry = null;
      this.#begin();
    }, afterMs).unref();
  }

  #tell(reason: string): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#settings.failed(`The serial console ${this.#settings.path} does not work: ${reason}.`);
  }

  async #drop(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.close().catch(() => undefined);
  }
}
