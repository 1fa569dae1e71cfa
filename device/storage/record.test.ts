import fc from "fast-check";
import { expect, test } from "vitest";
import type { Entry } from "../raft/types.ts";
import { createRecordBuffer, encodeRecord, findRecord, type LogRecord, readRecord } from "./record.ts";

const ascii = fc.string({ unit: "binary-ascii", maxLength: 40 });
const whole = fc.maxSafeNat();
const member = fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 8 });
const configuration = fc.record({
  voters: fc.array(member, { maxLength: 3 }),
  votersOutgoing: fc.array(member, { maxLength: 2 }),
  learners: fc.array(member, { maxLength: 2 }),
  learnersNext: fc.array(member, { maxLength: 2 }),
  autoLeave: fc.boolean(),
});
const entry: fc.Arbitrary<Entry> = fc.oneof(
  fc.record({ kind: fc.constant("empty" as const), index: whole, term: whole }),
  fc.record({ kind: fc.constant("command" as const), index: whole, term: whole, data: ascii }),
  fc.record({ kind: fc.constant("configuration" as const), index: whole, term: whole, configuration }),
);
const hardState = fc.record({ term: whole, votedFor: fc.option(member) });
const owner = fc.record({ cluster: member, board: member, member });
const record: fc.Arbitrary<LogRecord> = fc.oneof(
  fc.record({
    type: fc.constant("segment" as const),
    header: fc.record({ owner, hardState, lastIndex: whole, lastTerm: whole }),
  }),
  fc.record({ type: fc.constant("hardState" as const), hardState }),
  fc.record({ type: fc.constant("entry" as const), entry }),
  fc.record({ type: fc.constant("restart" as const), index: whole, term: whole }),
  fc.record({ type: fc.constant("mark" as const) }),
);

test("any records written one after the other are read back as they were", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(record, whole, whole), { maxLength: 8 }), fc.nat(200), (records, blockBytes) => {
      const buffer = createRecordBuffer(blockBytes);
      for (const [written, sequence, flushedThrough] of records) buffer.write(written, sequence, flushedThrough);
      const bytes = buffer.take();
      let offset = 0;
      for (const [written, sequence, flushedThrough] of records) {
        const read = readRecord(bytes, offset);
        expect(read).toMatchObject({ kind: "valid", record: written, sequence, flushedThrough });
        offset = read.kind === "valid" ? read.end : bytes.length;
      }
      expect(offset).toBe(bytes.length);
    }),
    { numRuns: 200 },
  );
});

test("pieces taken from one buffer do not overwrite each other", () => {
  const buffer = createRecordBuffer(200);
  const pieces = Array.from({ length: 20 }, (_, sequence) => {
    buffer.write({ type: "restart", index: sequence, term: 1 }, sequence, 0);
    return buffer.take();
  });
  for (const [sequence, piece] of pieces.entries()) {
    expect(readRecord(piece, 0)).toMatchObject({ record: { index: sequence }, sequence, end: piece.length });
  }
});

test("a record with any bit flipped, or without its last bytes, is invalid", () => {
  const bytes = encodeRecord({ type: "entry", entry: { kind: "command", index: 7, term: 3, data: "set x" } }, 9, 8);
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const flipped = bytes.slice();
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(readRecord(flipped, 0).kind).toBe("invalid");
  }
  for (let length = 0; length < bytes.length; length += 1) {
    expect(readRecord(bytes.subarray(0, length), 0).kind).toBe("invalid");
  }
});

test("a record is found behind anything that is none", () => {
  const garbage = Uint8Array.from([0, 0xad, 0x6c, 0xad, 0xad, 0x6c, 0x6f, 0]);
  const mark = encodeRecord({ type: "mark" }, 5, 5);
  expect(findRecord(Uint8Array.from([...garbage, ...mark]), 0)).toBe(garbage.length);
  expect(findRecord(Uint8Array.from([...garbage, ...mark]), garbage.length + 1)).toBe(-1);
  expect(findRecord(Uint8Array.from([...garbage, ...mark.subarray(0, 31)]), 0)).toBe(-1);
});

test("text that is not ASCII is refused, because it would come back as another text", () => {
  const unstorable: Entry = { kind: "command", index: 1, term: 1, data: "caf\u00e9" };
  expect(() => encodeRecord({ type: "entry", entry: unstorable }, 1, 0)).toThrow("Only ASCII text can be stored");
});

test("the layout stays as documented", () => {
  const bytes = encodeRecord({ type: "entry", entry: { kind: "command", index: 7, term: 3, data: "set x" } }, 9, 8);
  expect(hexDump(bytes)).toBe(
    [
      "ad6c6f67 9989fde9 636f6d6d 00000015",
      "00000000 00000009 00000000 00000008",
      "00000000 00000007 00000000 00000003",
      "73657420 78",
    ].join("\n"),
  );
});

function hexDump(bytes: Uint8Array): string {
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const lines = hex.match(/.{1,32}/g) ?? [];
  return lines.map((line) => (line.match(/.{1,8}/g) ?? []).join(" ")).join("\n");
}
