/**
 * Files on a FAT16 or FAT32 partition, read and written without mounting it: what the boot partition of a Raspberry Pi's
 * card needs, and no more. Folders' names are given with "/"; FAT does not tell small letters from capitals.
 */

import type { Bytes } from "./bytes.ts";
import { CardFailure } from "./card-failure.ts";
import { FatClusters, type WritePhase } from "./fat-clusters.ts";
import {
  latin,
  longNameAttribute,
  longNameEntries,
  longNamePart,
  plainShortName,
  shortNameFor,
  shortNameOf,
} from "./fat-names.ts";

const entryBytes = 32;
const folderAttribute = 0x10;
const labelAttribute = 0x08;
const freeMark = 0xe5;
const fileBytesMax = 0xffff_ffff;

/** A file or folder, as its entry says. */
type Entry = {
  readonly name: string;
  readonly short: string;
  readonly isFolder: boolean;
  readonly cluster: number;
  readonly sizeBytes: number;
  /** The entries that belong to it in its folder, those of its long name among them. */
  readonly firstSlot: number;
  readonly slots: number;
};

/** A folder's entries, all at once, and where they are kept: in clusters, or (the root of FAT16) in a place of its own. */
type Folder = { readonly bytes: Uint8Array; readonly clusters: readonly number[] };

export class Fat {
  readonly #bytes: Bytes;
  readonly #clusters: FatClusters;
  readonly #when: Date;

  /**
   * @param when for the dates of what is written
   * @throws {CardFailure} if there is no such file system. `name` is for the message.
   */
  constructor(bytes: Bytes, name: string, when: Date) {
    this.#bytes = bytes;
    this.#clusters = new FatClusters(bytes, name);
    this.#when = when;
  }

  /** The names in a folder; of none if there is no such folder. */
  list(path: string): readonly string[] {
    const folder = this.#folderAt(partsOf(path));
    return folder === null ? [] : entriesOf(folder.bytes).map(({ name }) => name);
  }

  /** What a file holds; `null` if there is no such file. */
  read(path: string): Uint8Array | null {
    const { parents, name } = split(path);
    const folder = this.#folderAt(parents);
    const entry = folder === null ? undefined : find(folder, name);
    if (entry === undefined || entry.isFolder) return null;
    const content = new Uint8Array(entry.sizeBytes);
    const { clusterBytes } = this.#clusters.layout;
    if (entry.sizeBytes === 0) return content;
    for (const [at, cluster] of this.#clusters.chain(entry.cluster).entries()) {
      const offset = at * clusterBytes;
      if (offset < entry.sizeBytes) {
        content.set(this.#clusters.readCluster(cluster).subarray(0, entry.sizeBytes - offset), offset);
      }
    }
    return content;
  }

  /** Writes a file, in the place of one that is there; makes the folders above it. @throws {CardFailure} if it is full */
  write(path: string, content: Uint8Array): void {
    if (content.length > fileBytesMax) throw new CardFailure(`${path} is too large for a FAT partition.`);
    const { parents, name } = split(path);
    this.#makeFolders(parents);
    this.#remove(parents, name);
    const { clusterBytes } = this.#clusters.layout;
    const clusters = this.#clusters.allocate(Math.ceil(content.length / clusterBytes));
    for (const [at, cluster] of clusters.entries()) {
      this.#clusters.writeCluster(cluster, content.subarray(at * clusterBytes, (at + 1) * clusterBytes));
    }
    this.#add(parents, name, { attribute: 0x20, cluster: clusters[0] ?? 0, sizeBytes: content.length });
  }

  /** Removes a file, or a folder with all that is in it, if it is there. */
  remove(path: string): void {
    const { parents, name } = split(path);
    this.#remove(parents, name);
  }

  /** To be called once, after all changes: until then nothing that was there is given up. */
  save(): void {
    this.#clusters.save();
  }

  /** What the change at an offset belongs to. */
  phaseOf(offset: number): WritePhase {
    return this.#clusters.phaseOf(offset);
  }

  #remove(parents: readonly string[], name: string): void {
    const folder = this.#folderAt(parents);
    const entry = folder === null ? undefined : find(folder, name);
    if (folder === null || entry === undefined) return;
    if (entry.isFolder) this.#freeContent(entry.cluster);
    this.#clusters.free(entry.cluster);
    for (let slot = entry.firstSlot; slot < entry.firstSlot + entry.slots; slot += 1) {
      folder.bytes[slot * entryBytes] = freeMark;
    }
    this.#saveFolder(folder);
  }

