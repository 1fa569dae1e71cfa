import fc from "fast-check";
import { expect, test } from "vitest";
import { crc32c } from "./crc32c.ts";
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

function bitByBit(bytes: Uint8Array): number {
  let remainder = 0xffffffff;
  for (const byte of bytes) {
    remainder ^= byte;
    for (let bit = 0; bit < 8; bit += 1) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0x82f63b78 : 0);
  }
  return ~remainder >>> 0;
}
