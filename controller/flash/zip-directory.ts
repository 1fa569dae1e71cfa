/** The image in a .zip file, from the directory at its end. */

import type { ReadAt } from "./xz-size.ts";

/** Where a file in the archive lies, and how it is packed. */
export type ZipPart = {
  readonly offset: number;
  readonly packedBytes: number;
  readonly sizeBytes: number;
  readonly isDeflated: boolean;
};

const endMark = 0x06054b50;
const endBytes = 22;
const commentBytesMax = 65_535;
const entryMark = 0x02014b50;
/** A size that stands elsewhere, because it needs more than 32 bits. */
const elsewhere = 0xffff_ffff;

/** The first *.img of an archive; `null` if there is none, if the archive is cut off, or is packed in an unusual way. */
export async function findInZip(readAt: ReadAt, fileBytes: number): Promise<ZipPart | null> {
  const tailAt = Math.max(0, fileBytes - endBytes - commentBytesMax);
  const tail = viewOf(await readAt(tailAt, fileBytes - tailAt));
  let at = tail.byteLength - endBytes;
  while (at >= 0 && tail.getUint32(at, true) !== endMark) at -= 1;
  if (at < 0) return null;
  const directory = viewOf(await readAt(tail.getUint32(at + 16, true), tail.getUint32(at + 12, true)));
  for (let entry = 0; entry + 46 <= directory.byteLength && directory.getUint32(entry, true) === entryMark; ) {
    const nameBytes = directory.getUint16(entry + 28, true);
    const name = Buffer.from(directory.buffer, directory.byteOffset + entry + 46, nameBytes).toString("utf8");
    if (/\.img$/i.test(name)) return await partOf(readAt, directory, entry);
    entry += 46 + nameBytes + directory.getUint16(entry + 30, true) + directory.getUint16(entry + 32, true);
  }
  return null;
}

async function partOf(readAt: ReadAt, directory: DataView, entry: number): Promise<ZipPart | null> {
  const method = directory.getUint16(entry + 10, true);
  const packedBytes = directory.getUint32(entry + 20, true);
  const sizeBytes = directory.getUint32(entry + 24, true);
  const localAt = directory.getUint32(entry + 42, true);
  if ((method !== 0 && method !== 8) || [packedBytes, sizeBytes, localAt].includes(elsewhere)) return null;
  const local = viewOf(await readAt(localAt, 30));
  if (local.byteLength < 30) return null;
  const offset = localAt + 30 + local.getUint16(26, true) + local.getUint16(28, true);
  return { offset, packedBytes, sizeBytes, isDeflated: method === 8 };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
