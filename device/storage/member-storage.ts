/** The storage of a running member: the log's writer, and what may be forgotten once a snapshot is durable. */

import type { Entry, LogIndex, Snapshot } from "../raft/types.ts";
import type { Disk, DiskError, Done } from "./disk.ts";
import { LogWriter } from "./log-writer.ts";
import type { WholeDisk } from "./recovery.ts";
import { Retention } from "./retention.ts";
import type { Segment } from "./segment.ts";
import { encodeSnapshot, snapshotFile } from "./snapshot-file.ts";
import type { SaveBatch, Storage, StorageOptions, StorageStatistics } from "./storage.ts";

/** `Storage` on a disk that is known to be whole. */
export class MemberStorage implements Storage {
  readonly #disk: Disk;
  readonly #segments: Segment[];
  readonly #writer: LogWriter;
  readonly #retention: Retention;
  #lastIndex: LogIndex;
  #saves = 0;
  /** How many bytes the log had been given when the last snapshot was asked for. */
  #bytesAtSnapshot: number;

  /** Goes on with what recovery found, after its repair. */
  constructor(disk: Disk, found: WholeDisk, options: StorageOptions) {
    const { boot, log, snapshot } = found;
    const { hardState, lastIndex, lastTerm } = log.replay;
    this.#disk = disk;
    this.#segments = log.segments;
    this.#lastIndex = lastIndex;
    this.#bytesAtSnapshot = -this.#logBytes();
    this.#retention = new Retention(
      disk,
      this.#segments,
      snapshot && { file: snapshot.file, index: snapshot.snapshot.index, sizeBytes: snapshot.sizeBytes },
    );
    this.#writer = new LogWriter({
      disk,
      owner: boot,
      segments: this.#segments,
      segmentBytesMax: options.segmentBytesMax ?? segmentBytesMaxDefault,
      end: { hardState, lastIndex, lastTerm, lastSequence: log.lastSequence },
      onRestart: (file, index, sizeBytes) => {
        // Nobody waits for this: what cannot be removed now goes with the next snapshot.
        this.#retention.add({ file, index, sizeBytes }, index + 1, () => {});
      },
    });
  }

  get lastIndex(): LogIndex {
    return this.#lastIndex;
  }

  get failure(): DiskError | null {
    return this.#writer.failure;
  }

  save(batch: SaveBatch, done: Done<null>): void {
    const { snapshot, entries } = batch;
    this.#lastIndex = endOfLog(snapshot?.index ?? this.#lastIndex, entries);
    if (snapshot !== null) this.#bytesAtSnapshot = this.#writer.bytesAppended;
    this.#saves += 1;
    this.#writer.save(batch, done);
  }

  compact(snapshot: Snapshot, trailingEntries: number, done: Done<null>): void {
    const { index, term } = snapshot;
    if (index > this.#lastIndex) {
      throw new RangeError(`A snapshot of entry ${index} cannot be kept: the log ends at ${this.#lastIndex}.`);
    }
    this.#bytesAtSnapshot = this.#writer.bytesAppended;
    // An entry may be applied before it is durable here (a majority of the others held it). Its snapshot must not be on
    // the disk without it: at recovery it would reach beyond the end of the log.
    this.#writer.save(nothing, (saved) => {
      if (!saved.ok) {
        done(saved);
        return;
      }
      const file = snapshotFile(index, term);
      const bytes = encodeSnapshot(snapshot);
      this.#disk.replace(file, bytes, (result) => {
        if (result.ok) this.#retention.add({ file, index, sizeBytes: bytes.length }, index - trailingEntries + 1, done);
        else done(result);
      });
    });
  }

  statistics(): StorageStatistics {
    return {
      sizeBytes: this.#logBytes() + this.#retention.snapshotBytes,
      segments: this.#segments.length,
      logBytesSinceSnapshot: this.#writer.bytesAppended - this.#bytesAtSnapshot,
      flushes: this.#writer.flushes,
      saves: this.#saves,
    };
  }

  #logBytes(): number {
    return this.#segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }
}

const segmentBytesMaxDefault = 1_048_576;

const nothing: SaveBatch = { hardState: null, entries: [], snapshot: null };

/** Where the log ends after a batch that comes after entry `lastIndex`. Throws if the batch leaves a gap. */
function endOfLog(lastIndex: LogIndex, entries: readonly Entry[]): LogIndex {
  let end = Math.min(lastIndex, (entries[0]?.index ?? Number.POSITIVE_INFINITY) - 1);
  for (const entry of entries) {
    end += 1;
    if (entry.index !== end) {
      throw new RangeError(`Entry ${entry.index} cannot be saved where entry ${end} has to come.`);
    }
  }
  return end;
}
