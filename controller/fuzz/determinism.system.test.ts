import { describe, expect, it } from "vitest";
import { runSeed } from "./seed-run.ts";

const seeds = 50;

describe("campaigns can be repeated", () => {
  it(`given each of ${seeds} seeds, when it is run twice, then both runs are the same to the byte`, () => {
    for (let seed = 1; seed <= seeds; seed += 1) {
      const [first, second] = [runSeed(seed), runSeed(seed)];
      expect(second.run.fingerprint, `seed ${seed}`).toBe(first.run.fingerprint);
      expect(second.run.events, `seed ${seed}`).toBe(first.run.events);
      expect(JSON.stringify(second.run.history), `seed ${seed}`).toBe(JSON.stringify(first.run.history));
    }
  });
});
