/** What tests of disks say again and again. */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Disk, DiskResult } from "../../storage/disk.ts";
import { openStorage } from "../../storage/index.ts";
import { boot } from "../../storage/storage.fixture.ts";
import type { Opened, SaveBatch, Storage, StorageOptions } from "../../storage/storage.ts";

/** An empty folder, which goes when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "adrift-disk-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What an operation of a disk or a storage ends with. */
export function ended<Value>(ask: (done: (value: Value) => void) => void): Promise<Value> {
  return new Promise(ask);
}

/** Appends and flushes text. */
export function flushed(disk: Disk, file: string, text: string): Promise<DiskResult<null>> {
  disk.append(file, bytes(text));
  return ended((done) => disk.flush(file, done));
}

/** What opening the log on a disk comes to. */
export function opened(disk: Disk, options: StorageOptions = {}): Promise<Opened> {
  return ended((done) => openStorage(disk, boot, options, done));
}

/** Opens a log that has to be in order. */
export async function openedWhole(
  disk: Disk,
  options: StorageOptions = {},
): Promise<Extract<Opened, { kind: "ready" }>> {
  const result = await opened(disk, options);
  if (result.kind !== "ready") throw new Error(`The disk cannot be used: ${JSON.stringify(result)}`);
  return result;
}

/** Saves a part of a batch. */
export function saved(storage: Storage, part: Partial<SaveBatch>): Promise<DiskResult<null>> {
  return ended((done) => storage.save({ hardState: null, entries: [], snapshot: null, ...part }, done));
}

/** All files of a folder and what they hold, as text that can be compared. */
export function contentsOf(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name)).toString("latin1")]),
  );
}

/** Text as bytes. */
export function bytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}
