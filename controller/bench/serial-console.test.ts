import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeConsoleLine } from "../../device/transport/console-codec.ts";
import { ConsoleLines, type ConsoleStatus } from "./serial-console.ts";

const status: ConsoleStatus = {
  board: "pi-1",
  boot: 1_795_382_081,
  seq: 40,
  role: "leader",
  term: 7,
  leader: "pi-1",
  commitIndex: 91,
  carrier: false,
  atUs: 40_123_456,
};
const line = (seq: number): string => `${encodeConsoleLine({ ...status, seq })}\n`;
const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");

describe("what comes over a serial line", () => {
  it("given a board's line as the reference shows it, then it is read", () => {
    const shown =
      '{"v":1,"crc":"8b2e3bf9","board":"pi-1","boot":1795382081,"seq":40,"role":"leader","term":7,"leader":"pi-1","commitIndex":91,"carrier":false,"atUs":40123456}';
    expect(encodeConsoleLine(status)).toBe(shown);
    expect(new ConsoleLines().take(bytes(`${shown}\r\n`))).toEqual([status]);
  });

  it("given lines in pieces of any size with noise before each, then every line is read, and no noise", () => {
    // A line's own beginning in the noise would still be no line: its checksum is not.
    const noise = fc.uint8Array({ maxLength: 700 }).map((each) => Buffer.from(each).toString("latin1"));
    fc.assert(
      fc.property(fc.array(noise, { maxLength: 6 }), fc.array(fc.integer({ min: 1, max: 400 })), (noises, sizes) => {
        const text = noises.map((each, at) => `${each}\n${line(at)}`).join("");
        const lines = new ConsoleLines();
        const read: number[] = [];
        let at = 0;
        for (let piece = 0; at < text.length; piece += 1) {
          const size = sizes[piece % Math.max(1, sizes.length)] ?? text.length;
          read.push(...lines.take(bytes(text.slice(at, at + size))).map(({ seq }) => seq));
          at += size;
        }
        expect(read).toEqual(noises.map((_, seq) => seq));
      }),
      { numRuns: 60 },
    );
  });

  it("given a line of which one character was damaged on its way, then it is dropped, whichever it was", () => {
    const text = line(1);
    for (let at = 0; at < text.length - 1; at += 1) {
      const damaged = text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1);
      expect(new ConsoleLines().take(bytes(damaged))).toEqual([]);
    }
  });

  it("given a line without end, then it costs no memory, and the next line is read", () => {
    const lines = new ConsoleLines();
    for (let piece = 0; piece < 1_000; piece += 1) expect(lines.take(new Uint8Array(1_000).fill(120))).toEqual([]);
    expect(lines.take(bytes(`\n${line(9)}`))).toMatchObject([{ seq: 9 }]);
  });
});
