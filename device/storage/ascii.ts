/** ASCII text to bytes and back, one character a byte. */

/** Writes `text` into `bytes` from `offset` on. Throws if a character is not ASCII: it would come back as another. */
export function writeAscii(bytes: Uint8Array, offset: number, text: string): void {
  const length = text.length;
  let allBits = 0;
  for (let position = 0; position < length; position += 1) {
    const code = text.charCodeAt(position);
    allBits |= code;
    bytes[offset + position] = code;
  }
  if (allBits > 0x7f) throw new RangeError(`Only ASCII text can be stored, and this is not: ${text.slice(0, 80)}`);
}

/** `text` as bytes of its own. */
export function asciiBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  writeAscii(bytes, 0, text);
  return bytes;
}

/** The text that stands in `bytes` from `start` up to `end`. */
export function readAscii(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let from = start; from < end; from += charactersPerCall) {
    // Spreading the bytes would walk them one by one.
    text += Reflect.apply(String.fromCharCode, null, bytes.subarray(from, Math.min(from + charactersPerCall, end)));
  }
  return text;
}

/** Engines bound the arguments of one call. */
const charactersPerCall = 4096;