  #freeContent(cluster: number): void {
    for (const entry of entriesOf(this.#folderOf(cluster).bytes)) {
      if (entry.isFolder) this.#freeContent(entry.cluster);
      this.#clusters.free(entry.cluster);
    }
  }

  #makeFolders(parts: readonly string[]): void {
    for (const [depth, name] of parts.entries()) {
      const parents = parts.slice(0, depth);
      if (this.#folderAt([...parents, name]) !== null) continue;
      this.#remove(parents, name);
      const [cluster = 0] = this.#clusters.allocate(1);
      const self = this.#entry(".".padEnd(11), { attribute: folderAttribute, cluster, sizeBytes: 0 });
      const above = this.#entry("..".padEnd(11), {
        attribute: folderAttribute,
        cluster: depth === 0 ? 0 : this.#clusterOf(parents),
        sizeBytes: 0,
      });
      this.#clusters.writeCluster(cluster, Buffer.concat([self, above]));
      this.#add(parents, name, { attribute: folderAttribute, cluster, sizeBytes: 0 });
    }
  }

  /** Puts an entry, and those of its long name before it, into a folder, which grows if it must. */
  #add(parents: readonly string[], name: string, about: EntryContent): void {
    let folder = this.#folderAt(parents);
    if (folder === null) throw new Error(`there is no folder ${parents.join("/")}`);
    const taken = new Set(entriesOf(folder.bytes).map((entry) => entry.short));
    const entries = this.#entriesFor(name, about, taken);
    let slot = freeSlots(folder.bytes, entries.length / entryBytes);
    while (slot === null) {
      folder = this.#grown(folder);
      slot = freeSlots(folder.bytes, entries.length / entryBytes);
    }
    const end = slot * entryBytes + entries.length;
    const wasEnd = folder.bytes
      .subarray(slot * entryBytes, end)
      .some((_, at, part) => at % entryBytes === 0 && part[at] === 0);
    folder.bytes.set(entries, slot * entryBytes);
    // What stands behind the end mark is nothing: the mark moves on.
    if (wasEnd && end < folder.bytes.length) folder.bytes[end] = 0;
    this.#saveFolder(folder);
  }

  #entriesFor(name: string, about: EntryContent, taken: ReadonlySet<string>): Uint8Array {
    const plain = plainShortName(name);
    if (plain !== null && !taken.has(plain.text)) {
      const entry = this.#entry(plain.text, about);
      entry[12] = plain.small;
      return entry;
    }
    const short = shortNameFor(name, taken);
    return Buffer.concat([longNameEntries(name, short), this.#entry(short, about)]);
  }

  #entry(short: string, { attribute, cluster, sizeBytes }: EntryContent): Uint8Array {
    const entry = new Uint8Array(entryBytes);
    const view = new DataView(entry.buffer);
    for (let at = 0; at < short.length; at += 1) entry[at] = short.charCodeAt(at);
    entry[11] = attribute;
    const { date, time } = fatTime(this.#when);
    view.setUint16(14, time, true);
    view.setUint16(16, date, true);
    view.setUint16(18, date, true);
    view.setUint16(20, cluster >>> 16, true);
    view.setUint16(22, time, true);
    view.setUint16(24, date, true);
    view.setUint16(26, cluster & 0xffff, true);
    view.setUint32(28, sizeBytes, true);
    return entry;
  }

  #folderAt(parts: readonly string[]): Folder | null {
    let folder = this.#root();
    for (const part of parts) {
      const entry = find(folder, part);
      if (entry === undefined || !entry.isFolder) return null;
      folder = this.#folderOf(entry.cluster);
    }
    return folder;
  }

  #clusterOf(parts: readonly string[]): number {
    return this.#folderAt(parts)?.clusters[0] ?? 0;
  }

  #root(): Folder {
    const { rootCluster, rootAt, rootBytes } = this.#clusters.layout;
    if (rootCluster !== 0) return this.#folderOf(rootCluster);
    return { bytes: this.#bytes.read(rootAt, rootBytes), clusters: [] };
  }

  #folderOf(cluster: number): Folder {
    const clusters = this.#clusters.chain(cluster);
    return { bytes: Buffer.concat(clusters.map((each) => this.#clusters.readCluster(each))), clusters };
  }

  #grown({ bytes, clusters }: Folder): Folder {
    const last = clusters.at(-1);
    if (last === undefined) throw new CardFailure("The root folder of the boot partition is full. Take a fresh image.");
    const [next = 0] = this.#clusters.allocate(1);
    this.#clusters.append(last, next);
    const added = new Uint8Array(this.#clusters.layout.clusterBytes);
    return { bytes: Buffer.concat([bytes, added]), clusters: [...clusters, next] };
  }

  #saveFolder({ bytes, clusters }: Folder): void {
    const { clusterBytes, rootAt } = this.#clusters.layout;
    if (clusters.length === 0) this.#bytes.write(rootAt, bytes);
    for (const [at, cluster] of clusters.entries()) {
      this.#clusters.writeCluster(cluster, bytes.subarray(at * clusterBytes, (at + 1) * clusterBytes));
    }
  }
}

