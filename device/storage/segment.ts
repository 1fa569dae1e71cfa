/**
 * A segment: one file of the log. Segments are numbered from 1 without a gap, each starts with a header record that is
 * made durable together with the file, and each is flushed to its end before the next one is created. So a segment
 * that another one follows, and the header of the last, were durable once: whatever is wrong there is damage.
 */

import type { LogIndex } from "../raft/types.ts";
import { encodeRecord, findRecord, type LogRecord, readRecord } from "./record.ts";
import type { SegmentHeader } from "./segment-header.ts";

/** What is kept in memory about a segment. */
export type Segment = {
  readonly number: number;
  readonly file: string;
  sizeBytes: number;
  /** The highest index of all its entries, overwritten ones included; 0 if none of them matters any more. */
  highestIndex: LogIndex;
};

/** `log-<number, 16 digits>`. */
export function segmentFile(number: number): string {
  return `log-${String(number).padStart(16, "0")}`;
}

/** The number of the segment in a file, or `null` if its name is not a segment's. */
export function parseSegmentFile(file: string): number | null {
  const digits = /^log-(\d{16})$/.exec(file)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** A new segment as bytes: its header as the record with this sequence number. All before it is flushed. */
export function encodeNewSegment(header: SegmentHeader, sequence: number): Uint8Array {
  return encodeRecord({ type: "segment", header }, sequence, sequence - 1);
}

/** What a scan of a segment found. */
export type Scan = {
  /** Where the valid records end: at the end of the file, or where something is wrong. */
  readonly end: number;
  /** Why the scan ended before the end of the file, or `null`. */
  readonly broken: string | null;
  /** The sequence number that the next record has to have. */
  readonly nextSequence: number;
};

/**
 * Reads a segment's records in order, up to the end of the file or to the zeros that a disk keeps behind them, and hands each to `accept`, which may refuse one by giving a reason.
 * `firstSequence` is the sequence number that its header has to have, or `null` for the oldest segment.
 */
export function scanSegment(
  bytes: Uint8Array,
  firstSequence: number | null,
  accept: (record: LogRecord) => string | null,
): Scan {
  let nextSequence = firstSequence ?? 1;
  let end = 0;
  const stop = (broken: string | null): Scan => ({ end, broken, nextSequence });
  do {
    const read = readRecord(bytes, end);
    if (read.kind === "invalid") return stop(end > 0 && isZeroFrom(bytes, end) ? null : read.reason);
    const { record, sequence } = read;
    if (end === 0 && firstSequence === null) nextSequence = sequence;
    const refusal = wrongPlace(record, sequence, end, nextSequence) ?? accept(record);
    if (refusal !== null) return stop(refusal);
    nextSequence = sequence + 1;
    end = read.end;
  } while (end < bytes.length);
  return stop(null);
}

/** The highest `flushedThrough` in any record that survives at `from` or later; 0 if none does. */
export function flushedThroughAfter(bytes: Uint8Array, from: number): number {
  let highest = 0;
  let offset = findRecord(bytes, from);
  while (offset !== -1) {
    const read = readRecord(bytes, offset);
    if (read.kind === "valid") highest = Math.max(highest, read.flushedThrough);
    offset = findRecord(bytes, read.kind === "valid" ? read.end : offset + 1);
  }
  return highest;
}

/** No record starts with a zero, so where only zeros follow nothing was ever written, or all of it was lost unflushed. */
function isZeroFrom(bytes: Uint8Array, from: number): boolean {
  return bytes.subarray(from).every((byte) => byte === 0);
}

/** Why a valid record cannot stand where it stands, or `null`. */
function wrongPlace(record: LogRecord, sequence: number, offset: number, nextSequence: number): string | null {
  if ((record.type === "segment") !== (offset === 0)) return "a segment has to start with its header, and has only one";
  const expected = record.type === "mark" ? nextSequence - 1 : nextSequence;
  return sequence === expected ? null : `the record has sequence number ${sequence}, where ${expected} has to stand`;
}
