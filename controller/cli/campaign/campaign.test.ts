import { existsSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, describe, expect, it } from "vitest";
import { painter } from "../../report/paint.ts";
import { createTestShell } from "../shell.fixture.ts";
import type { Shell, Stream } from "../shell.ts";
import { runCampaign } from "./campaign.ts";
import type { SeedSummary } from "./jobs.ts";
import { type Campaign, campaignText } from "./text.ts";
import { Tally } from "./totals.ts";

const test = createTestShell();
afterAll(() => test.remove());

const silent: Stream = { write: () => undefined, isTerminal: false, isColoured: false, isClosed: false, columns: 100 };
const shell: Shell = {
  out: silent,
  err: silent,
  input: Readable.from([]),
  folder: test.folder,
  commandLine: "adrift fuzz",
  noteInterruption: () => ({ isRequested: false }),
};

describe("a campaign that finds something", { timeout: 30_000 }, () => {
  it("given boards under a broken law, then the first failing seed is shrunk and kept, and the others are named", async () => {
    const mutant = "takes-half-for-a-majority";
    const campaign = await runCampaign(shell, { from: 1, seedsMax: 2, durationMs: Number.POSITIVE_INFINITY, mutant });
    expect(campaign.failures.map(({ seed }) => seed)).toEqual([1, 2]);
    const [first, second] = campaign.failures;
    expect(first).toMatchObject({
      by: expect.any(String),
      faults: expect.any(Array),
      command: `npx adrift fuzz --seeds 1 --from 1 --mutant ${mutant}`,
    });
    expect(existsSync(join(test.folder, first?.run ?? "nowhere", "report.html"))).toBe(true);
    expect((await test.adrift(["replay", first?.run ?? "nowhere"])).status).toBe(0);
    expect(second).toMatchObject({ faults: null, run: null });
  });
});

describe("the figures of a campaign", () => {
  const summary = (seed: number): SeedSummary => ({
    kind: "seed",
    seed,
    failure: null,
    crashed: false,
    undecided: false,
    fingerprint: `f${seed}`,
    virtualUs: seed * 1_000_000,
    busyMs: 10,
    events: 5,
    operations: { ok: 3, fail: 1, info: 1 },
    elections: 1,
    faults: { cut: seed },
    network: null,
  });
  const totalsOf = (...seeds: readonly number[]) => {
    const tally = new Tally();
    for (const seed of seeds) tally.add(summary(seed));
    return tally.totals();
  };

  it("given seeds that end in another order, then they are the same; given other seeds, the fingerprint is another", () => {
    expect(totalsOf(1, 2, 3)).toEqual(totalsOf(3, 1, 2));
    expect(totalsOf(1, 2, 3)).toMatchObject({ seeds: 3, virtualSeconds: 6, operations: { ok: 9 }, faults: { cut: 6 } });
    expect(totalsOf(1, 2).fingerprint).not.toBe(totalsOf(1, 3).fingerprint);
  });
});

describe("the report of a campaign", () => {
  const clean: Campaign = {
    from: 5,
    totals: new Tally().totals(),
    failures: [],
    interrupted: false,
    wallSeconds: 1,
    cores: 2,
  };
  const failure = {
    by: "election safety",
    detail: "two leaders",
    atUs: 1,
    command: "npx adrift fuzz --seeds 1 --from 7",
  };
  const textOf = (campaign: Campaign) => campaignText(campaign, painter(false), 80);

  it("given no failure, then it is clean", () => {
    expect(textOf(clean)).toMatch(/^CLEAN {2}0 seeds\n/);
  });

  it("given a failure, then it says by which check, what it takes, and the command that shows it again", () => {
    const first = { ...failure, seed: 7, faults: ["at 1s: crash leader for 2s"], run: "runs/x" };
    const text = textOf({ ...clean, failures: [first, { ...failure, seed: 9, faults: null, run: null }] });
    expect(text).toMatch(/^2 FAILED/);
    expect(text).toContain(
      "Seed 7: election safety\n  two leaders\n  It takes 1 fault:\n    at 1s: crash leader for 2s\n",
    );
    expect(text).toContain("  npx adrift fuzz --seeds 1 --from 7\n  npx adrift replay runs/x\n  runs/x/report.html\n");
    expect(text).toContain("Failed as well:\n  seed 9: election safety\n");
  });
});
