import fc from "fast-check";
import { expect, test } from "vitest";
import type { Append } from "../raft/index.ts";
import { inPieces } from "./pieces.ts";

function append(bytes: number): Append {
  const entries = [{ kind: "command", index: 1, term: 1, data: "x".repeat(bytes) }] as const;
  return { type: "append", from: "pi-1", to: "pi-2", term: 1, prevIndex: 0, prevTerm: 0, entries, commit: 0 };
}

test("few small messages go in one piece", () => {
  const messages = [append(10), append(20)];
  expect([...inPieces(messages)]).toEqual([messages]);
});

test("whatever is cut in pieces comes out whole and in order, and no piece of several messages is too large", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 300_000 }), { minLength: 1, maxLength: 40 }), (sizes) => {
      const messages = sizes.map(append);
      const pieces = [...inPieces(messages)];
      expect(pieces.flat()).toEqual(messages);
      for (const piece of pieces) {
        const bytes = piece.reduce((sum, message) => sum + JSON.stringify(message).length, 0);
        expect(piece.length === 1 || bytes <= 600 * 1024).toBe(true);
      }
    }),
    { numRuns: 50 },
  );
});
