/**
 * Images of cards as files: plain, or packed by xz, gzip or zip. What can be known without unpacking it all is checked before
 * anything is written: whether the file is whole, how large the image is, whether it begins like one.
 */

import { createReadStream, type ReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { createRequire } from "node:module";
import { pipeline, type Transform } from "node:stream";
import { createGunzip, createInflateRaw } from "node:zlib";
import { CardFailure } from "./card-failure.ts";
import { findBootPartition, type Partition } from "./partition-table.ts";
import { xzSize } from "./xz-size.ts";
import { findInZip } from "./zip-directory.ts";

/** An image that can be read as often as need be. */
export type ImageFile = {
  readonly name: string;
  /** Unpacked; `null` where the file does not say. */
  readonly sizeBytes: number | null;
  readonly bootPartition: Partition;
  /** Its beginning, as far as the boot partition's list of files mostly goes. */
  readonly beginning: Uint8Array;
  /** The whole image from its beginning. Throws a `CardFailure` if the file proves damaged. */
  chunks(): AsyncIterable<Uint8Array>;
};

const sectorBytes = 512;
/** FAT's tables stand at the beginning of its partition, and behind them its root folder. */
const listingBytes = 4 << 20;

type Packed = { readonly sizeBytes: number | null; readonly unpacked: () => AsyncIterable<Uint8Array> };

/** Looks at an image. @throws {CardFailure} if it is none, is cut off, or has no boot partition. `name` is for messages. */
export async function openImage(path: string, name: string): Promise<ImageFile> {
  const { sizeBytes, unpacked } = await inspect(path, name);
  const chunks = (): AsyncIterable<Uint8Array> => explaining(unpacked(), name);
  const bootPartition = findBootPartition(await firstBytes(chunks(), sectorBytes), name);
  const beginning = await firstBytes(chunks(), bootPartition.startBytes + listingBytes);
  const endBytes = bootPartition.startBytes + bootPartition.sizeBytes;
  if (sizeBytes !== null && sizeBytes < endBytes) throw cutOff(name);
  return { name, sizeBytes, bootPartition, beginning, chunks };
}

function cutOff(name: string): CardFailure {
  return new CardFailure(`${name} is cut off: its end is missing. Download it again.`);
}

async function inspect(path: string, name: string): Promise<Packed> {
  const file = await open(path, "r").catch((error: unknown) => {
    throw new CardFailure(`${name} cannot be read: ${error instanceof Error ? error.message : String(error)}.`);
  });
  try {
    const { size } = await file.stat();
    const head = await readAt(file, 0, 6);
    if (startsWith(head, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])) {
      const sizeBytes = await xzSize((offset, length) => readAt(file, offset, length), size);
      if (sizeBytes === null) throw cutOff(name);
      return { sizeBytes, unpacked: () => unpackXz(path) };
    }
    if (startsWith(head, [0x1f, 0x8b])) {
      return { sizeBytes: null, unpacked: () => through(createReadStream(path), createGunzip()) };
    }
    if (startsWith(head, [0x50, 0x4b, 0x03, 0x04])) {
      const part = await findInZip((offset, length) => readAt(file, offset, length), size);
      if (part === null) throw new CardFailure(`${name} is cut off, or holds no image (*.img). Download it again.`);
      const range = { start: part.offset, end: part.offset + part.packedBytes - 1 };
      const unpacked = (): AsyncIterable<Uint8Array> => {
        const stream = createReadStream(path, range);
        return part.isDeflated ? through(stream, createInflateRaw()) : stream;
      };
      return { sizeBytes: part.sizeBytes, unpacked };
    }
    return { sizeBytes: size, unpacked: () => createReadStream(path, { highWaterMark: 1 << 20 }) };
  } finally {
    await file.close();
  }
}

async function* unpackXz(path: string): AsyncIterable<Uint8Array> {
  const source = createReadStream(path);
  const packedChunks = source[Symbol.asyncIterator]();
  const packed = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await packedChunks.next();
      if (next.done === true) controller.close();
      else controller.enqueue(next.value);
    },
  });
  const reader = new (loadXz().XzReadableStream)(packed).getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    // The library unpacks one file at a time: the next one waits until this one is given up.
    await reader.cancel();
    source.destroy();
  }
}

/** As CommonJS, which it is: what an import of it gives depends on who loads it. */
function loadXz(): typeof import("xz-decompress") {
  return createRequire(import.meta.url)("xz-decompress");
}

/** Unpacks a stream; whoever stops reading closes the file too. */
function through(source: ReadStream, unpacker: Transform): AsyncIterable<Uint8Array> {
  return pipeline(source, unpacker, () => undefined);
}

/** What an unpacker says of a damaged file, in words that help. */
async function* explaining(chunks: AsyncIterable<Uint8Array>, name: string): AsyncIterable<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CardFailure(`${name} is damaged (${why}). Download it again.`);
  }
}

async function firstBytes(chunks: AsyncIterable<Uint8Array>, length: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let got = 0;
  for await (const chunk of chunks) {
    parts.push(Uint8Array.from(chunk));
    got += chunk.length;
    if (got >= length) break;
  }
  return Buffer.concat(parts).subarray(0, length);
}

async function readAt(file: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  const { bytesRead } = await file.read(bytes, 0, length, offset);
  return bytes.subarray(0, bytesRead);
}

function startsWith(bytes: Uint8Array, start: readonly number[]): boolean {
  return start.every((byte, at) => bytes[at] === byte);
}
