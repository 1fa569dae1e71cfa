/**
 * Which snapshots and segments stay. Only once a newer snapshot is durable do older ones go, and then the segments that
 * it covers: one file after the other, oldest first, so that after a crash at any moment a newest snapshot and the whole
 * log after it are there.
 */

import type { LogIndex } from "../raft/types.ts";
import type { Disk, DiskResult, Done } from "./disk.ts";
import type { Segment } from "./segment.ts";

/** A durable snapshot. */
export type StoredSnapshot = { readonly file: string; readonly index: LogIndex; readonly sizeBytes: number };

/** Removes what durable snapshots have made needless. */
export class Retention {
  readonly #disk: Disk;
  readonly #segments: Segment[];
  /** Oldest first; only the last one is needed. */
  readonly #snapshots: StoredSnapshot[];
  /** Entries before this index are no longer needed. */
  #firstIndexKept: LogIndex = 0;
  #removing = false;
  #waiting: Done<null>[] = [];

  constructor(disk: Disk, segments: Segment[], snapshot: StoredSnapshot | null) {
    this.#disk = disk;
    this.#segments = segments;
    this.#snapshots = snapshot === null ? [] : [snapshot];
  }

  get snapshotBytes(): number {
    return this.#snapshots.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  /**
   * A snapshot has become durable, and entries before `firstIndexKept` are not needed any more. `done` comes when what
   * can go is gone; if something cannot be removed, the next snapshot tries again.
   */
  add(snapshot: StoredSnapshot, firstIndexKept: LogIndex, done: Done<null>): void {
    const others = this.#snapshots.filter(({ file }) => file !== snapshot.file);
    this.#snapshots.splice(0, this.#snapshots.length, ...others, snapshot);
    this.#snapshots.sort((one, other) => one.index - other.index);
    this.#firstIndexKept = Math.max(this.#firstIndexKept, firstIndexKept);
    this.#waiting.push(done);
    if (!this.#removing) this.#removeNext();
  }

  #removeNext(): void {
    const [snapshot, newer] = this.#snapshots;
    const [segment, next] = this.#segments;
    this.#removing = true;
    if (snapshot !== undefined && newer !== undefined) {
      this.#remove(snapshot.file, () => this.#snapshots.splice(this.#snapshots.indexOf(snapshot), 1));
    } else if (segment !== undefined && next !== undefined && segment.highestIndex < this.#firstIndexKept) {
      this.#remove(segment.file, () => this.#segments.shift());
    } else {
      this.#end({ ok: true, value: null });
    }
  }

  #remove(file: string, forget: () => void): void {
    this.#disk.remove(file, (result) => {
      if (!result.ok) {
        this.#end(result);
        return;
      }
      forget();
      this.#removeNext();
    });
  }

  #end(result: DiskResult<null>): void {
    this.#removing = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const done of waiting) done(result);
  }
}
