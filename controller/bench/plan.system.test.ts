import fc from "fast-check";
import { describe, it } from "vitest";
import { checkPlan, compareWithBruteForce } from "./plan.checks.fixture.ts";
import { arbitraryCase } from "./plan.fixture.ts";

const aMinuteMs = 60_000;

describe("thousands of random benches", () => {
  it("a plan parts exactly what it should, and needs nothing that it must not", { timeout: aMinuteMs }, () => {
    fc.assert(fc.property(arbitraryCase(6, 16), checkPlan), { numRuns: 6_000 });
  });

  it("a plan is the least way of all, or there is none", { timeout: aMinuteMs }, () => {
    fc.assert(fc.property(arbitraryCase(5, 10), compareWithBruteForce), { numRuns: 6_000 });
  });
});
