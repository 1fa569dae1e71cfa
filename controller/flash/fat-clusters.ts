/** The clusters of a FAT16 or FAT32 file system: where they lie, which follow each other, which are free. */

import type { Bytes } from "./bytes.ts";
import { CardFailure } from "./card-failure.ts";

/** Where what lies in a FAT file system, in bytes from its beginning. */
type Layout = {
  readonly bits: 16 | 32;
  readonly clusterBytes: number;
  readonly tableAt: number;
  readonly tableBytes: number;
  readonly tableCount: number;
  /** FAT16 keeps the root folder in a place of its own. */
  readonly rootAt: number;
  readonly rootBytes: number;
  /** FAT32 keeps it in clusters; 0 for FAT16. */
  readonly rootCluster: number;
  readonly dataAt: number;
  readonly clusterCount: number;
  /** A sector with the number of free clusters; `null` if there is none. */
  readonly summaryAt: number | null;
};

/**
 * What a change belongs to. Written in this order (content goes to clusters that were free), a writing that is cut off leaves
 * at worst clusters that nobody uses, or old files whose clusters are free: both can be written again.
 */
export type WritePhase = "content" | "tables" | "root";

/** In the order in which they are written. */
export const writePhases: readonly WritePhase[] = ["content", "tables", "root"];

const firstCluster = 2;
const fat16ClustersMin = 4_085;
const fat32ClustersMin = 65_525;

export class FatClusters {
  readonly layout: Layout;
  readonly #bytes: Bytes;
  readonly #table: DataView;
  readonly #freed = new Set<number>();
  #rootClusters: ReadonlySet<number> | null = null;
  #searchFrom = firstCluster;

  /** @throws {CardFailure} if there is no such file system. `name` is for the message. */
  constructor(bytes: Bytes, name: string) {
    this.#bytes = bytes;
    this.layout = readLayout(bytes.read(0, 512), name);
    const { tableAt, tableBytes } = this.layout;
    const table = bytes.read(tableAt, tableBytes);
    if (table.length < tableBytes) throw new CardFailure(`The boot partition of ${name} ends too early.`);
    this.#table = new DataView(table.buffer, table.byteOffset, table.byteLength);
  }

  get #freeBytes(): number {
    let free = 0;
    for (let cluster = firstCluster; cluster < this.#end; cluster += 1) if (this.#get(cluster) === 0) free += 1;
    return free * this.layout.clusterBytes;
  }

  /** The clusters that begin with this one. @throws {CardFailure} if they lead nowhere or in a circle. */
  chain(first: number): readonly number[] {
    const clusters: number[] = [];
    for (let cluster = first; !this.#isLast(cluster); cluster = this.#get(cluster)) {
      if (cluster < firstCluster || cluster >= this.#end || clusters.length > this.layout.clusterCount) {
        throw new CardFailure(
          "The boot partition is damaged: a file leads nowhere. Write the card again with --image.",
        );
      }
      clusters.push(cluster);
    }
    return clusters;
  }

  readCluster(cluster: number): Uint8Array {
    return this.#bytes.read(this.#placeOf(cluster), this.layout.clusterBytes);
  }

  /** Writes a cluster; what `bytes` does not fill is zero. */
  writeCluster(cluster: number, bytes: Uint8Array): void {
    const whole = new Uint8Array(this.layout.clusterBytes);
    whole.set(bytes);
    this.#bytes.write(this.#placeOf(cluster), whole);
  }

