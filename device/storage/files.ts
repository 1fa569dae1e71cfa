/** Which file on a disk is what, by its name. */

import { bootFile } from "./boot-record.ts";
import type { Disk, Done } from "./disk.ts";
import { parseSegmentFile } from "./segment.ts";
import { parseSnapshotFile, type SnapshotName } from "./snapshot-file.ts";

/** The files of a disk by what they are. */
export type SortedFiles = {
  readonly boot: boolean;
  /** The numbers of the log's segments, ascending. */
  readonly segments: readonly number[];
  /** Oldest first. */
  readonly snapshots: readonly SnapshotName[];
  /** Not ours. */
  readonly foreign: readonly string[];
};

/** Sorts the names of all files on a disk. */
export function sortFiles(files: readonly string[]): SortedFiles {
  const segments: number[] = [];
  const snapshots: SnapshotName[] = [];
  const foreign: string[] = [];
  for (const file of files) {
    const segment = parseSegmentFile(file);
    const snapshot = parseSnapshotFile(file);
    if (segment !== null) segments.push(segment);
    else if (snapshot !== null) snapshots.push(snapshot);
    else if (file !== bootFile) foreign.push(file);
  }
  segments.sort((one, other) => one - other);
  snapshots.sort((one, other) => one.index - other.index || one.term - other.term);
  return { boot: files.includes(bootFile), segments, snapshots, foreign };
}

/** Removes files one after the other. */
export function removeFiles(disk: Disk, files: readonly string[], done: Done<null>): void {
  const [first, ...rest] = files;
  if (first === undefined) {
    done({ ok: true, value: null });
    return;
  }
  disk.remove(first, (result) => {
    if (result.ok) removeFiles(disk, rest, done);
    else done(result);
  });
}
