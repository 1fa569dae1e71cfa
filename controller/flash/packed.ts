/** Packed files, unpacked as far as somebody reads. */

import { createReadStream, type ReadStream } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { createRequire } from "node:module";
import { pipeline, type Transform } from "node:stream";
import { createGunzip } from "node:zlib";

/** How a file is packed, by how it begins; `null`: not at all. */
export function packingOf(head: Uint8Array): "xz" | "gz" | "zip" | null {
  if (startsWith(head, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])) return "xz";
  if (startsWith(head, [0x1f, 0x8b])) return "gz";
  return startsWith(head, [0x50, 0x4b, 0x03, 0x04]) ? "zip" : null;
}

/** What is in a .gz. Throws if it proves damaged. */
export function unpackGzip(path: string): AsyncIterable<Uint8Array> {
  return through(createReadStream(path), createGunzip());
}

/** What is in an .xz. Throws if it proves damaged. */
export async function* unpackXz(path: string): AsyncIterable<Uint8Array> {
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
export function through(source: ReadStream, unpacker: Transform): AsyncIterable<Uint8Array> {
  return pipeline(source, unpacker, () => undefined);
}

/** As many bytes from the beginning, or all that there are. */
export async function firstBytes(chunks: AsyncIterable<Uint8Array>, length: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let got = 0;
  for await (const chunk of chunks) {
    parts.push(Uint8Array.from(chunk));
    got += chunk.length;
    if (got >= length) break;
  }
  return Buffer.concat(parts).subarray(0, length);
}

/** Fewer bytes only at the end of the file. */
export async function readAt(file: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  const { bytesRead } = await file.read(bytes, 0, length, offset);
  return bytes.subarray(0, bytesRead);
}

function startsWith(bytes: Uint8Array, start: readonly number[]): boolean {
  return start.every((byte, at) => bytes[at] === byte);
}
