/**
 * A record of the log as bytes. All numbers are big-endian, so that a hex dump reads as one expects:
 *
 *     offset  bytes
 *          0      4  magic: AD "log" (AD is not ASCII, so no text inside a record looks like the start of another)
 *          4      4  CRC-32C over everything from byte 8 to the end of the body
 *          8      4  type, in letters
 *         12      4  length of the body in bytes
 *         16      8  sequence number
 *         24      8  flushedThrough: the highest sequence number known to be flushed when this record was written
 *         32      …  body
 *
 * Sequence numbers run through all segments without a gap, from 1. A mark takes none: it repeats that of the record
 * before it, so that a lost mark leaves no gap.
 */

import { crc32c } from "../crc32c.ts";
import { toAsciiJson } from "../json.ts";
import type { Entry, HardState, LogIndex, Term } from "../raft/types.ts";
import { readAscii, writeAscii } from "./ascii.ts";
import { parseConfiguration, parseHardState, parseJson } from "./parse.ts";
import { parseSegmentHeader, type SegmentHeader } from "./segment-header.ts";

/** What a record says. */
export type LogRecord =
  /** The first record of a segment. */
  | { readonly type: "segment"; readonly header: SegmentHeader }
  | { readonly type: "hardState"; readonly hardState: HardState }
  /** An entry; one at or before the end of the log replaces what stood there and everything after it. */
  | { readonly type: "entry"; readonly entry: Entry }
  /** A snapshot took the place of the whole log, which goes on after this index. */
  | { readonly type: "restart"; readonly index: LogIndex; readonly term: Term }
  /** Says nothing but its `flushedThrough`. */
  | { readonly type: "mark" };

/** What stands at some place of a segment. */
export type ReadRecord =
  | {
      readonly kind: "valid";
      readonly record: LogRecord;
      readonly sequence: number;
      readonly flushedThrough: number;
      /** Where the next record starts. */
      readonly end: number;
    }
  | { readonly kind: "invalid"; readonly reason: string };

/** Collects records as bytes for one append after another. */
export type RecordBuffer = {
  write(record: LogRecord, sequence: number, flushedThrough: number): void;
  /** The same for an entry, by far the most frequent record. */
  writeEntry(entry: Entry, sequence: number, flushedThrough: number): void;
  /** What was written since the last `take`, as bytes that nobody else will touch. */
  take(): Uint8Array;
};

/**
 * What is taken is cut from a block of this size, piece after piece: an array of its own for each piece would cost more
 * than everything else here.
 */
export function createRecordBuffer(blockBytes: number): RecordBuffer {
  let block = new Uint8Array(blockBytes);
  let start = 0;
  let end = 0;

  /** Makes room for a record with a body of this size. */
  function reserve(bodyBytes: number): number {
    const needed = end - start + headerBytes + bodyBytes;
    if (start + needed > block.length) {
      const written = block.subarray(start, end);
      block = new Uint8Array(Math.max(blockBytes, 2 * needed));
      block.set(written);
      start = 0;
      end = written.length;
    }
    const offset = end;
    end += headerBytes + bodyBytes;
    return offset;
  }

  /** Writes the header of the record at `offset`, whose body is there already. */
  function seal(offset: number, type: number, sequence: number, flushedThrough: number): void {
    writeUint32(block, offset, magic);
    writeUint32(block, offset + 8, type);
    writeUint32(block, offset + 12, end - offset - headerBytes);
    writeWhole(block, offset + 16, sequence);
    writeWhole(block, offset + 24, flushedThrough);
    writeUint32(block, offset + 4, crc32c(block, offset + 8, end));
  }

  function writeText(type: number, text: string, sequence: number, flushedThrough: number): void {
    const offset = reserve(text.length);
    writeAscii(block, offset + headerBytes, text);
    seal(offset, type, sequence, flushedThrough);
  }

  /** A body that starts with a position in the log. */
  function writeAt(type: number, at: LogPosition, text: string, sequence: number, flushedThrough: number): void {
    const offset = reserve(positionBytes + text.length);
    writeWhole(block, offset + headerBytes, at.index);
    writeWhole(block, offset + headerBytes + 8, at.term);
    writeAscii(block, offset + headerBytes + positionBytes, text);
    seal(offset, type, sequence, flushedThrough);
  }

  function writeEntry(entry: Entry, sequence: number, flushedThrough: number): void {
    switch (entry.kind) {
      case "empty":
        writeAt(types.empty, entry, "", sequence, flushedThrough);
        break;
      case "command":
        writeAt(types.command, entry, entry.data, sequence, flushedThrough);
        break;
      case "configuration":
        writeAt(types.configuration, entry, toAsciiJson(entry.configuration), sequence, flushedThrough);
        break;
      default:
        entry satisfies never;
    }
  }

  return {
    write(record, sequence, flushedThrough) {
      switch (record.type) {
        case "segment":
          writeText(types.segment, toAsciiJson(record.header), sequence, flushedThrough);
          break;
        case "hardState":
          writeText(types.hardState, toAsciiJson(record.hardState), sequence, flushedThrough);
          break;
        case "entry":
          writeEntry(record.entry, sequence, flushedThrough);
          break;
        case "restart":
          writeAt(types.restart, record, "", sequence, flushedThrough);
          break;
        case "mark":
          writeText(types.mark, "", sequence, flushedThrough);
          break;
        default:
          record satisfies never;
      }
    },
    writeEntry,
    take() {
      const taken = block.subarray(start, end);
      start = end;
      return taken;
    },
  };
}

