/**
 * The writing end of the log: group commit. One flush is under way at a time; the saves that come meanwhile gather, and
 * go out with one append and one flush as soon as it ends. So a slow disk gets few large flushes, a fast one many small
 * ones, and nobody has to choose.
 */

import type { HardState, LogIndex, Term } from "../raft/types.ts";
import type { BootRecord } from "./boot-record.ts";
import type { Disk, DiskError, DiskResult, Done } from "./disk.ts";
import { createRecordBuffer, type LogRecord } from "./record.ts";
import { encodeNewSegment, type Segment, segmentFile } from "./segment.ts";
import { encodeSnapshot, snapshotFile } from "./snapshot-file.ts";
import type { SaveBatch } from "./storage.ts";

/** Where the log ends that a writer goes on with; all of it is durable. */
export type LogEnd = {
  readonly hardState: HardState;
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
  /** The sequence number of the last record. */
  readonly lastSequence: number;
};

/** What a writer needs. */
export type LogWriterOptions = {
  readonly disk: Disk;
  readonly owner: BootRecord;
  /** All segments of the log, at least one; the last one is appended to. Shared with whoever removes old ones. */
  readonly segments: Segment[];
  readonly segmentBytesMax: number;
  readonly end: LogEnd;
  /** Told when a snapshot has durably taken the place of the log: its file, what it covers, its size. */
  readonly onRestart: (file: string, index: LogIndex, sizeBytes: number) => void;
};

/** A save on its way. `snapshotBytes`: the size of its snapshot's file once that is durable, or 0. */
type Save = { readonly batch: SaveBatch; readonly done: Done<null>; snapshotBytes: number };

/** Appends saves to the log, and starts new segments as the last one fills. */
export class LogWriter {
  readonly #disk: Disk;
  readonly #owner: BootRecord;
  readonly #segments: Segment[];
  readonly #segmentBytesMax: number;
  readonly #onRestart: LogWriterOptions["onRestart"];
  readonly #buffer = createRecordBuffer(65_536);

  /** What has been written so far, durable or not. */
  #active: Segment;
  #hardState: HardState;
  #lastIndex: LogIndex;
  #lastTerm: Term;
  #lastSequence: number;
  #flushedThrough: number;

  #busy = false;
  /** Asked for, not yet written. */
  #waiting: Save[] = [];
  /** Written, and their flush under way. */
  #written: Save[] = [];

  /** What killed the log, or `null` while it lives. */
  failure: DiskError | null = null;
  bytesAppended = 0;
  flushes = 0;

  constructor(options: LogWriterOptions) {
    const { disk, owner, segments, segmentBytesMax, end, onRestart } = options;
    this.#disk = disk;
    this.#owner = owner;
    this.#segments = segments;
    this.#segmentBytesMax = segmentBytesMax;
    this.#onRestart = onRestart;
    const last = segments.at(-1);
    if (last === undefined) throw new RangeError("A log has at least one segment.");
    this.#active = last;
    this.#hardState = end.hardState;
    this.#lastIndex = end.lastIndex;
    this.#lastTerm = end.lastTerm;
    this.#lastSequence = end.lastSequence;
    this.#flushedThrough = end.lastSequence;
  }

  /** See `Storage.save`. An empty batch is allowed: it waits for those before it. */
  save(batch: SaveBatch, done: Done<null>): void {
    if (this.failure !== null) {
      done({ ok: false, error: this.failure });
      return;
    }
    this.#waiting.push({ batch, done, snapshotBytes: 0 });
    if (!this.#busy) this.#proceed();
  }

  /** Does what the first waiting save needs next. Nothing is under way. */
  #proceed(): void {
    const next = this.#waiting[0];
    if (next === undefined) return;
    this.#busy = true;
    if (needsSnapshotStored(next)) this.#storeSnapshot(next);
    else if (this.#active.sizeBytes >= this.#segmentBytesMax) this.#closeSegment();
    else this.#writeWaiting();
  }

  #writeWaiting(): void {
    this.#written = this.#takeWritable();
    for (const save of this.#written) this.#encode(save);
    this.#append();
    this.#disk.flush(this.#active.file, this.#onFlushed);
  }

  readonly #onFlushed = (result: DiskResult<null>): void => {
    if (!result.ok) {
      this.#fail(result.error);
      return;
    }
    this.flushes += 1;
    this.#flushedThrough = this.#lastSequence;
    const durable = this.#written;
    this.#written = [];
    for (const { batch, snapshotBytes } of durable) {
      if (batch.snapshot !== null) this.#restarted(batch.snapshot.index, batch.snapshot.term, snapshotBytes);
    }
    // Still busy: what the saves' owners ask for in turn shares one flush.
    for (const { done } of durable) done(success);
    this.#busy = false;
    if (this.#waiting.length > 0) this.#proceed();
    else this.#writeMark();
  };

  /** Says in the log that everything so far is flushed. With more to write at once, its records say so themselves. */
  #writeMark(): void {
    this.#buffer.write({ type: "mark" }, this.#lastSequence, this.#flushedThrough);
    this.#append();
  }

