/** A folder, held open: how the names in it become durable, and how a file in it is replaced at once. */

import fs from "node:fs";
import { dirname, join, resolve } from "node:path";
import { ended, openFile, writeAll } from "./append-file.ts";
import { errorCode } from "./data-folder-error.ts";

/** The end of the name of a file that is being written and will take the place of another. No other name ends so. */
export const unfinishedSuffix = "~";

/**
 * Makes a folder that only this user may enter, and those that it stands in, unless they are there. Durably. (Node's own
 * way to make all of them never ends where a parent cannot be made and says ENOENT, as below /proc.)
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await fs.promises.mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (errorCode(error) === "EEXIST" && (await fs.promises.stat(path)).isDirectory()) return;
    const parent = dirname(resolve(path));
    if (errorCode(error) !== "ENOENT" || (await isThere(parent))) throw error;
    await makeFolder(parent);
    await makeFolder(path);
    return;
  }
  const parent = await Folder.open(dirname(resolve(path)));
  await parent.flush().finally(() => parent.close());
}

/** Its methods fail with the operating system's errors. */
export class Folder {
  readonly path: string;
  readonly #folder: number;
  /** Once it is unknown which names are durable, it stays so: the next fsync would succeed and say nothing. */
  failure: unknown = null;

  private constructor(path: string, folder: number) {
    this.path = path;
    this.#folder = folder;
  }

  /** Opens a folder that is there. */
  static async open(path: string): Promise<Folder> {
    return new Folder(path, await openFile(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY));
  }

  /** Makes durable which names the folder has and lacks. */
  async flush(): Promise<void> {
    if (this.failure !== null) throw this.failure;
    try {
      await ended((done) => fs.fsync(this.#folder, done));
    } catch (error) {
      this.failure = error;
      throw error;
    }
  }

  /** The names of its files. */
  async list(): Promise<string[]> {
    const entries = await fs.promises.readdir(this.path, { withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  }

  /** Puts `bytes` in the place of a whole file: after a power cut it is the old or the new. */
  async replace(name: string, bytes: Uint8Array): Promise<void> {
    const path = join(this.path, name);
    const unfinished = path + unfinishedSuffix;
    try {
      await writeDurably(unfinished, bytes);
      await fs.promises.rename(unfinished, path);
    } catch (error) {
      await fs.promises.rm(unfinished, { force: true }).catch(() => {});
      throw error;
    }
    await this.flush();
  }

  /** Removes a file, durably. */
  async remove(name: string): Promise<void> {
    await fs.promises.rm(join(this.path, name), { force: true });
    await this.flush();
  }

  /** Removes what replacements have left that were interrupted, and makes durable which names are there. */
  async clean(): Promise<void> {
    const names = await this.list();
    for (const name of names.filter((name) => name.endsWith(unfinishedSuffix))) {
      await fs.promises.rm(join(this.path, name), { force: true });
    }
    await this.flush();
  }

  /** Lets go of the folder. */
  close(): Promise<void> {
    return ended((done) => fs.close(this.#folder, done));
  }
}

async function isThere(path: string): Promise<boolean> {
  return await fs.promises.access(path).then(
    () => true,
    () => false,
  );
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const { O_WRONLY, O_CREAT, O_TRUNC } = fs.constants;
  const file = await openFile(path, O_WRONLY | O_CREAT | O_TRUNC);
  try {
    await ended((done) => writeAll(file, [bytes], 0, done));
    await ended((done) => fs.fdatasync(file, done));
  } finally {
    await ended((done) => fs.close(file, done));
  }
}
