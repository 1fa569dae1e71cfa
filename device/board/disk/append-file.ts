/**
 * A file that only grows, held open, and made durable in one trip to Node's thread pool instead of two.
 *
 * On Linux the durable way in is a descriptor opened with O_DSYNC: the write returns once the bytes, and the size of the
 * file that shows them, are on the disk. Elsewhere it is a write and an fdatasync (on macOS O_DSYNC leaves the bytes in
 * the drive's cache). O_DSYNC covers only what the same write has written. So whatever was written before, without being
 * durable, is written once more at its place with the next durable write.
 *
 * Milliseconds on ext4 over a virtual disk, appending one piece after the other, 4,000 pieces of 400 bytes and 600 of
 * 100 kB:
 *
 *                          400 B p50   p99      100 kB p50   p99
 *     write, fdatasync         0.24    0.53           0.44   3.6
 *     write, fsync             0.25    0.50           0.40   2.0
 *     O_DSYNC                  0.22    0.45           0.38   2.4
 *
 * Writing over bytes that the file has already is faster (0.15 and 0.21), because its size stays as it is and nothing goes
 * into the file system's journal. So a small write at the end of the file takes a stretch of zeros along, into which the
 * next ones go. The zeros are cut off when the file is let go of; after a crash they are still there (see `Disk.read`).
 */

import fs from "node:fs";

/** How an operation of this file ends: with the operating system's error, or `null`. */
export type Ended = (error: Error | null) => void;

/** A file being appended to; one operation at a time. */
export class AppendFile {
  readonly #file: number;
  /** The descriptor whose writes are durable, or `null` where a write has to be followed by an fdatasync. */
  readonly #durableFile: number | null;
  /** Up to here the file is durable. */
  #durableBytes: number;
  /** Up to here the file has bytes, of which the last may be zeros that only keep the room. */
  #sizeBytes: number;
  /** What has been written behind the durable part. */
  #unflushed: Uint8Array[] = [];
  #unflushedBytes = 0;

  private constructor(file: number, durableFile: number | null, sizeBytes: number) {
    this.#file = file;
    this.#durableFile = durableFile;
    this.#durableBytes = sizeBytes;
    this.#sizeBytes = sizeBytes;
  }

  /** How much has been written to it; behind that there may be zeros. */
  get writtenBytes(): number {
    return this.#durableBytes + this.#unflushedBytes;
  }

  /**
   * Opens a file to go on behind its end; everything in it is made durable first, since another process may have left
   * it in the operating system's memory. Fails with ENOENT if there is none and `create` is false.
   */
  static async open(path: string, { create }: { readonly create: boolean }): Promise<AppendFile> {
    const { O_WRONLY, O_CREAT, O_DSYNC } = fs.constants;
    const file = await openFile(path, O_WRONLY | (create ? O_CREAT : 0));
    try {
      await ended((done) => fs.fsync(file, done));
      const sizeBytes = await sizeOf(file);
      const durableFile = process.platform === "linux" ? await openFile(path, O_WRONLY | O_DSYNC) : null;
      return new AppendFile(file, durableFile, sizeBytes);
    } catch (error) {
      fs.close(file, ignored);
      throw error;
    }
  }

  /** Hands bytes to the operating system, so that they outlive this process, though not a power cut. */
  write(pieces: readonly Uint8Array[], done: Ended): void {
    const position = this.#durableBytes + this.#unflushedBytes;
    for (const piece of pieces) {
      this.#unflushed.push(piece);
      this.#unflushedBytes += piece.length;
    }
    writeAll(this.#file, pieces, position, done);
  }

  /** Adds bytes, and makes them and everything before them durable. */
  writeDurably(pieces: readonly Uint8Array[], done: Ended): void {
    const written = this.#unflushed.length === 0 ? pieces : [...this.#unflushed, ...pieces];
    const endBytes = written.reduce((sum, { length }) => sum + length, this.#durableBytes);
    const zeros = this.#zerosBehind(endBytes);
    const all = zeros === null ? written : [...written, zeros];
    const finish: Ended = (error) => {
      if (error === null) {
        this.#durableBytes = endBytes;
        this.#sizeBytes = Math.max(this.#sizeBytes, endBytes + (zeros?.length ?? 0));
        this.#unflushed = [];
        this.#unflushedBytes = 0;
      }
      done(error);
    };
    if (this.#durableFile !== null) {
      writeAll(this.#durableFile, all, this.#durableBytes, finish);
      return;
    }
    writeAll(this.#file, all, this.#durableBytes, (error) => {
      if (error === null) fs.fdatasync(this.#file, finish);
      else finish(error);
    });
  }

  /** Lets go of the file. Nothing depends on how that ends: what matters was flushed before. */
  close(done: (error: Error | null) => void): void {
    const close = (): void =>
      fs.close(this.#file, (error) => {
        if (this.#durableFile === null) done(error);
        else fs.close(this.#durableFile, done);
      });
    if (this.#sizeBytes > this.writtenBytes) fs.ftruncate(this.#file, this.writtenBytes, close);
    else close();
  }

  /** The zeros that a write up to `endBytes` takes along, or `null`: there is room, or the write is too large to need any. */
  #zerosBehind(endBytes: number): Uint8Array | null {
    if (endBytes <= this.#sizeBytes || endBytes - this.#durableBytes > smallBytesMax) return null;
    return zeros.subarray(0, roomBytes - (endBytes % roomBytes));
  }
}

/** Room is made up to the next multiple of this. */
const roomBytes = 64 * 1024;
const zeros = new Uint8Array(roomBytes);
/** Of larger writes each would need room of its own, so they make none. */
const smallBytesMax = 16 * 1024;

/** Writes all the pieces one behind the other, however many calls that takes. */
export function writeAll(file: number, pieces: readonly Uint8Array[], position: number, done: Ended): void {
  const sizeBytes = pieces.reduce((sum, { length }) => sum + length, 0);
  const proceed = (error: Error | null, writtenBytes: number): void => {
    if (error !== null) done(error);
    else if (writtenBytes === sizeBytes) done(null);
    else if (writtenBytes === 0) done(new Error("the operating system took none of the bytes"));
    else writeAll(file, withoutFirst(pieces, writtenBytes), position + writtenBytes, done);
  };
  const [only] = pieces;
  if (only === undefined) process.nextTick(done, null);
  else if (pieces.length === 1) fs.write(file, only, 0, only.length, position, proceed);
  else fs.writev(file, pieces, position, proceed);
}

/** The same as a promise, for what is not on the way of an operation. */
export function ended(start: (done: Ended) => void): Promise<void> {
  return new Promise((resolve, reject) => start((error) => (error === null ? resolve() : reject(error))));
}

/** Opens a file that only this user may read. */
export function openFile(path: string, flags: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.open(path, flags, 0o600, (error, file) => (error === null ? resolve(file) : reject(error)));
  });
}

function sizeOf(file: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.fstat(file, (error, stats) => (error === null ? resolve(stats.size) : reject(error)));
  });
}

function withoutFirst(pieces: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let left = bytes;
  return pieces.flatMap((piece) => {
    const skipped = Math.min(left, piece.length);
    left -= skipped;
    return skipped === piece.length ? [] : [piece.subarray(skipped)];
  });
}

function ignored(): void {}
