/** How large an .xz file is unpacked, from the index at its end (https://tukaani.org/xz/xz-file-format.txt). */

/** Reads from a file. */
export type ReadAt = (offset: number, length: number) => Promise<Uint8Array>;

const footerBytes = 12;
const headerBytes = 12;

/** The size in bytes; `null` if the file is cut off or no .xz. Streams that follow each other count together. */
export async function xzSize(readAt: ReadAt, fileBytes: number): Promise<number | null> {
  let end = fileBytes;
  let total = 0;
  while (end > 0) {
    const footer = await readAt(end - footerBytes, footerBytes);
    if (isPadding(footer)) {
      end -= 4;
      continue;
    }
    if (end < headerBytes + footerBytes || footer[10] !== 0x59 || footer[11] !== 0x5a) return null;
    const indexBytes = (new DataView(footer.buffer, footer.byteOffset).getUint32(4, true) + 1) * 4;
    const indexAt = end - footerBytes - indexBytes;
    if (indexAt < headerBytes) return null;
    const stream = streamSizes(await readAt(indexAt, indexBytes));
    if (stream === null) return null;
    total += stream.unpackedBytes;
    end = indexAt - stream.packedBytes - headerBytes;
  }
  return end === 0 ? total : null;
}

/** Between streams there may be zeros, four at a time. */
function isPadding(footer: Uint8Array): boolean {
  return footer.length === footerBytes && footer.subarray(8).every((byte) => byte === 0);
}

/** What the records of an index add up to. */
function streamSizes(index: Uint8Array): { readonly packedBytes: number; readonly unpackedBytes: number } | null {
  let at = 1;
  const number = (): number => {
    let value = 0;
    for (let shift = 0; shift < 63; shift += 7) {
      const byte = index[at] ?? 0;
      at += 1;
      value += (byte & 0x7f) * 2 ** shift;
      if ((byte & 0x80) === 0) break;
    }
    return value;
  };
  if (index[0] !== 0) return null;
  const records = number();
  let packedBytes = 0;
  let unpackedBytes = 0;
  for (let record = 0; record < records; record += 1) {
    if (at >= index.length) return null;
    packedBytes += Math.ceil(number() / 4) * 4;
    unpackedBytes += number();
  }
  return { packedBytes, unpackedBytes };
}
