/** The plainest disk there is, for tests: files in memory, everything durable at once, completions when told. */

import type { Disk, DiskError, Done } from "./disk.ts";

/** A disk for one test. */
export class MemoryDisk implements Disk {
  /** The files themselves; tests change them at will. */
  readonly files = new Map<string, Uint8Array>();
  /** What has been asked of the disk and changes it, in order: `append log-…`, `flush log-…`, … */
  readonly journal: string[] = [];
  /** How the next flushes, replacements and removals fail, or `null`. */
  error: DiskError | null = null;
  #waiting: (() => void)[] = [];

  /** A disk with the same files. */
  copy(): MemoryDisk {
    const copy = new MemoryDisk();
    for (const [name, bytes] of this.files) copy.files.set(name, bytes.slice());
    return copy;
  }

  /** Completes what was asked for so far; what that leads to has to wait for the next step. */
  step(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const completion of waiting) completion();
  }

  /** Completes everything. */
  settle(): void {
    while (this.#waiting.length > 0) this.step();
  }

  list(done: Done<readonly string[]>): void {
    this.#waiting.push(() => done({ ok: true, value: [...this.files.keys()].sort() }));
  }

  read(file: string, done: Done<Uint8Array>): void {
    this.#waiting.push(() => {
      const bytes = this.files.get(file);
      done(bytes === undefined ? missing(file) : { ok: true, value: bytes.slice() });
    });
  }

  append(file: string, bytes: Uint8Array): void {
    this.journal.push(`append ${file}`);
    this.files.set(file, Uint8Array.from([...(this.files.get(file) ?? []), ...bytes]));
  }

  flush(file: string, done: Done<null>): void {
    this.journal.push(`flush ${file}`);
    const found = this.files.has(file);
    this.#change(() => {}, found ? done : () => done(missing(file)));
  }

  replace(file: string, bytes: Uint8Array, done: Done<null>): void {
    this.journal.push(`replace ${file}`);
    this.#change(() => this.files.set(file, bytes.slice()), done);
  }

  remove(file: string, done: Done<null>): void {
    this.journal.push(`remove ${file}`);
    this.#change(() => this.files.delete(file), done);
  }

  #change(change: () => void, done: Done<null>): void {
    this.#waiting.push(() => {
      if (this.error === null) change();
      done(this.error === null ? { ok: true, value: null } : { ok: false, error: this.error });
    });
  }
}

function missing(file: string): { ok: false; error: DiskError } {
  return { ok: false, error: { kind: "missing", message: `There is no file ${file}.` } };
}
