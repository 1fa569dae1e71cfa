import fc from "fast-check";
import { expect, test } from "vitest";
import { crc32c, crc32cOfText, joinedCrc32c } from "./crc32c.ts";
import { asciiBytes } from "./storage/ascii.ts";

test("gives the check values of RFC 3720 (appendix B.4)", () => {
  const whole = (bytes: Uint8Array) => crc32c(bytes, 0, bytes.length);
  expect(whole(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(whole(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(whole(Uint8Array.from({ length: 32 }, (_, position) => position))).toBe(0x46dd794e);
  expect(whole(asciiBytes("123456789"))).toBe(0xe3069283);
});

test("agrees with division bit by bit, on any part of any bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(64), fc.nat(64), (bytes, one, other) => {
      const start = Math.min(one, other, bytes.length);
      const end = Math.min(Math.max(one, other), bytes.length);
      expect(crc32c(bytes, start, end)).toBe(bitByBit(bytes.subarray(start, end)));
    }),
    { numRuns: 300 },
  );
});

test("a text has the checksum of its bytes, from any character on, and none if it is not ASCII", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary-ascii", maxLength: 64 }), fc.nat(64), (text, place) => {
      const start = Math.min(place, text.length);
      expect(crc32cOfText(text, start)).toBe(bitByBit(asciiBytes(text.slice(start))));
      expect(crc32cOfText(`${text}\u00e9${text}`, start)).toBe(-1);
    }),
    { numRuns: 300 },
  );
});

test("the checksum of a whole follows from those of its parts", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, place) => {
      const middle = Math.min(place, bytes.length);
      const first = crc32c(bytes, 0, middle);
      const second = crc32c(bytes, middle, bytes.length);
      expect(joinedCrc32c(first, second, bytes.length - middle)).toBe(crc32c(bytes, 0, bytes.length));
    }),
    { numRuns: 300 },
  );
});

function bitByBit(bytes: Uint8Array): number {
  let remainder = 0xffffffff;
  for (const byte of bytes) {
    remainder ^= byte;
    for (let bit = 0; bit < 8; bit += 1) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0x82f63b78 : 0);
  }
  return ~remainder >>> 0;
}
