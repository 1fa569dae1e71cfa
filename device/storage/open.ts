/** From a disk to a running storage: recover, repair, go on. */

import type { Disk, Done } from "./disk.ts";
import { removeFiles } from "./files.ts";
import { MemberStorage } from "./member-storage.ts";
import { createRecordBuffer } from "./record.ts";
import { recover, type WholeDisk } from "./recovery.ts";
import type { Opened, StorageIdentity, StorageOptions } from "./storage.ts";

/**
 * Opens the disk of a member. Only if everything that was ever acknowledged is there does the result hold a storage;
 * all other results leave the disk as it was.
 */
export function openStorage(
  disk: Disk,
  identity: StorageIdentity,
  options: StorageOptions,
  done: (opened: Opened) => void,
): void {
  recover(disk, identity, (findings) => {
    if (findings.kind !== "whole") {
      done(findings);
      return;
    }
    repair(disk, findings, (result) => {
      done(result.ok ? ready(disk, findings, options) : { kind: "failed", error: result.error });
    });
  });
}

function ready(disk: Disk, found: WholeDisk, options: StorageOptions): Opened {
  const { boot, log, damagedSnapshot, foreignFiles } = found;
  const { hardState, entries } = log.replay;
  const snapshot = found.snapshot?.snapshot ?? null;
  return {
    kind: "ready",
    storage: new MemberStorage(disk, found, options),
    boot,
    recovered: { hardState, snapshot, entries, tornTail: log.tornTail, damagedSnapshot, foreignFiles },
  };
}

/**
 * The last segment is written anew, torn or not: what was read of it may have come from the operating system's memory
 * and never have reached the disk, if the process died or a flush failed before. The earlier ones are known to be
 * durable.
 */
function repair(disk: Disk, { log, tail, needlessSnapshots }: WholeDisk, done: Done<null>): void {
  const bytes = tail.marked ? tail.bytes : withMark(tail.bytes, log.lastSequence);
  tail.segment.sizeBytes = bytes.length;
  disk.replace(tail.segment.file, bytes, (result) => {
    if (result.ok) removeFiles(disk, needlessSnapshots, done);
    else done(result);
  });
}

function withMark(records: Uint8Array, lastSequence: number): Uint8Array {
  const buffer = createRecordBuffer();
  buffer.write({ type: "mark" }, lastSequence, lastSequence);
  const mark = buffer.take();
  const bytes = new Uint8Array(records.length + mark.length);
  bytes.set(records);
  bytes.set(mark, records.length);
  return bytes;
}
