/** The lines of the relay firmware: `text*CRC`, as `hardware/firmware/README.md` describes them. */

/** Longer answers are none. */
const lineLengthMax = 120;

/** The line for a text of printable ASCII, line feed and all. */
export function encodeLine(text: string): string {
  return `${text}*${checksumOf(text)}\n`;
}

/** The text of a line without its line feed; `null` if it is damaged. */
export function decodeLine(line: string): string | null {
  const star = line.length - 5;
  if (star < 1 || line[star] !== "*") return null;
  const text = line.slice(0, star);
  return line.slice(star + 1) === checksumOf(text) ? text : null;
}

/** Puts lines together from pieces as they come, and throws away what is none. */
export class LineReader {
  #rest = "";

  /** The texts of the whole lines that end in this piece, and how many lines were damaged. */
  take(piece: Uint8Array): { readonly texts: readonly string[]; readonly damaged: number } {
    const lines = (this.#rest + Buffer.from(piece).toString("latin1")).split("\n");
    this.#rest = (lines.pop() ?? "").slice(-lineLengthMax);
    const texts = lines.map((line) => decodeLine(line.replace(/\r$/, "")));
    const good = texts.filter((text) => text !== null);
    return { texts: good, damaged: texts.length - good.length };
  }
}

/** CRC-16/IBM-3740 (polynomial 0x1021, start 0xFFFF): of "123456789" it is 29B1. */
function checksumOf(text: string): string {
  let crc = 0xffff;
  for (let index = 0; index < text.length; index++) {
    crc ^= (text.charCodeAt(index) & 0xff) << 8;
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
  }
  return crc.toString(16).toUpperCase().padStart(4, "0");
}