/** One record as bytes. */
export function encodeRecord(record: LogRecord, sequence: number, flushedThrough: number): Uint8Array {
  const buffer = createRecordBuffer(0);
  buffer.write(record, sequence, flushedThrough);
  return buffer.take();
}

/** Reads the record at `offset`; whatever else stands there is `invalid`, with a reason for a person. */
export function readRecord(bytes: Uint8Array, offset: number): ReadRecord {
  if (offset + headerBytes > bytes.length) return invalid(`${bytes.length - offset} bytes are too few for a record`);
  if (readUint32(bytes, offset) !== magic) return invalid("no record starts here");
  const end = offset + headerBytes + readUint32(bytes, offset + 12);
  if (end > bytes.length) return invalid(`the record says that it ends at ${end}, the file ends at ${bytes.length}`);
  if (readUint32(bytes, offset + 4) !== crc32c(bytes, offset + 8, end))
    return invalid("the record's checksum is wrong");
  const record = readBody(readUint32(bytes, offset + 8), bytes, offset + headerBytes, end);
  if (record === null) return invalid("the record's checksum is right, but it says nothing that this version knows");
  return {
    kind: "valid",
    record,
    sequence: readWhole(bytes, offset + 16),
    flushedThrough: readWhole(bytes, offset + 24),
    end,
  };
}

/** Where a record starts that lies at `from` or later, as far as its first bytes tell; -1 if there is none. */
export function findRecord(bytes: Uint8Array, from: number): number {
  let offset = bytes.indexOf(magicFirstByte, from);
  while (offset !== -1 && offset + headerBytes <= bytes.length && readUint32(bytes, offset) !== magic) {
    offset = bytes.indexOf(magicFirstByte, offset + 1);
  }
  return offset + headerBytes <= bytes.length ? offset : -1;
}

type LogPosition = { readonly index: LogIndex; readonly term: Term };

const headerBytes = 32;
const positionBytes = 16;
const magicFirstByte = 0xad;
const magic = fourBytes("\u00adlog");
const types = {
  segment: fourBytes("segm"),
  hardState: fourBytes("hard"),
  empty: fourBytes("empt"),
  command: fourBytes("comm"),
  configuration: fourBytes("conf"),
  restart: fourBytes("rest"),
  mark: fourBytes("mark"),
};

function readBody(type: number, bytes: Uint8Array, start: number, end: number): LogRecord | null {
  switch (type) {
    case types.segment: {
      const header = parseSegmentHeader(parseJson(readAscii(bytes, start, end)));
      return header && { type: "segment", header };
    }
    case types.hardState: {
      const hardState = parseHardState(parseJson(readAscii(bytes, start, end)));
      return hardState && { type: "hardState", hardState };
    }
    case types.mark:
      return { type: "mark" };
    default:
      return end - start >= positionBytes ? readBodyAt(type, bytes, start, end) : null;
  }
}

/** Reads a body that starts with a position in the log. */
function readBodyAt(type: number, bytes: Uint8Array, start: number, end: number): LogRecord | null {
  const index = readWhole(bytes, start);
  const term = readWhole(bytes, start + 8);
  const text = readAscii(bytes, start + positionBytes, end);
  switch (type) {
    case types.empty:
      return { type: "entry", entry: { kind: "empty", index, term } };
    case types.command:
      return { type: "entry", entry: { kind: "command", index, term, data: text } };
    case types.configuration: {
      const configuration = parseConfiguration(parseJson(text));
      return configuration && { type: "entry", entry: { kind: "configuration", index, term, configuration } };
    }
    case types.restart:
      return { type: "restart", index, term };
    default:
      return null;
  }
}

function invalid(reason: string): ReadRecord {
  return { kind: "invalid", reason };
}

function fourBytes(text: string): number {
  return [...text].reduce((word, letter) => ((word << 8) | letter.charCodeAt(0)) >>> 0, 0);
}

function writeUint32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 24;
  bytes[offset + 1] = value >>> 16;
  bytes[offset + 2] = value >>> 8;
  bytes[offset + 3] = value;
}

function readUint32(bytes: Uint8Array, offset: number): number {
  const high = ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);
  const low = ((bytes[offset + 2] ?? 0) << 8) | (bytes[offset + 3] ?? 0);
  return ((high << 16) | low) >>> 0;
}

const two32 = 4_294_967_296;

/** Writes a whole number in eight bytes. */
function writeWhole(bytes: Uint8Array, offset: number, value: number): void {
  writeUint32(bytes, offset, Math.floor(value / two32));
  writeUint32(bytes, offset + 4, value);
}

function readWhole(bytes: Uint8Array, offset: number): number {
  return readUint32(bytes, offset) * two32 + readUint32(bytes, offset + 4);
}
