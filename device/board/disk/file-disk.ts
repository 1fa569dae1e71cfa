/**
 * A board's disk: the files of one flat folder.
 *
 * Nothing here blocks the event loop: whatever touches the disk runs on Node's thread pool, the tail of a slow card
 * included. Everything about one file is done in the order in which it was asked for; files do not wait for each other.
 */

import fs from "node:fs";
import type { Disk, DiskError, DiskResult, Done } from "../../storage/disk.ts";
import { folderError } from "./data-folder-error.ts";
import { diskFailure } from "./disk-failure.ts";
import { FileQueue } from "./file-queue.ts";
import { Folder, makeFolder } from "./folder.ts";

/** A disk made of files. */
export type FileDisk = Disk & {
  /** Ends what was asked for, then lets go of all files. What is asked for later fails. */
  close(): Promise<void>;
};

/** What may be chosen about a disk. */
export type FileDiskOptions = {
  /** Told, each time, how many microseconds it took to make appended bytes durable. */
  readonly observeFlush?: (us: number) => void;
};

/**
 * Opens a folder as a disk, and makes it if it is not there. Rejects with a `DataFolderError` if it cannot be used. The
 * caller sees to it that nobody else uses the folder, see `openDataFolder`.
 */
export async function openFileDisk(folder: string, options: FileDiskOptions = {}): Promise<FileDisk> {
  try {
    await makeFolder(folder);
    await fs.promises.access(folder, fs.constants.R_OK | fs.constants.W_OK | fs.constants.X_OK);
    const opened = await Folder.open(folder);
    await opened.clean();
    return new FolderDisk(opened, options.observeFlush ?? (() => {}));
  } catch (error) {
    throw folderError(folder, error);
  }
}

/** How many files are held open at most: the one that is appended to, and its predecessor while the next one starts. */
const openFilesMax = 4;

/** For how long appended bytes for which nobody waits may wait for a flush that takes them along. */
const idleMsMax = 20;

const namePattern = /^[a-z0-9.-]+$/;

class FolderDisk implements FileDisk {
  readonly #folder: Folder;
  readonly #observeFlush: (us: number) => void;
  readonly #queues = new Map<string, FileQueue>();
  /** Whose files are open, the latest last. */
  readonly #open = new Set<FileQueue>();
  #idleTimer: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(folder: Folder, observeFlush: (us: number) => void) {
    this.#folder = folder;
    this.#observeFlush = observeFlush;
  }

  list(done: Done<readonly string[]>): void {
    if (this.#refuse(done)) return;
    void this.#list().then((result) => process.nextTick(done, result));
  }

  read(file: string, done: Done<Uint8Array>): void {
    if (!this.#refuse(done)) this.#queue(file).read(done);
  }

  append(file: string, bytes: Uint8Array): void {
    if (this.#isClosed || bytes.length === 0) return;
    this.#queue(file).append(bytes);
    this.#idleTimer ??= setTimeout(() => {
      this.#idleTimer = null;
      for (const queue of this.#queues.values()) queue.writeOut();
    }, idleMsMax);
  }

  flush(file: string, done: Done<null>): void {
    if (!this.#refuse(done)) this.#queue(file).flush(done);
  }

  replace(file: string, bytes: Uint8Array, done: Done<null>): void {
    if (!this.#refuse(done)) this.#queue(file).replace(bytes, done);
  }

  remove(file: string, done: Done<null>): void {
    if (!this.#refuse(done)) this.#queue(file).remove(done);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer);
    await Promise.all(Array.from(this.#queues.values(), (queue) => new Promise<void>((done) => queue.close(done))));
    await this.#folder.close();
  }

  #refuse<Value>(done: Done<Value>): boolean {
    if (!this.#isClosed) return false;
    const error: DiskError = { kind: "failed", message: `The disk ${this.#folder.path} was closed before.` };
    process.nextTick(done, { ok: false, error });
    return true;
  }

  #queue(name: string): FileQueue {
    const known = this.#queues.get(name);
    if (known !== undefined) return known;
    if (!namePattern.test(name)) throw new RangeError(`${JSON.stringify(name)} is no name for a file of a disk.`);
    const queue = new FileQueue({
      folder: this.#folder,
      name,
      observeFlush: this.#observeFlush,
      onOpened: (opened) => this.#boundOpenFiles(opened),
      onIdle: () => {
        this.#open.delete(queue);
        this.#queues.delete(name);
      },
    });
    this.#queues.set(name, queue);
    return queue;
  }

  #boundOpenFiles(opened: FileQueue): void {
    this.#open.delete(opened);
    this.#open.add(opened);
    for (const queue of this.#open) {
      if (this.#open.size <= openFilesMax) return;
      this.#open.delete(queue);
      queue.close(() => {});
    }
  }

  /** Files of which bytes wait are made first, so that they are listed. */
  async #list(): Promise<DiskResult<readonly string[]>> {
    await Promise.all(Array.from(this.#queues.values(), (queue) => new Promise<void>((done) => queue.settle(done))));
    try {
      const names = await this.#folder.list();
      return { ok: true, value: names.filter((name) => namePattern.test(name)).sort() };
    } catch (error) {
      return { ok: false, error: diskFailure(this.#folder.path, "listed", error) };
    }
  }
}
