/** What tests of storage say again and again. */

import type { Entry, HardState, Snapshot } from "../raft/types.ts";
import type { BootRecord } from "./boot-record.ts";
import type { Disk, DiskResult } from "./disk.ts";
import { formatStorage } from "./format.ts";
import { MemoryDisk } from "./memory-disk.fixture.ts";
import { openStorage } from "./open.ts";
import type { Opened, SaveBatch, Storage, StorageOptions } from "./storage.ts";

/** Whose disks the tests use. */
export const boot: BootRecord = { cluster: "bench", board: "ada", member: "ada" };

/** A formatted disk in memory. */
export function formattedDisk(): MemoryDisk {
  const disk = new MemoryDisk();
  const results: DiskResult<null>[] = [];
  formatStorage(disk, boot, (result) => results.push(result));
  disk.settle();
  if (results[0]?.ok !== true) throw new Error("The disk in memory could not be formatted.");
  disk.journal.length = 0;
  return disk;
}

/** What opening a disk comes to. */
export function openDisk(disk: MemoryDisk, options: StorageOptions = {}): Opened {
  return opened(disk, () => disk.settle(), options);
}

/** The same for any disk, whose operations end in `settle`. */
export function opened(disk: Disk, settle: () => void, options: StorageOptions = {}): Opened {
  const results: Opened[] = [];
  openStorage(disk, boot, options, (result) => results.push(result));
  settle();
  const [result] = results;
  if (result === undefined || results.length > 1) throw new Error("Opening a disk has to come to one result.");
  return result;
}

/** Opens a disk that has to be in order. */
export function openWhole(disk: MemoryDisk, options: StorageOptions = {}): Extract<Opened, { kind: "ready" }> {
  const result = openDisk(disk, options);
  if (result.kind !== "ready") throw new Error(`The disk cannot be used: ${JSON.stringify(result)}`);
  return result;
}

/** Saves, and waits until it is durable. */
export function save(disk: MemoryDisk, storage: Storage, part: Partial<SaveBatch>): DiskResult<null> {
  return finished(disk, (done) => storage.save(batch(part), done));
}

/** Compacts, and waits until that is done. */
export function compact(disk: MemoryDisk, storage: Storage, at: number, trailingEntries: number): DiskResult<null> {
  return finished(disk, (done) => storage.compact(snapshotAt(at), trailingEntries, done));
}

function finished(disk: MemoryDisk, ask: (done: (result: DiskResult<null>) => void) => void): DiskResult<null> {
  const results: DiskResult<null>[] = [];
  ask((result) => results.push(result));
  disk.settle();
  const [result] = results;
  if (result === undefined || results.length > 1) throw new Error("Every request to storage ends exactly once.");
  return result;
}

/** A batch of what is given and nothing else. */
export function batch(part: Partial<SaveBatch>): SaveBatch {
  return { hardState: null, entries: [], snapshot: null, ...part };
}

/** Commands with the indexes `from` up to and including `to`, in one term. */
export function commands(from: number, to: number, term = 1): Entry[] {
  return Array.from({ length: Math.max(to - from + 1, 0) }, (_, position) => {
    const index = from + position;
    return { kind: "command", index, term, data: `set x to ${index} in ${term}` };
  });
}

/** The hard state of a member that voted for Grace. */
export function voted(term: number): HardState {
  return { term, votedFor: "grace" };
}

/** The state as of one entry. */
export function snapshotAt(index: number, term = 1): Snapshot {
  const configuration = { voters: ["ada"], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
  return { index, term, configuration, data: `x is ${index}` };
}
