import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Fingerprint } from "./fingerprint.ts";

function fingerprintOf(...things: readonly (number | string)[]): string {
  const fingerprint = new Fingerprint();
  for (const thing of things) {
    if (typeof thing === "number") fingerprint.mixNumber(thing);
    else fingerprint.mixText(thing);
  }
  return fingerprint.digest();
}

describe("the fingerprint of a run", () => {
  it("is the same on every machine", () => {
    expect(fingerprintOf()).toBe("cd494b312cb5dcf3");
    expect(fingerprintOf(1, 2, 3, -1, 2 ** 40, "leader", "")).toBe("43554f02e65bb918");
  });

  it("tells apart what differs in order, in size, in sign or in where one thing ends and the next begins", () => {
    const fingerprints = [
      fingerprintOf(),
      fingerprintOf(0),
      fingerprintOf(0, 0),
      fingerprintOf(1, 2),
      fingerprintOf(2, 1),
      fingerprintOf(-1),
      fingerprintOf(2 ** 32 - 1),
      fingerprintOf(2 ** 32),
      fingerprintOf(2 ** 33),
      fingerprintOf(Number.MAX_SAFE_INTEGER),
      fingerprintOf("ab", "c"),
      fingerprintOf("a", "bc"),
      fingerprintOf("abc"),
      fingerprintOf("abc\0"),
    ];
    expect(new Set(fingerprints).size).toBe(fingerprints.length);
  });

  it("can be read on the way without changing what follows", () => {
    const fingerprint = new Fingerprint();
    fingerprint.mixNumber(1);
    fingerprint.digest();
    fingerprint.mixNumber(2);
    expect(fingerprint.digest()).toBe(fingerprintOf(1, 2));
  });

  it("tells any two different lists of numbers apart", () => {
    const numbers = fc.array(fc.maxSafeInteger(), { maxLength: 5 });
    fc.assert(
      fc.property(numbers, numbers, (one, other) => {
        expect(fingerprintOf(...one) === fingerprintOf(...other)).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
      { numRuns: 500 },
    );
  });
});
