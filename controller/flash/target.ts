/** What a card's content is written to: a drive, or a file that becomes an image. */

import { spawn } from "node:child_process";
import { constants, readSync } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { CardFailure } from "./card-failure.ts";
import { unfinishedPath } from "./out-file.ts";

/** See above. `write`, `flush` and `finish` reject with a `CardFailure` when the card fails. */
export type Target = {
  readonly name: string;
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** What was written, possibly out of the system's memory. */
  read(offset: number, length: number): Uint8Array;
  /** Resolves when all that was written is on the card. */
  flush(): Promise<void>;
  /** What really is on the card, past the system's memory. */
  readBack(offset: number, length: number): AsyncIterable<Uint8Array>;
  /** All is there and was verified. */
  finish(): Promise<void>;
  /** Lets go of it; whatever is not finished stays unusable. */
  close(): Promise<void>;
};

const blockBytes = 1 << 20;

/**
 * Opens a drive for this process alone: the kernel refuses if anything of it is mounted.
 *
 * Reading back goes by `dd iflag=direct`: past the page cache, in which everything just written would be found intact.
 *
 * @throws {CardFailure} if it cannot be had
 */
export async function openDrive(path: string): Promise<Target> {
  const file = await open(path, constants.O_RDWR | constants.O_EXCL).catch((error: unknown) => {
    throw unopenable(path, error);
  });
  return {
    ...targetOn(file, path),
    readBack: (offset, length) => readDirectly(path, offset, length),
    finish: () => Promise.resolve(),
  };
}

/**
 * Opens a file that has its name only when it is finished. Only its owner can read it, for it holds keys. What a writing
 * that was cut off has left is taken away.
 *
 * @param path looked at by `checkOutFile`
 */
export async function openImageFile(path: string, name: string): Promise<Target> {
  const unfinished = unfinishedPath(path);
  const file = await rm(unfinished, { force: true })
    // Only a file that is new: no link is followed, no device opened.
    .then(() => open(unfinished, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600))
    .catch((error: unknown) => {
      throw unopenable(name, error);
    });
  const target = targetOn(file, name);
  let endBytes = 0;
  let isFinished = false;
  return {
    ...target,
    async write(offset, bytes) {
      const isNew = offset >= endBytes;
      endBytes = Math.max(endBytes, offset + bytes.length);
      // Zeros behind the end are left out: the file has a hole there.
      if (!isNew || !isZero(bytes)) return await target.write(offset, bytes);
      await file.truncate(endBytes).catch((error: unknown) => {
        throw failing(name, "write", error);
      });
    },
    readBack: (offset, length) => Readable.from(readAgain(target, offset, length)),
    async finish() {
      await rename(unfinished, path).catch((error: unknown) => {
        throw failing(name, "take its name", error);
      });
      isFinished = true;
    },
    async close() {
      await target.close();
      if (!isFinished) await rm(unfinished, { force: true });
    },
  };
}

function targetOn(file: FileHandle, name: string): Omit<Target, "readBack" | "finish"> {
  return {
    name,
    async write(offset, bytes) {
      try {
        for (let at = 0; at < bytes.length; ) {
          const { bytesWritten } = await file.write(bytes, at, bytes.length - at, offset + at);
          at += bytesWritten;
        }
      } catch (error) {
        throw failing(name, "write", error);
      }
    },
    read(offset, length) {
      const bytes = new Uint8Array(length);
      let at = 0;
      while (at < length) {
        const got = readSync(file.fd, bytes, at, length - at, offset + at);
        if (got === 0) break;
        at += got;
      }
      return bytes.subarray(0, at);
    },
    async flush() {
      await file.sync().catch((error: unknown) => {
        throw failing(name, "flush", error);
      });
    },
    close: () => file.close(),
  };
}

function* readAgain(target: Pick<Target, "read">, offset: number, length: number): Iterable<Uint8Array> {
  for (let at = 0; at < length; at += blockBytes) yield target.read(offset + at, Math.min(blockBytes, length - at));
}

async function* readDirectly(path: string, offset: number, length: number): AsyncIterable<Uint8Array> {
  const from = Math.floor(offset / blockBytes);
  const count = Math.ceil((offset + length) / blockBytes) - from;
  const options = [`if=${path}`, `bs=${blockBytes}`, `skip=${from}`, `count=${count}`, "iflag=direct", "status=none"];
  // Ctrl-C is for this process, which then ends dd.
  const child = spawn("dd", options, { stdio: ["ignore", "pipe", "pipe"], detached: true });
  let complaint = "";
  child.stderr.on("data", (text) => (complaint += String(text)));
  const ended = new Promise<void>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => (status === 0 ? resolve() : reject(new Error(complaint.trim()))));
  });
  ended.catch(() => undefined);
  let at = from * blockBytes;
  try {
    for await (const chunk of child.stdout as AsyncIterable<Uint8Array>) {
      const wanted = chunk.subarray(Math.max(0, offset - at), Math.max(0, offset + length - at));
      at += chunk.length;
      if (wanted.length > 0) yield wanted;
    }
    await ended;
  } catch (error) {
    throw failing(path, "read back", error);
  } finally {
    child.kill();
  }
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.length === 0 || (bytes[0] === 0 && Buffer.compare(bytes.subarray(1), bytes.subarray(0, -1)) === 0);
}

function unopenable(name: string, error: unknown): CardFailure {
  const code = error instanceof Error && "code" in error ? error.code : null;
  switch (code) {
    case "EACCES":
    case "EPERM":
      return new CardFailure(
        `You may not write ${name}: for a drive run the command with sudo, otherwise choose another file.`,
      );
    case "EBUSY":
      return new CardFailure(
        `${name} is in use by something else. Close what has it open (a file manager?), and try again.`,
      );
    default:
      return new CardFailure(`${name} cannot be opened: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

function failing(name: string, verb: string, error: unknown): CardFailure {
  const why = error instanceof Error ? error.message : String(error);
  switch (error instanceof Error && "code" in error ? error.code : null) {
    case "ENOSPC":
    case "EDQUOT":
      return new CardFailure(
        `No room is left for ${name}: the disk is full. Make room, or take another place or a larger card.`,
      );
    case "EFBIG":
      return new CardFailure(`The file system with ${name} takes no file of that size. Choose another place.`);
  }
  return new CardFailure(`${name} failed to ${verb} (${why}). The card or its reader may be broken: try another one.`);
}
