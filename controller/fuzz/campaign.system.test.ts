import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { mutants } from "../../sim/mutants.ts";
import { faultKinds } from "./random-fault.ts";

const adrift = fileURLToPath(new URL("../../bin/adrift.mjs", import.meta.url));

/** What `adrift fuzz --json` prints; it may exit with 1, which is for the test to judge. */
function fuzz(...options: readonly string[]): unknown {
  try {
    return JSON.parse(execFileSync(process.execPath, [adrift, "fuzz", "--json", ...options], { encoding: "utf8" }));
  } catch (error) {
    if (error instanceof Error && "stdout" in error) return JSON.parse(String(error.stdout));
    throw error;
  }
}

describe("a campaign", () => {
  test("given 400 seeds, when they are run, then nothing is found and every kind of fault hit something", () => {
    const report = fuzz("--seeds", "400");
    expect(report).toMatchObject({ seeds: 400, failed: 0, failures: [] });
    expect(Object.keys((report as { readonly faults: object }).faults).toSorted()).toEqual([...faultKinds].toSorted());
  }, 600_000);

  test("given all mutants, when they are hunted, then each is caught, by a run that is clean under the lawful rules", () => {
    const report = fuzz("--mutant", "all") as {
      readonly mutants: readonly { readonly name: string; readonly caught: boolean; readonly seed: number }[];
    };
    expect(report.mutants.map(({ name, caught }) => ({ name, caught }))).toEqual(
      mutants.map(({ name }) => ({ name, caught: true })),
    );
    for (const seed of new Set(report.mutants.map((mutant) => mutant.seed))) {
      expect(fuzz("--seeds", "1", "--from", String(seed))).toMatchObject({ failed: 0 });
    }
  }, 1_800_000);
});