  /** Up to the next save whose snapshot has to be stored first. */
  #takeWritable(): Save[] {
    const waiting = this.#waiting;
    const blocked = waiting.findIndex(needsSnapshotStored);
    this.#waiting = blocked === -1 ? [] : waiting.slice(blocked);
    return blocked === -1 ? waiting : waiting.slice(0, blocked);
  }

  #encode({ batch }: Save): void {
    const { hardState, snapshot, entries } = batch;
    if (hardState !== null) {
      this.#write({ type: "hardState", hardState });
      this.#hardState = hardState;
    }
    if (snapshot !== null) {
      this.#write({ type: "restart", index: snapshot.index, term: snapshot.term });
      this.#lastIndex = snapshot.index;
      this.#lastTerm = snapshot.term;
    }
    for (const entry of entries) {
      this.#lastSequence += 1;
      this.#buffer.writeEntry(entry, this.#lastSequence, this.#flushedThrough);
      this.#lastIndex = entry.index;
      this.#lastTerm = entry.term;
      if (entry.index > this.#active.highestIndex) this.#active.highestIndex = entry.index;
    }
  }

  #write(record: LogRecord): void {
    this.#lastSequence += 1;
    this.#buffer.write(record, this.#lastSequence, this.#flushedThrough);
  }

  #append(): void {
    const bytes = this.#buffer.take();
    if (bytes.length === 0) return;
    this.#disk.append(this.#active.file, bytes);
    this.#active.sizeBytes += bytes.length;
    this.bytesAppended += bytes.length;
  }

  /** An installed snapshot is durable before the log says that it starts anew after it. */
  #storeSnapshot(save: Save): void {
    const { snapshot } = save.batch;
    if (snapshot === null) return;
    const bytes = encodeSnapshot(snapshot);
    this.#disk.replace(snapshotFile(snapshot.index, snapshot.term), bytes, (result) => {
      if (!result.ok) {
        this.#fail(result.error);
        return;
      }
      save.snapshotBytes = bytes.length;
      this.#proceed();
    });
  }

  /** Only now: until the restart was durable, the earlier segments were still the log. */
  #restarted(index: LogIndex, term: Term, sizeBytes: number): void {
    for (const segment of this.#segments) if (segment !== this.#active) segment.highestIndex = 0;
    this.#onRestart(snapshotFile(index, term), index, sizeBytes);
  }

  /** A segment is durable to its end, the last mark included, before the next one exists. */
  #closeSegment(): void {
    this.#disk.flush(this.#active.file, (result) => {
      if (result.ok) this.#startSegment();
      else this.#fail(result.error);
    });
  }

  #startSegment(): void {
    const number = this.#active.number + 1;
    const file = segmentFile(number);
    const header = {
      owner: this.#owner,
      hardState: this.#hardState,
      lastIndex: this.#lastIndex,
      lastTerm: this.#lastTerm,
    };
    const bytes = encodeNewSegment(header, this.#lastSequence + 1);
    this.#disk.replace(file, bytes, (result) => {
      if (!result.ok) {
        this.#fail(result.error);
        return;
      }
      this.#lastSequence += 1;
      this.#flushedThrough = this.#lastSequence;
      this.#active = { number, file, sizeBytes: bytes.length, highestIndex: 0 };
      this.#segments.push(this.#active);
      this.bytesAppended += bytes.length;
      this.#writeWaiting();
    });
  }

  /**
   * Ends the log for good. A failed flush is never tried again: the operating system may have dropped the bytes and
   * marked its pages clean, and the second flush would succeed without them.
   */
  #fail(error: DiskError): void {
    this.failure = error;
    const lost = [...this.#written, ...this.#waiting];
    this.#written = [];
    this.#waiting = [];
    for (const { done } of lost) done({ ok: false, error });
  }
}

const success: DiskResult<null> = { ok: true, value: null };

function needsSnapshotStored({ batch, snapshotBytes }: Save): boolean {
  return batch.snapshot !== null && snapshotBytes === 0;
}
