/** Follows the lengths of MQTT packets in a stream of bytes, so that nothing too long is ever gathered in memory. */

/** What became of some bytes: `tooLong`: a packet says that it is longer than may be; `malformed`: it says no length. */
export type LengthFound = "ok" | "tooLong" | "malformed";

/** The lengths of the packets of one connection (MQTT 3.1.1, §2.2.3). */
export class PacketLengths {
  readonly #firstBytesMax: number;
  readonly #bytesMax: number;
  /** Bytes of the present packet's body that have not come yet. */
  #missing = 0;
  #part: "type" | "length" = "type";
  #length = 0;
  #lengthBytes = 0;
  #isFirst = true;

  /** A connection's first packet only says who connects; it may be bounded more tightly. */
  constructor(firstBytesMax: number, bytesMax: number) {
    this.#firstBytesMax = firstBytesMax;
    this.#bytesMax = bytesMax;
  }

  /** Takes the next bytes that have come. After anything but `ok` the connection is of no use. */
  take(bytes: Uint8Array): LengthFound {
    let at = 0;
    while (at < bytes.length) {
      if (this.#missing > 0) {
        const taken = Math.min(this.#missing, bytes.length - at);
        this.#missing -= taken;
        at += taken;
        continue;
      }
      const byte = bytes[at] ?? 0;
      at += 1;
      if (this.#part === "type") {
        this.#part = "length";
        continue;
      }
      const found = this.#takeLengthByte(byte);
      if (found !== "ok") return found;
    }
    return "ok";
  }

  /** Seven bits a byte, the lowest first; the eighth says that another follows. */
  #takeLengthByte(byte: number): LengthFound {
    this.#length += (byte & 0x7f) * 128 ** this.#lengthBytes;
    this.#lengthBytes += 1;
    if ((byte & 0x80) !== 0) return this.#lengthBytes < lengthBytesMax ? "ok" : "malformed";
    if (this.#length > (this.#isFirst ? this.#firstBytesMax : this.#bytesMax)) return "tooLong";
    this.#missing = this.#length;
    this.#part = "type";
    this.#length = 0;
    this.#lengthBytes = 0;
    this.#isFirst = false;
    return "ok";
  }
}

const lengthBytesMax = 4;
