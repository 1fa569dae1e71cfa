import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeLine, encodeLine, LineReader } from "./relay-line.ts";

const text = fc
  .string({ unit: "binary-ascii", minLength: 1, maxLength: 60 })
  .map((each) => each.replaceAll(/[^ -~]/g, "x"));

describe("a line of the relay firmware", () => {
  test("carries the checksum that the catalogue of CRCs gives for IBM-3740", () => {
    expect(encodeLine("123456789")).toBe("123456789*29B1\n");
  });

  test("given any text, when it is encoded and decoded, then it is the same", () => {
    fc.assert(fc.property(text, (each) => decodeLine(encodeLine(each).slice(0, -1)) === each));
  });

  test("given a line in which one character was changed, then it is damaged", () => {
    fc.assert(
      fc.property(text, fc.nat(), fc.integer({ min: 1, max: 127 }), (each, place, change) => {
        const line = encodeLine(each).slice(0, -1);
        const at = place % line.length;
        const damaged = line.slice(0, at) + String.fromCharCode(line.charCodeAt(at) ^ change) + line.slice(at + 1);
        expect(decodeLine(damaged)).toBeNull();
      }),
    );
  });

  test("given lines in pieces of any size, then the same texts come out, and what never ends is not kept", () => {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 5 }), fc.integer({ min: 1, max: 9 }), (texts, size) => {
        const bytes = Buffer.from(`${"#".repeat(500)}\n${texts.map(encodeLine).join("")}`);
        const reader = new LineReader();
        const taken: string[] = [];
        for (let at = 0; at < bytes.length; at += size) taken.push(...reader.take(bytes.subarray(at, at + size)).texts);
        expect(taken).toEqual(texts);
      }),
      { numRuns: 50 },
    );
  });
});
