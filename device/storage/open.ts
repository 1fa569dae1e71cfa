/** From a disk to a running storage: recover, repair, go on. */

import type { Disk, Done } from "./disk.ts";
import { removeFiles } from "./files.ts";
import { MemberStorage } from "./member-storage.ts";
import { encodeRecord } from "./record.ts";
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
 * durable. The hard state, once more, goes behind it and says that all before is flushed. (A mark would not do: were it
 * damaged later, its place would look like a torn tail, and what was appended after it might be cut off.)
 */
function repair(disk: Disk, { log, tail, needlessSnapshots }: WholeDisk, done: Done<null>): void {
  const { hardState } = log.replay;
  const bytes = join(
    tail.bytes,
    encodeRecord({ type: "hardState", hardState }, log.lastSequence + 1, log.lastSequence),
  );
  disk.replace(tail.segment.file, bytes, (result) => {
    if (!result.ok) {
      done(result);
      return;
    }
    tail.segment.sizeBytes = bytes.length;
    log.lastSequence += 1;
    removeFiles(disk, needlessSnapshots, done);
  });
}

function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}
