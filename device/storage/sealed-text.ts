/**
 * A whole file of ASCII text under one checksum, for files that are only ever replaced: the first line holds the
 * CRC-32C of everything after its own eight letters, the kind of file and the version of its format.
 *
 *     9a3f00c1 adrift-snapshot 1
 *     ...
 */

import { crc32c } from "../crc32c.ts";
import { asciiBytes, readAscii, writeAscii } from "./ascii.ts";

/** What a sealed file turns out to be; `newer` is one of a later version of this software. */
export type Unsealed =
  | { readonly kind: "whole"; readonly text: string }
  | { readonly kind: "broken"; readonly reason: string }
  | { readonly kind: "newer"; readonly reason: string };

/** The newest version of the formats on a disk that this code reads, and the one that it writes. */
export const formatVersion = 1;

/** The bytes of a file of this kind that holds `text`. */
export function sealText(kind: string, text: string): Uint8Array {
  const bytes = asciiBytes(`00000000 ${kind} ${formatVersion}\n${text}`);
  writeAscii(bytes, 0, checksumText(bytes));
  return bytes;
}

/** The text in a file of this kind. */
export function unsealText(kind: string, bytes: Uint8Array): Unsealed {
  if (bytes.length < checksumLength) return { kind: "broken", reason: `it ends after ${bytes.length} bytes` };
  const expected = readAscii(bytes, 0, checksumLength);
  const actual = checksumText(bytes);
  if (expected !== actual) {
    return {
      kind: "broken",
      reason: `its checksum is ${actual} where its first line says ${JSON.stringify(expected)}`,
    };
  }
  const endOfLine = bytes.indexOf(0x0a);
  const [, actualKind, version] = readAscii(bytes, 0, Math.max(endOfLine, 0)).split(" ");
  if (actualKind !== kind) return { kind: "broken", reason: `it says it is ${actualKind}, not ${kind}` };
  if (version !== String(formatVersion)) {
    return { kind: "newer", reason: `it has format ${version}, and this version reads formats up to ${formatVersion}` };
  }
  return { kind: "whole", text: readAscii(bytes, endOfLine + 1, bytes.length) };
}

const checksumLength = 8;

function checksumText(bytes: Uint8Array): string {
  return crc32c(bytes, checksumLength, bytes.length).toString(16).padStart(checksumLength, "0");
}
