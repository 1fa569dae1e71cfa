/** One file of a simulated disk: what the operating system shows, and how much of it would survive a power cut. */

import type { Random } from "../device/random.ts";

/** A file of a `SimDisk`. */
export class SimFile {
  /** Grows by doubling; only the first `length` bytes are the file's. */
  #bytes: Uint8Array;
  #length: number;
  /** Everything before this survives a power cut; what comes after is only in the operating system's memory. */
  #durableLength: number;
  /**
   * Everything before this was durable before the last flush began. Bit rot stays here: no log in the world can tell
   * its last flush, once rotten, from one that a power cut tore.
   */
  #settledLength: number;
  /** Whether the file's name is durable. */
  #named: boolean;
  /** Whether a bit has rotted. One is enough: a second one might destroy the very evidence of the first. */
  #rotten = false;
  /** Whether something could not be appended since the last flush, because the disk was full. */
  overflowed = false;

  private constructor(bytes: Uint8Array, durable: boolean) {
    this.#bytes = bytes;
    this.#length = bytes.length;
    this.#durableLength = durable ? bytes.length : 0;
    this.#settledLength = this.#durableLength;
    this.#named = durable;
  }

  /** A file that has just been created by appending to it. */
  static appended(): SimFile {
    return new SimFile(new Uint8Array(0), false);
  }

  /** A file that was written whole, durably. */
  static replaced(bytes: Uint8Array): SimFile {
    return new SimFile(bytes.slice(), true);
  }

  get length(): number {
    return this.#length;
  }

  append(bytes: Uint8Array): void {
    const end = this.#length + bytes.length;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(bytesMin, 2 * end));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = end;
  }

  /** A flush that was asked for when the file had this length has succeeded. */
  flushed(length: number): void {
    this.#named = true;
    if (length <= this.#durableLength) return;
    this.#settledLength = this.#durableLength;
    this.#durableLength = length;
  }

  content(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  durableContent(): Uint8Array | null {
    return this.#named ? this.#bytes.slice(0, this.#durableLength) : null;
  }

  /** The power goes: of what was not flushed, chance decides. Says whether the file is still there. */
  cutPower(random: Random): boolean {
    if (!this.#named && random.chance(1, 2)) return false;
    if (this.#length > this.#durableLength) this.#tear(random.pick(tears), random);
    this.#durableLength = this.#length;
    this.#named = true;
    this.overflowed = false;
    return true;
  }

  #tear(tear: Tear, random: Random): void {
    switch (tear) {
      case "lost":
        this.#length = this.#durableLength;
        break;
      case "anywhere":
        this.#length = random.between(this.#durableLength, this.#length);
        break;
      case "holes":
        this.#loseSectors(random);
        break;
      case "whole":
        break;
      default:
        tear satisfies never;
    }
  }

  /** The sectors of one flush reach the disk in any order: later ones may be there without earlier ones. */
  #loseSectors(random: Random): void {
    let start = this.#durableLength;
    while (start < this.#length) {
      const end = Math.min(start - (start % sectorBytes) + sectorBytes, this.#length);
      if (random.chance(1, 2)) this.#bytes.fill(0, start, end);
      start = end;
    }
  }

  /** How many bytes may rot. */
  get perishableLength(): number {
    return this.#rotten ? 0 : this.#settledLength;
  }

  /** Flips a bit for good. */
  rot(offset: number, bit: number): void {
    flipBit(this.#bytes, offset, bit);
    this.#rotten = true;
  }
}

/** Flips one of the eight bits of a byte. */
export function flipBit(bytes: Uint8Array, offset: number, bit: number): void {
  bytes[offset] = (bytes[offset] ?? 0) ^ (1 << bit);
}

/** What a power cut can make of bytes that were not flushed. */
type Tear = "lost" | "anywhere" | "holes" | "whole";

const tears: readonly Tear[] = ["lost", "anywhere", "holes", "whole"];
const sectorBytes = 512;
const bytesMin = 1_024;
