/**
 * What is asked of one file, done one after the other. What is appended while a flush is under way gathers and goes out
 * with the next one, and flushes that wait share it.
 *
 * A failed write or flush is final: the operating system may have dropped the bytes and marked its pages clean, so that
 * another flush would succeed without them. Only a new file in its place makes an end of that.
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { DiskError, DiskResult, Done } from "../../storage/disk.ts";
import { AppendFile, ended } from "./append-file.ts";
import { diskFailure, success } from "./disk-failure.ts";
import type { Folder } from "./folder.ts";

/** Bytes for the end of the file, and who waits for them to be durable. Without the latter there is no hurry. */
type Write = { readonly kind: "write"; readonly pieces: Uint8Array[]; readonly flushes: Done<null>[] };

/** Anything else, which never rejects. */
type Step = { readonly kind: "step"; readonly run: () => Promise<void> };

/** What a queue tells its disk. */
export type FileQueueOptions = {
  readonly folder: Folder;
  readonly name: string;
  /** Told how long each durable write took, in microseconds. */
  readonly observeFlush: (us: number) => void;
  /** Told when the file is opened, so that the disk can bound how many are. */
  readonly onOpened: (queue: FileQueue) => void;
  /** Told when there is nothing left to know about the file, so that the disk can forget it. */
  readonly onIdle: () => void;
};

/** The queue of one file. */
export class FileQueue {
  readonly #folder: Folder;
  readonly #name: string;
  readonly #path: string;
  readonly #observeFlush: (us: number) => void;
  readonly #onOpened: (queue: FileQueue) => void;
  readonly #onIdle: () => void;
  readonly #tasks: (Write | Step)[] = [];
  #busy = false;
  #file: AppendFile | null = null;
  #failure: DiskError | null = null;

  constructor({ folder, name, observeFlush, onOpened, onIdle }: FileQueueOptions) {
    this.#folder = folder;
    this.#name = name;
    this.#path = join(folder.path, name);
    this.#observeFlush = observeFlush;
    this.#onOpened = onOpened;
    this.#onIdle = onIdle;
  }

  /** See `Disk.append`. The bytes are written with the next flush, or when `writeOut` says so. */
  append(bytes: Uint8Array): void {
    this.#lastWrite().pieces.push(bytes);
  }

  /** See `Disk.flush`. */
  flush(done: Done<null>): void {
    this.#lastWrite().flushes.push(done);
    // After what else this turn has to do, such as sending to others what they can write at the same time.
    process.nextTick(() => this.#proceed());
  }

  /** See `Disk.read`. */
  read(done: Done<Uint8Array>): void {
    this.#ask(async () => {
      const result = await this.#read();
      return () => done(result);
    });
  }

  /** See `Disk.replace`. */
  replace(bytes: Uint8Array, done: Done<null>): void {
    this.#ask(() => this.#change("replaced", () => this.#folder.replace(this.#name, bytes), done));
  }

  /** See `Disk.remove`. */
  remove(done: Done<null>): void {
    this.#ask(() => this.#change("removed", () => this.#folder.remove(this.#name), done));
  }

  /** Hands what was appended to the operating system, although nobody waits for it. */
  writeOut(): void {
    this.#proceed({ hurry: true });
  }

  /** Calls `done` when everything that was asked for so far has ended. */
  settle(done: () => void): void {
    this.#ask(() => Promise.resolve(done));
  }

  /** Lets go of the file once everything that was asked for so far has ended. */
  close(done: () => void): void {
    this.#ask(async () => {
      await this.#letGo();
      return done;
    });
  }

  /** The write that what comes next may join: the last one asked for, unless it is under way. */
  #lastWrite(): Write {
    const last = this.#tasks.at(-1);
    if (last?.kind === "write") return last;
    const write: Write = { kind: "write", pieces: [], flushes: [] };
    this.#tasks.push(write);
    return write;
  }

  /** Queues a step, which gives what is to be called after it. */
  #ask(step: () => Promise<() => void>): void {
    const run = async (): Promise<void> => {
      const then = await step();
      this.#end(then);
    };
    this.#tasks.push({ kind: "step", run });
    this.#proceed();
  }

  #proceed({ hurry = false } = {}): void {
    const [next] = this.#tasks;
    if (this.#busy || next === undefined) return;
    // Bytes for which nobody waits may wait for more.
    if (next.kind === "write" && next.flushes.length === 0 && this.#tasks.length === 1 && !hurry) return;
    this.#busy = true;
    this.#tasks.shift();
    if (next.kind === "step") void next.run();
    else this.#write(next);
  }

  /** What was under way has ended. The next thing starts before anyone is told, so that the disk never idles. */
  #end(tell: () => void): void {
    this.#busy = false;
    this.#proceed();
    // Not within a promise, which would turn what the callee throws into a rejection that nobody handles here.
    process.nextTick(tell);
    if (this.#tasks.length === 0 && !this.#busy && this.#file === null && this.#failure === null) this.#onIdle();
  }

  #write({ pieces, flushes }: Write): void {
    const finish: Done<null> = (result) => {
      if (!result.ok && (pieces.length > 0 || result.error.kind !== "missing")) this.#failure = result.error;
      this.#end(() => {
        for (const done of flushes) done(result);
      });
    };
    if (this.#failure !== null) {
      finish(failed(this.#failure));
      return;
    }
    if (this.#file === null) {
      this.#open({ create: pieces.length > 0 }).then(
        (file) => this.#writeTo(file, pieces, flushes.length > 0, finish),
        (error) => finish(failed(diskFailure(this.#path, "opened", error))),
      );
      return;
    }
    this.#writeTo(this.#file, pieces, flushes.length > 0, finish);
  }

  #writeTo(file: AppendFile, pieces: readonly Uint8Array[], durably: boolean, finish: Done<null>): void {
    if (!durably) {
      file.write(pieces, (error) =>
        finish(error === null ? success : failed(diskFailure(this.#path, "written", error))),
      );
      return;
    }
    const startMs = performance.now();
    file.writeDurably(pieces, (error) => {
      this.#observeFlush((performance.now() - startMs) * 1000);
      finish(error === null ? success : failed(diskFailure(this.#path, "flushed", error)));
    });
  }

  async #open(how: { readonly create: boolean }): Promise<AppendFile> {
    const file = await AppendFile.open(this.#path, how);
    this.#file = file;
    await this.#folder.flush();
    this.#onOpened(this);
    return file;
  }

  async #read(): Promise<DiskResult<Uint8Array>> {
    if (this.#failure !== null) return failed(this.#failure);
    try {
      const { buffer, byteOffset, length } = await readFile(this.#path);
      const writtenBytes = Math.min(length, this.#file?.writtenBytes ?? length);
      return { ok: true, value: new Uint8Array(buffer, byteOffset, writtenBytes) };
    } catch (error) {
      return failed(diskFailure(this.#path, "read", error));
    }
  }

  /** Does something after which the file under this name is another one, or none. */
  async #change(action: string, change: () => Promise<void>, done: Done<null>): Promise<() => void> {
    try {
      await change();
    } catch (error) {
      const failure = diskFailure(this.#path, action, error);
      // Which file the name now stands for, the old one or the new, only a power cut would show.
      if (this.#folder.failure !== null) this.#failure = failure;
      return () => done(failed(failure));
    }
    await this.#letGo();
    this.#failure = null;
    return () => done(success);
  }

  async #letGo(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    if (file !== null) await ended((done) => file.close(() => done(null)));
  }
}

function failed(error: DiskError): { readonly ok: false; readonly error: DiskError } {
  return { ok: false, error };
}
