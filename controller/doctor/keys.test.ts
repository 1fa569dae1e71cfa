import { chmodSync, cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { keyFiles } from "../../device/mqtt/read-keys.ts";
import { parseBench } from "../../hardware/bench.ts";
import { fillKeyFolder } from "../keys/key-folder.ts";
import { rosterOf } from "../keys/roster.ts";
import type { Finding } from "./finding.ts";
import { checkKeys } from "./keys.ts";

const bench = parseBench("boards: 2\n", "bench.yaml");
const dayMs = 86_400_000;
/** Keys that are good for long, made once. */
let good = "";
let base = "";
let folder = "";

beforeAll(async () => {
  good = mkdtempSync(join(tmpdir(), "adrift-doctor-"));
  await fill(good, 800);
});
afterAll(() => rmSync(good, { recursive: true, force: true }));

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "adrift-doctor-"));
  folder = join(base, "keys");
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

describe("the keys beside a bench", () => {
  it("given a folder as adrift init makes it, then all is well, and it says until when", () => {
    cpSync(good, folder, { recursive: true });
    expect(look()).toMatchObject([{ condition: "ok", what: expect.stringMatching(/^4 names, good until 20\d\d-/) }]);
  });

  it("given certificates that end within a month, then each is told of with its day", async () => {
    await fill(folder, 20);
    const findings = look();
    expect(findings.map(({ condition, where }) => `${condition} ${where}`)).toEqual(
      ["pi-1", "pi-2", "broker", "controller"].map((name) => `warning ${name}`),
    );
    expect(findings[0]?.advice).toMatch(/Delete .*pi-1\.pem, keep .*pi-1\.key\.pem, run "npx adrift init"/);
  });

  it("given a private key that others may read, then that is wrong, the authority's too", () => {
    cpSync(good, folder, { recursive: true });
    chmodSync(keyFiles(folder, "pi-2").privateKey, 0o644);
    chmodSync(keyFiles(folder, "authority").privateKey, 0o640);
    expect(look()).toMatchObject([
      { condition: "wrong", where: "pi-2", what: expect.stringContaining("chmod 600") },
      { condition: "wrong", where: "authority", advice: expect.stringContaining("chmod 600") },
    ]);
  });

  it("given a board without keys here, then it may have them on its card; a controller needs them here", () => {
    cpSync(good, folder, { recursive: true });
    for (const name of ["pi-1", "controller"]) {
      rmSync(keyFiles(folder, name).certificate);
      rmSync(keyFiles(folder, name).privateKey);
    }
    expect(look()).toMatchObject([
      { condition: "warning", where: "pi-1" },
      { condition: "wrong", where: "controller" },
    ]);
  });

  it("given a folder without its authority, then that is all that is told", () => {
    cpSync(good, folder, { recursive: true });
    rmSync(keyFiles(folder, "authority").certificate);
    expect(look()).toMatchObject([{ condition: "wrong", where: "authority" }]);
  });

  it("given no keys at all, then it matters whether others reach the brokers", () => {
    expect(look()).toMatchObject([{ condition: "ok" }]);
    expect(look(true)).toMatchObject([{ condition: "warning", advice: expect.stringContaining("adrift init") }]);
  });
});

function look(isOpenToOthers = false): readonly Finding[] {
  return checkKeys(bench, folder, { now: new Date(), isOpenToOthers });
}

async function fill(folder: string, days: number): Promise<void> {
  const subjects = rosterOf(bench, { clients: [], hosts: [] });
  const now = new Date(Date.now() - dayMs);
  await fillKeyFolder(folder, { authorityName: "authority of a test", subjects, days, now });
}