  /** Takes free clusters that follow each other as one chain. @throws {CardFailure} if there are not so many. */
  allocate(count: number): readonly number[] {
    const found: number[] = [];
    for (let cluster = this.#searchFrom; found.length < count; cluster += 1) {
      if (cluster >= this.#end) {
        throw new CardFailure(
          "The boot partition is full. Take a fresh image of Raspberry Pi OS Lite, whose boot partition has 512 MB.",
        );
      }
      if (this.#get(cluster) === 0) found.push(cluster);
    }
    this.#searchFrom = (found.at(-1) ?? this.#searchFrom - 1) + 1;
    for (const [at, cluster] of found.entries()) this.#set(cluster, found[at + 1] ?? this.#lastMark);
    return found;
  }

  /** Makes `next` follow `last`, which was the end of a chain. */
  append(last: number, next: number): void {
    this.#set(last, next);
  }

  /**
   * Gives the clusters free that begin with this one, when all is saved: until then nothing new is written to them. A chain
   * that leads nowhere, as an interrupted writing may leave it, is followed as far as it goes.
   */
  free(first: number): void {
    let left = this.layout.clusterCount;
    for (
      let cluster = first;
      cluster >= firstCluster && cluster < this.#end && left > 0;
      cluster = this.#get(cluster)
    ) {
      this.#freed.add(cluster);
      left -= 1;
    }
  }

  /** Writes the tables and the number of free clusters back. */
  save(): void {
    for (const cluster of this.#freed) this.#set(cluster, 0);
    this.#freed.clear();
    this.#searchFrom = firstCluster;
    const { tableAt, tableBytes, tableCount, summaryAt, clusterBytes } = this.layout;
    const table = new Uint8Array(this.#table.buffer, this.#table.byteOffset, this.#table.byteLength);
    const before = this.#bytes.read(tableAt, tableBytes);
    for (let at = 0; at < tableBytes; at += 512) {
      const sector = table.subarray(at, at + 512);
      if (Buffer.compare(sector, before.subarray(at, at + 512)) === 0) continue;
      for (let copy = 0; copy < tableCount; copy += 1) this.#bytes.write(tableAt + copy * tableBytes + at, sector);
    }
    if (summaryAt === null) return;
    const summary = this.#bytes.read(summaryAt, 512);
    const view = new DataView(summary.buffer, summary.byteOffset, summary.byteLength);
    if (view.getUint32(0, true) !== 0x41615252 || view.getUint32(484, true) !== 0x61417272) return;
    view.setUint32(488, this.#freeBytes / clusterBytes, true);
    view.setUint32(492, Math.min(this.#searchFrom, this.#end - 1), true);
    this.#bytes.write(summaryAt, summary);
  }

  /** In which order changes may reach a card: see `WritePhase`. */
  phaseOf(offset: number): WritePhase {
    const { rootAt, rootCluster, dataAt, clusterBytes } = this.layout;
    if (offset < rootAt) return "tables";
    if (offset < dataAt) return "root";
    const cluster = firstCluster + Math.floor((offset - dataAt) / clusterBytes);
    this.#rootClusters ??= new Set(rootCluster === 0 ? [] : this.chain(rootCluster));
    return this.#rootClusters.has(cluster) ? "root" : "content";
  }

  get #end(): number {
    return firstCluster + this.layout.clusterCount;
  }

  #placeOf(cluster: number): number {
    return this.layout.dataAt + (cluster - firstCluster) * this.layout.clusterBytes;
  }

  #get(cluster: number): number {
    if (this.layout.bits === 16) return this.#table.getUint16(cluster * 2, true);
    return this.#table.getUint32(cluster * 4, true) & 0x0fffffff;
  }

  #set(cluster: number, value: number): void {
    if (this.layout.bits === 16) {
      this.#table.setUint16(cluster * 2, value, true);
      return;
    }
    // The four highest bits belong to nobody, and stay as they are.
    const reserved = (this.#table.getUint32(cluster * 4, true) & 0xf0000000) >>> 0;
    this.#table.setUint32(cluster * 4, (reserved | value) >>> 0, true);
  }

  get #lastMark(): number {
    return this.layout.bits === 16 ? 0xffff : 0x0fffffff;
  }

  #isLast(value: number): boolean {
    return value >= this.#lastMark - 7;
  }
}

function readLayout(boot: Uint8Array, name: string): Layout {
  const view = new DataView(boot.buffer, boot.byteOffset, boot.byteLength);
  const unusable = (why: string): CardFailure =>
    new CardFailure(
      `The boot partition of ${name} cannot be used (${why}). Take Raspberry Pi OS Lite (64-bit) as it comes.`,
    );
  if (boot.length < 512 || view.getUint16(510, true) !== 0xaa55) throw unusable("it holds no FAT file system");
  const sectorBytes = view.getUint16(11, true);
  const clusterSectors = view.getUint8(13);
  const tableCount = view.getUint8(16);
  if (sectorBytes !== 512 || clusterSectors === 0 || tableCount === 0) throw unusable("it holds no FAT file system");

  const reservedSectors = view.getUint16(14, true);
  const rootBytes = view.getUint16(17, true) * 32;
  const sectors = view.getUint16(19, true) || view.getUint32(32, true);
  const tableSectors = view.getUint16(22, true) || view.getUint32(36, true);
  const rootSector = reservedSectors + tableCount * tableSectors;
  const dataSector = rootSector + Math.ceil(rootBytes / sectorBytes);
  const clusterCount = Math.floor((sectors - dataSector) / clusterSectors);
  if (clusterCount < fat16ClustersMin) throw unusable("it is FAT12, or damaged");
  const bits = clusterCount < fat32ClustersMin ? 16 : 32;
  if (tableSectors * sectorBytes < ((clusterCount + firstCluster) * bits) / 8) throw unusable("it is damaged");
  return {
    bits,
    clusterBytes: clusterSectors * sectorBytes,
    tableAt: reservedSectors * sectorBytes,
    tableBytes: tableSectors * sectorBytes,
    tableCount,
    rootAt: rootSector * sectorBytes,
    rootBytes,
    rootCluster: bits === 32 ? view.getUint32(44, true) : 0,
    dataAt: dataSector * sectorBytes,
    clusterCount,
    summaryAt: bits === 32 ? view.getUint16(48, true) * sectorBytes : null,
  };
}
