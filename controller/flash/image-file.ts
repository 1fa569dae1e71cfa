/**
 * Images of cards as files: plain, or packed by xz, gzip or zip. What can be known without unpacking it all is checked before
 * anything is written: whether the file is whole, how large the image is, whether it begins like one.
 */

import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { createInflateRaw } from "node:zlib";
import { CardFailure } from "./card-failure.ts";
import { firstBytes, packingOf, readAt, through, unpackGzip, unpackXz } from "./packed.ts";
import { endOfPartitions, findBootPartition, type Partition } from "./partition-table.ts";
import { xzSize } from "./xz-size.ts";
import { findInZip } from "./zip-directory.ts";

/** An image that can be read as often as need be. */
export type ImageFile = {
  readonly name: string;
  /** Unpacked; `null` where the file does not say. */
  readonly sizeBytes: number | null;
  /** Where its last partition ends: what is shorter is not whole. */
  readonly endBytes: number;
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
  const firstSector = await firstBytes(chunks(), sectorBytes);
  const bootPartition = findBootPartition(firstSector, name);
  const endBytes = endOfPartitions(firstSector, name);
  if (sizeBytes !== null && sizeBytes < endBytes) throw cutOff(name);
  const beginning = await firstBytes(chunks(), bootPartition.startBytes + listingBytes);
  return { name, sizeBytes, endBytes, bootPartition, beginning, chunks };
}

function cutOff(name: string): CardFailure {
  return new CardFailure(`${name} is cut off: its end is missing. Download it again.`);
}

async function inspect(path: string, name: string): Promise<Packed> {
  // Opening something that is no file may wait for ever.
  const kind = await stat(path).catch(() => null);
  if (kind !== null && !kind.isFile()) {
    throw new CardFailure(`${name} is ${kind.isDirectory() ? "a folder" : "a device"}: --image takes an image file.`);
  }
  const file = await open(path, "r").catch((error: unknown) => {
    throw new CardFailure(`${name} cannot be read: ${error instanceof Error ? error.message : String(error)}.`);
  });
  try {
    const { size } = await file.stat();
    const head = await readAt(file, 0, 6);
    const packing = packingOf(head);
    if (packing === "xz") {
      const sizeBytes = await xzSize((offset, length) => readAt(file, offset, length), size);
      if (sizeBytes === null) throw cutOff(name);
      return { sizeBytes, unpacked: () => unpackXz(path) };
    }
    if (packing === "gz") return { sizeBytes: null, unpacked: () => unpackGzip(path) };
    if (packing === "zip") {
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

/** What an unpacker says of a damaged file, in words that help. */
async function* explaining(chunks: AsyncIterable<Uint8Array>, name: string): AsyncIterable<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CardFailure(`${name} is damaged (${why}). Download it again.`);
  }
}
