/** What a disk holds, and whether that is all that was ever acknowledged. Recovery only reads. */

import type { Snapshot } from "../raft/types.ts";
import { type BootRecord, bootFile, decodeBootRecord } from "./boot-record.ts";
import type { Disk, Done } from "./disk.ts";
import { type SortedFiles, sortFiles } from "./files.ts";
import { LogReader, type LogTail } from "./log-reader.ts";
import { segmentFile } from "./segment.ts";
import { decodeSnapshot } from "./snapshot-file.ts";
import type { Damage, Opened, StorageIdentity } from "./storage.ts";

/** Why a disk cannot be gone on with, or everything that it holds. */
export type Findings = Exclude<Opened, { readonly kind: "ready" }> | WholeDisk;

/** A disk on which nothing is missing. */
export type WholeDisk = {
  readonly kind: "whole";
  readonly boot: BootRecord;
  readonly log: LogReader;
  readonly tail: LogTail;
  readonly snapshot: FoundSnapshot | null;
  readonly damagedSnapshot: Damage | null;
  /** Snapshots that nobody needs: superseded, broken, or never completely installed. */
  readonly needlessSnapshots: readonly string[];
  readonly foreignFiles: readonly string[];
};

/** A snapshot that was read, and the file it stands in. */
export type FoundSnapshot = { readonly file: string; readonly sizeBytes: number; readonly snapshot: Snapshot };

/** Reads the whole disk, one file after the other, and changes nothing. */
export function recover(disk: Disk, identity: StorageIdentity, done: (findings: Findings) => void): void {
  disk.list(
    step(done, (names) => {
      const files = sortFiles(names);
      if (!files.boot) return judgeWithoutBoot(files);
      disk.read(
        bootFile,
        step(done, (bytes) => {
          const boot = decodeBootRecord(bytes);
          if (boot.kind === "newer") return { kind: "refused", file: bootFile, reason: boot.reason };
          if (boot.kind === "broken") return damaged(bootFile, boot.reason, null);
          const refusal = refuseOther(boot.boot, identity);
          if (refusal !== null) return { kind: "refused", file: bootFile, reason: refusal };
          if (boot.state === "formatting") return { kind: "empty" };
          readLog(disk, boot.boot, files, done);
          return goesOn;
        }),
      );
      return goesOn;
    }),
  );
}

function readLog(disk: Disk, boot: BootRecord, files: SortedFiles, done: (findings: Findings) => void): void {
  const log = new LogReader(boot);
  const readFrom = (position: number): void => {
    const number = files.segments[position];
    if (number === undefined) {
      readSnapshots(disk, boot, files, log, done);
      return;
    }
    disk.read(
      segmentFile(number),
      step(done, (bytes) => {
        const problem = log.read(number, bytes, position === files.segments.length - 1);
        if (problem !== null) return problem.kind === "damaged" ? { ...problem, boot } : problem;
        readFrom(position + 1);
        return goesOn;
      }),
    );
  };
  readFrom(0);
}

/** Looks for the newest snapshot that is whole and fits the log. */
function readSnapshots(
  disk: Disk,
  boot: BootRecord,
  files: SortedFiles,
  log: LogReader,
  done: (findings: Findings) => void,
): void {
  // One that does not fit was being installed when the power went: the log has not restarted after it.
  const fitting = files.snapshots.filter(({ index, term }) => log.replay.termAt(index) === term).reverse();
  let broken: Damage | null = null;
  const readFrom = (position: number): void => {
    const file = fitting[position]?.file;
    if (file === undefined) {
      done(conclude(boot, files, log, null, broken));
      return;
    }
    disk.read(
      file,
      step(done, (bytes) => {
        const decoded = decodeSnapshot(bytes);
        if (decoded.kind === "newer") return { kind: "refused", file, reason: decoded.reason };
        if (decoded.kind === "whole") {
          return conclude(boot, files, log, { file, sizeBytes: bytes.length, snapshot: decoded.snapshot }, broken);
        }
        broken ??= { file, offset: 0, reason: decoded.reason };
        readFrom(position + 1);
        return goesOn;
      }),
    );
  };
  readFrom(0);
}

function conclude(
  boot: BootRecord,
  files: SortedFiles,
  log: LogReader,
  snapshot: FoundSnapshot | null,
  damagedSnapshot: Damage | null,
): Findings {
  const { tail } = log;
  const { baseIndex } = log.replay;
  if (tail === null) return damaged(segmentFile(1), "the disk is formatted, but there is no log on it", boot);
  if (snapshot === null && baseIndex > 0) {
    const reason = `the log starts after entry ${baseIndex}, and there is no snapshot for what came before`;
    return damagedSnapshot === null
      ? damaged(log.segments[0]?.file ?? tail.segment.file, reason, boot)
      : { kind: "damaged", damage: damagedSnapshot, boot };
  }
  const needlessSnapshots = files.snapshots.map(({ file }) => file).filter((file) => file !== snapshot?.file);
  return { kind: "whole", boot, log, tail, snapshot, damagedSnapshot, needlessSnapshots, foreignFiles: files.foreign };
}

function judgeWithoutBoot(files: SortedFiles): Findings {
  if (files.segments.length === 0 && files.snapshots.length === 0) return { kind: "empty" };
  return damaged(bootFile, "the file is gone, although a log or snapshots are there", null);
}

function refuseOther(boot: BootRecord, identity: StorageIdentity): string | null {
  if (boot.cluster === identity.cluster && boot.board === identity.board) return null;
  const found = `board ${boot.board} of cluster ${boot.cluster}`;
  return `the disk belongs to ${found}, and this is board ${identity.board} of cluster ${identity.cluster}`;
}

function damaged(file: string, reason: string, boot: BootRecord | null): Findings {
  return { kind: "damaged", damage: { file, offset: 0, reason }, boot };
}

/** What a step gives when it has asked the disk for more instead of coming to a conclusion. */
const goesOn: null = null;

/** Takes what the disk gives to the next step, and its conclusion, or the disk's failure, to `done`. */
function step<Value>(done: (findings: Findings) => void, next: (value: Value) => Findings | null): Done<Value> {
  return (result) => {
    const findings = result.ok ? next(result.value) : ({ kind: "failed", error: result.error } as const);
    if (findings !== goesOn) done(findings);
  };
}