type EntryContent = { readonly attribute: number; readonly cluster: number; readonly sizeBytes: number };

function entriesOf(bytes: Uint8Array): readonly Entry[] {
  const entries: Entry[] = [];
  let long = "";
  let firstSlot = 0;
  for (let slot = 0; slot * entryBytes < bytes.length; slot += 1) {
    const raw = bytes.subarray(slot * entryBytes, (slot + 1) * entryBytes);
    const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
    if (raw[0] === 0) break;
    const attribute = raw[11] ?? 0;
    if (raw[0] !== freeMark && (attribute & 0x3f) === longNameAttribute) {
      if (long === "") firstSlot = slot;
      long = longNamePart(raw) + long;
      continue;
    }
    const isEntry = raw[0] !== freeMark && (attribute & labelAttribute) === 0 && raw[0] !== ".".charCodeAt(0);
    if (isEntry) {
      const first = long === "" ? slot : firstSlot;
      entries.push({
        name: long === "" ? shortNameOf(raw) : long,
        short: latin(raw.subarray(0, 11)),
        isFolder: (attribute & folderAttribute) !== 0,
        cluster: view.getUint16(20, true) * 0x1_0000 + view.getUint16(26, true),
        sizeBytes: view.getUint32(28, true),
        firstSlot: first,
        slots: slot - first + 1,
      });
    }
    long = "";
  }
  return entries;
}

function find({ bytes }: Folder, name: string): Entry | undefined {
  return entriesOf(bytes).find((entry) => entry.name.toLowerCase() === name.toLowerCase());
}

/** The first of so many slots in a row that nobody uses; `null` if the folder has not so many. */
function freeSlots(bytes: Uint8Array, count: number): number | null {
  let run = 0;
  for (let slot = 0; slot * entryBytes < bytes.length; slot += 1) {
    const mark = bytes[slot * entryBytes];
    run = mark === 0 || mark === freeMark ? run + 1 : 0;
    if (run === count) return slot - count + 1;
  }
  return null;
}

function fatTime(when: Date): { readonly date: number; readonly time: number } {
  return {
    date: ((when.getUTCFullYear() - 1980) << 9) | ((when.getUTCMonth() + 1) << 5) | when.getUTCDate(),
    time: (when.getUTCHours() << 11) | (when.getUTCMinutes() << 5) | (when.getUTCSeconds() >> 1),
  };
}

function split(path: string): { readonly parents: readonly string[]; readonly name: string } {
  const parts = partsOf(path);
  return { parents: parts.slice(0, -1), name: parts.at(-1) ?? "" };
}

function partsOf(path: string): readonly string[] {
  return path.split("/").filter((part) => part !== "");
}
