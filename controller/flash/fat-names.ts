/** How FAT writes names: eleven capitals for every reader, and the true name in entries of its own before them (VFAT). */

const entryBytes = 32;
const charactersPerEntry = 13;
/** Where the 13 characters of a long name's entry stand. */
const characterOffsets = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30] as const;
/** The attribute that marks an entry of a long name. */
export const longNameAttribute = 0x0f;
const lastMark = 0x40;

/** A name as it stands in a short entry: eleven characters, and which of its two parts are to be read in small letters. */
export type ShortName = { readonly text: string; readonly small: number };

const smallStem = 0x08;
const smallExtension = 0x10;
const plainName = /^([A-Z0-9_-]{1,8}|[a-z0-9_-]{1,8})(?:\.([A-Z0-9_-]{1,3}|[a-z0-9_-]{1,3}))?$/;

/**
 * The short entry that says a name whole; `null` if it needs a long one. Bootloaders look for `cmdline.txt` by such a name, so
 * what has one keeps it.
 */
export function plainShortName(name: string): ShortName | null {
  const [, stem, extension = ""] = plainName.exec(name) ?? [];
  if (stem === undefined) return null;
  const small = (/[a-z]/.test(stem) ? smallStem : 0) | (/[a-z]/.test(extension) ? smallExtension : 0);
  return { text: stem.toUpperCase().padEnd(8) + extension.toUpperCase().padEnd(3), small };
}

/** The eleven bytes of a short name that no other name in the folder has. */
export function shortNameFor(name: string, taken: ReadonlySet<string>): string {
  const dot = name.lastIndexOf(".");
  const stem = plain(dot > 0 ? name.slice(0, dot) : name);
  const extension = plain(dot > 0 ? name.slice(dot + 1) : "").slice(0, 3);
  for (let number = 1; number < 1_000_000; number += 1) {
    const tail = `~${number}`;
    const short = `${stem.slice(0, 8 - tail.length)}${tail}`.padEnd(8) + extension.padEnd(3);
    if (!taken.has(short)) return short;
  }
  throw new RangeError(`there is no short name left for ${name}`);
}

function plain(text: string): string {
  return text.toUpperCase().replace(/[^A-Z0-9_-]/g, "");
}

/** The entries of a long name, in the order in which they stand before the short one. */
export function longNameEntries(name: string, short: string): Uint8Array {
  const count = Math.ceil(name.length / charactersPerEntry);
  const bytes = new Uint8Array(count * entryBytes);
  for (let index = 0; index < count; index += 1) {
    const order = count - index;
    const view = new DataView(bytes.buffer, index * entryBytes, entryBytes);
    view.setUint8(0, order | (index === 0 ? lastMark : 0));
    view.setUint8(11, longNameAttribute);
    view.setUint8(13, checksum(short));
    for (const [at, offset] of characterOffsets.entries()) {
      const position = (order - 1) * charactersPerEntry + at;
      // One zero ends the name, and what is behind it is filled up with ones.
      const code = position < name.length ? name.charCodeAt(position) : position === name.length ? 0 : 0xffff;
      view.setUint16(offset, code, true);
    }
  }
  return bytes;
}

/** The part of a name that stands in one entry of a long name. */
export function longNamePart(entry: Uint8Array): string {
  const view = new DataView(entry.buffer, entry.byteOffset, entry.byteLength);
  const codes = characterOffsets.map((offset) => view.getUint16(offset, true));
  const end = codes.indexOf(0);
  return String.fromCharCode(...(end === -1 ? codes : codes.slice(0, end)));
}

/** The name in a short entry; two of its bits say which part is to be read in small letters. */
export function shortNameOf(entry: Uint8Array): string {
  const text = latin(entry.subarray(0, 11));
  const small = entry[12] ?? 0;
  const stem = text.slice(0, 8).trimEnd();
  const extension = text.slice(8).trimEnd();
  const shownStem = (small & smallStem) === 0 ? stem : stem.toLowerCase();
  const shownExtension = (small & smallExtension) === 0 ? extension : extension.toLowerCase();
  return extension === "" ? shownStem : `${shownStem}.${shownExtension}`;
}

/** Bytes as characters of the same numbers. */
export function latin(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function checksum(short: string): number {
  let sum = 0;
  for (let at = 0; at < short.length; at += 1) sum = (((sum & 1) << 7) + (sum >> 1) + short.charCodeAt(at)) & 0xff;
  return sum;
}
