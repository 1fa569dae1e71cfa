import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createTestShell } from "./shell.fixture.ts";

const shell = createTestShell();
const { adrift } = shell;
afterAll(() => shell.remove());

describe("adrift fuzz", { timeout: 30_000 }, () => {
  it("given seeds without a failure, then it prints the figures", async () => {
    const { status, out } = await adrift(["fuzz", "--seeds", "2", "--from", "3", "--json"]);
    const document = JSON.parse(out);
    expect(status).toBe(0);
    expect(document).toMatchObject({ seeds: 2, from: 3, failed: 0, failures: [], undecided: 0, interrupted: false });
    for (const figure of ["virtualSeconds", "wallSeconds", "speedup", "speedupPerCore", "operations", "elections"]) {
      expect(document[figure]).toBeGreaterThan(0);
    }
    expect(Object.keys(document.faults)).not.toEqual([]);
  });

  it("given a mutant, then it is caught, its faults are shrunk, and the run is kept and can be replayed", async () => {
    const mutant = "takes-half-for-a-majority";
    const { status, out } = await adrift(["fuzz", "--mutant", mutant, "--json"]);
    expect(status).toBe(0);
    const [report] = JSON.parse(out).mutants;
    expect(report).toMatchObject({
      name: mutant,
      section: "§3.4",
      caught: true,
      by: expect.any(String),
      faults: expect.any(Array),
    });
    expect(report.command).toBe(`npx adrift fuzz --seeds 1 --from ${report.seed} --mutant ${mutant}`);
    expect(existsSync(join(shell.folder, report.run, "report.html"))).toBe(true);
    expect((await adrift(["replay", report.run])).status).toBe(0);
  });

  it("given too few seeds for a mutant, then it is missed, and the status is 1", async () => {
    const { status, out } = await adrift([
      "fuzz",
      "--mutant",
      "skips-the-consistency-check",
      "--seeds",
      "1",
      "--from",
      "2",
    ]);
    expect(status).toBe(1);
    expect(out).toContain("MISSED  skips-the-consistency-check");
    expect(out).toContain("1 mutant: 0 caught, 1 missed");
  });

  it("given Ctrl-C, then it says what is known so far, and the status is 2", async () => {
    const { status, out } = await adrift(["fuzz", "--seeds", "100"], { interrupted: true });
    expect(status).toBe(2);
    expect(out).toContain("Stopped before its end");
  });

  it("given Ctrl-C on a hunt, then what was not hunted to the end is neither caught nor missed", async () => {
    const { status, out } = await adrift(["fuzz", "--mutant", "all", "--json"], { interrupted: true });
    expect(status).toBe(2);
    expect(JSON.parse(out)).toEqual({
      mutants: [],
      caught: 0,
      missed: 0,
      unfinished: expect.any(Number),
      interrupted: true,
    });
  });

  it.each([
    ["an unknown mutant", ["--mutant", "takes-half"], /no mutant "takes-half" \(known: all, votes-/],
    ["no seeds", ["--seeds", "0"], /'0' is invalid\. It must be a whole number from 1/],
    ["a negative start", ["--from", "-5"], /'-5' is invalid/],
    ["no time", ["--minutes", "0"], /'0' is invalid\. It must be a number above 0/],
    ["time that is no number", ["--minutes", "soon"], /'soon' is invalid/],
  ])("given %s, then it says what may stand there, and the status is 64", async (_, options, message) => {
    const { status, out, err } = await adrift(["fuzz", ...options]);
    expect({ status, out }).toEqual({ status: 64, out: "" });
    expect(err).toMatch(message);
  });
});
