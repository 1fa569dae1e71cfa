import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type LengthFound, PacketLengths } from "./packet-lengths.ts";

/** A packet with a body of so many bytes. */
function packet(bodyBytes: number): Buffer {
  const length: number[] = [];
  let rest = bodyBytes;
  do {
    length.push((rest % 128) | (rest >= 128 ? 0x80 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.concat([Buffer.from([0x30, ...length]), Buffer.alloc(bodyBytes, 0xff)]);
}

/** Takes the bytes in pieces; what the first piece that is not good brings, or `ok`. */
function take(lengths: PacketLengths, bytes: Buffer, piece: number): LengthFound {
  for (let at = 0; at < bytes.length; at += piece) {
    const found = lengths.take(bytes.subarray(at, at + piece));
    if (found !== "ok") return found;
  }
  return "ok";
}

describe("the lengths of packets are followed", () => {
  test("given packets that are short enough, in any pieces, then all is well", () => {
    const bodies = fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 6 });
    fc.assert(
      fc.property(bodies, fc.integer({ min: 1, max: 5_000 }), (sizes, piece) => {
        const bytes = Buffer.concat(sizes.map(packet));
        expect(take(new PacketLengths(20_000, 20_000), bytes, piece)).toBe("ok");
      }),
      { numRuns: 50 },
    );
  });

  test("given one that is too long, in any pieces, then its head is enough to tell", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 1_000 }), { maxLength: 4 }),
        fc.integer({ min: 1, max: 700 }),
        (sizes, piece) => {
          const head = packet(1_001).subarray(0, 3);
          const bytes = Buffer.concat([...sizes.map(packet), head]);
          expect(take(new PacketLengths(1_000, 1_000), bytes, piece)).toBe("tooLong");
        },
      ),
      { numRuns: 50 },
    );
  });

  test("given a first packet, then a bound of its own holds for it", () => {
    expect(new PacketLengths(10, 1_000).take(packet(11))).toBe("tooLong");
    expect(new PacketLengths(10, 1_000).take(Buffer.concat([packet(10), packet(1_000)]))).toBe("ok");
  });

  test("given a length that does not end, then it is malformed", () => {
    expect(new PacketLengths(10, 10).take(Buffer.from([0x10, 0xff, 0xff, 0xff, 0xff]))).toBe("malformed");
  });
});
