/** Bytes at offsets: a partition, a disk, a file; and changes to them that are held back until all are known. */

/** What file systems are read from and written to. */
export type Bytes = {
  /** The bytes from `offset` on; fewer only at the end. */
  read(offset: number, length: number): Uint8Array;
  write(offset: number, bytes: Uint8Array): void;
};

/** Bytes that follow each other. */
export type Extent = { readonly offset: number; readonly bytes: Uint8Array };

const sectorBytes = 512;

/**
 * Reads through to other bytes, but keeps what is written to itself. So a file system is changed as a whole, or, if there
 * is anything wrong with it, not at all.
 */
export class HeldBack implements Bytes {
  readonly #below: Pick<Bytes, "read">;
  readonly #sectors = new Map<number, Uint8Array>();

  constructor(below: Pick<Bytes, "read">) {
    this.#below = below;
  }

  read(offset: number, length: number): Uint8Array {
    const bytes = Uint8Array.from(this.#below.read(offset, length));
    if (this.#sectors.size === 0) return bytes;
    for (const { sector, from, to, at } of sectorsOf(offset, bytes.length)) {
      const changed = this.#sectors.get(sector);
      if (changed !== undefined) bytes.set(changed.subarray(from, to), at);
    }
    return bytes;
  }

  write(offset: number, bytes: Uint8Array): void {
    for (const { sector, from, to, at } of sectorsOf(offset, bytes.length)) {
      let changed = this.#sectors.get(sector);
      if (changed === undefined) {
        const isWhole = to - from === sectorBytes;
        changed = isWhole ? new Uint8Array(sectorBytes) : this.read(sector * sectorBytes, sectorBytes);
        this.#sectors.set(sector, changed);
      }
      changed.set(bytes.subarray(at, at + to - from), from);
    }
  }

  /** What has been changed where `isWanted` says so, from the first to the last, neighbours joined. */
  extents(isWanted: (offset: number) => boolean): readonly Extent[] {
    const sectors = [...this.#sectors.keys()].filter((sector) => isWanted(sector * sectorBytes)).sort((a, b) => a - b);
    const extents: Extent[] = [];
    for (let first = 0; first < sectors.length; ) {
      const start = sectors[first] ?? 0;
      let length = 1;
      while (sectors[first + length] === start + length) length += 1;
      const bytes = new Uint8Array(length * sectorBytes);
      for (let at = 0; at < length; at += 1) {
        bytes.set(this.#sectors.get(start + at) ?? new Uint8Array(), at * sectorBytes);
      }
      extents.push({ offset: start * sectorBytes, bytes });
      first += length;
    }
    return extents;
  }
}

type Piece = { readonly sector: number; readonly from: number; readonly to: number; readonly at: number };

/** The parts of sectors that a range covers; `at`: where each stands in the range. */
function* sectorsOf(offset: number, length: number): Generator<Piece> {
  for (let at = 0; at < length; ) {
    const sector = Math.floor((offset + at) / sectorBytes);
    const from = offset + at - sector * sectorBytes;
    const to = Math.min(sectorBytes, from + length - at);
    yield { sector, from, to, at };
    at += to - from;
  }
}
