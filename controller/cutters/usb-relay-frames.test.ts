import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { relayFrame, statusIn } from "./usb-relay-frames.ts";

describe("frames for a USB relay board", () => {
  test("given relay 1, then its frames are those of the board's data sheet", () => {
    expect([...relayFrame(1, true)]).toEqual([0xa0, 0x01, 0x01, 0xa2]);
    expect([...relayFrame(1, false)]).toEqual([0xa0, 0x01, 0x00, 0xa1]);
  });

  test("given any relay, then the last byte is the sum of the others", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.boolean(), (channel, isOn) => {
        const [start = 0, relay = 0, state = 0, sum] = relayFrame(channel, isOn);
        expect(sum).toBe((start + relay + state) % 256);
      }),
    );
  });
});

describe("what a USB relay board says", () => {
  test("given a whole line about a relay, then its state is known, however the line is spaced", () => {
    expect(statusIn("CH1: OFF\r\nCH2: ON\r\n", 2)).toBe(true);
    expect(statusIn("CH1:OFF \r\nCH2:ON\r\n", 1)).toBe(false);
    expect(statusIn("CH1: ON\r\nCH1: OFF\r\n", 1)).toBe(false);
  });

  test("given half a line, another relay or nonsense, then nothing is known", () => {
    for (const text of ["", "CH1: O", "CH1: ON", "CH2: ON\r\n", "CH1: MAYBE\r\n", "\x00\xffCH1 ON\n"]) {
      expect(statusIn(text, 1)).toBeNull();
    }
  });
});
