/**
 * The reading end of the log, and the judge of what is wrong with it.
 *
 * A log may end in bytes that are no records: a power cut caught a flush halfway. They were never acknowledged and may
 * go. But a broken record that was once flushed may have been acknowledged, and a member without it might break its
 * word. The two look alike, except that every record says up to where the log was flushed when it was written: if any
 * record that survives says so of the broken place, or a later segment exists, that is damage.
 */

import type { BootRecord } from "./boot-record.ts";
import type { LogRecord } from "./record.ts";
import { Replay } from "./replay.ts";
import { flushedThroughAfter, type Segment, scanSegment, segmentFile } from "./segment.ts";
import type { Damage, TornTail } from "./storage.ts";

/** Why a log cannot be gone on with. */
export type LogProblem =
  | { readonly kind: "damaged"; readonly damage: Damage }
  | { readonly kind: "refused"; readonly file: string; readonly reason: string };

/** The last segment, on which the log goes on. */
export type LogTail = {
  readonly segment: Segment;
  /** Its valid records. */
  readonly bytes: Uint8Array;
};

/** Reads a log, one whole segment after the other. */
export class LogReader {
  readonly #owner: BootRecord;
  #stranger: BootRecord | null = null;

  /** The state that the records so far describe. */
  readonly replay = new Replay();
  readonly segments: Segment[] = [];
  lastSequence = 0;
  tail: LogTail | null = null;
  tornTail: TornTail | null = null;

  constructor(owner: BootRecord) {
    this.#owner = owner;
  }

  /** Reads the next segment, in the order of their numbers. */
  read(number: number, bytes: Uint8Array, isLast: boolean): LogProblem | null {
    const file = segmentFile(number);
    const previous = this.segments.at(-1);
    if (previous !== undefined && number !== previous.number + 1) {
      return damaged(segmentFile(previous.number + 1), 0, "the file is gone, and later ones of the log are there");
    }
    const segment: Segment = { number, file, sizeBytes: bytes.length, highestIndex: 0 };
    this.segments.push(segment);
    const firstSequence = previous === undefined ? null : this.lastSequence + 1;
    const scan = scanSegment(bytes, firstSequence, (record) => this.#accept(segment, record));
    if (this.#stranger !== null) return refusedOwner(file, this.#stranger, this.#owner);
    if (scan.broken !== null) {
      const onceFlushed = !isLast || scan.end === 0 || flushedThroughAfter(bytes, scan.end) >= scan.nextSequence;
      if (onceFlushed) return damaged(file, scan.end, scan.broken);
      this.tornTail = { file, offset: scan.end, bytesLost: bytes.length - scan.end };
    }
    segment.sizeBytes = scan.end;
    this.lastSequence = scan.nextSequence - 1;
    this.tail = { segment, bytes: bytes.subarray(0, scan.end) };
    return null;
  }

  #accept(segment: Segment, record: LogRecord): string | null {
    if (record.type === "segment" && !isSameOwner(record.header.owner, this.#owner)) {
      this.#stranger = record.header.owner;
      return "the segment belongs to another member";
    }
    // What a snapshot has replaced does not matter any more, wherever it stands.
    if (record.type === "restart") for (const earlier of this.segments) earlier.highestIndex = 0;
    if (record.type === "entry") segment.highestIndex = Math.max(segment.highestIndex, record.entry.index);
    return this.replay.apply(record);
  }
}

function damaged(file: string, offset: number, reason: string): LogProblem {
  return { kind: "damaged", damage: { file, offset, reason } };
}

function refusedOwner(file: string, found: BootRecord, own: BootRecord): LogProblem {
  const [theirs, ours] = [found, own].map(
    ({ cluster, board, member }) => `${member} (board ${board}, cluster ${cluster})`,
  );
  return { kind: "refused", file, reason: `it is part of the log of ${theirs}; this disk is that of ${ours}` };
}

function isSameOwner(one: BootRecord, other: BootRecord): boolean {
  return one.cluster === other.cluster && one.board === other.board && one.member === other.member;
}
