import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { keyFiles } from "../../device/mqtt/read-keys.ts";
import { parseBench } from "../../hardware/bench.ts";
import { fillKeyFolder } from "../keys/key-folder.ts";
import { rosterOf } from "../keys/roster.ts";
import type { Finding } from "./finding.ts";
import { checkKeys } from "./keys.ts";

const bench = parseBench("boards: 2\n", "bench.yaml");
const dayMs = 86_400_000;
let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "adrift-doctor-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("the keys beside a bench", () => {
  it("given a folder as adrift init makes it, then all is well, and it says until when", async () => {
    await fill(800);
    expect(look()).toMatchObject([{ condition: "ok", what: expect.stringMatching(/^4 names, good until 20\d\d-/) }]);
  });

  it("given certificates that end within a month, then each is told of with its day", async () => {
    await fill(20);
    const findings = look();
    expect(findings.map(({ condition, where }) => `${condition} ${where}`)).toEqual(
      ["pi-1", "pi-2", "broker", "controller"].map((name) => `warning ${name}`),
    );
    expect(findings[0]?.advice).toMatch(/Delete .*pi-1\.pem, keep .*pi-1\.key\.pem, run "npx adrift init"/);
  });

  it("given a private key that others may read, then that is wrong, the authority's too", async () => {
    await fill(800);
    chmodSync(keyFiles(folder, "pi-2").privateKey, 0o644);
    chmodSync(keyFiles(folder, "authority").privateKey, 0o640);
    expect(look()).toMatchObject([
      { condition: "wrong", where: "pi-2", what: expect.stringContaining("chmod 600") },
      { condition: "wrong", where: "authority", advice: expect.stringContaining("chmod 600") },
    ]);
  });

  it("given a board without keys here, then it may have them on its card; a controller needs them here", async () => {
    await fill(800);
    for (const name of ["pi-1", "controller"]) {
      rmSync(keyFiles(folder, name).certificate);
      rmSync(keyFiles(folder, name).privateKey);
    }
    expect(look()).toMatchObject([
      { condition: "warning", where: "pi-1" },
      { condition: "wrong", where: "controller" },
    ]);
  });

  it("given a folder without its authority, then that is all that is told", async () => {
    await fill(800);
    rmSync(keyFiles(folder, "authority").certificate);
    expect(look()).toMatchObject([{ condition: "wrong", where: "authority" }]);
  });

  it("given no keys at all, then it matters whether others reach the brokers", () => {
    folder = join(folder, "keys");
    expect(look()).toMatchObject([{ condition: "ok" }]);
    expect(look(true)).toMatchObject([{ condition: "warning", advice: expect.stringContaining("adrift init") }]);
  });
});

function look(isOpenToOthers = false): readonly Finding[] {
  return checkKeys(bench, folder, { now: new Date(), isOpenToOthers });
}

async function fill(days: number): Promise<void> {
  const subjects = rosterOf(bench, { clients: [], hosts: [] });
  const now = new Date(Date.now() - dayMs);
  await fillKeyFolder(folder, { authorityName: "authority of a test", subjects, days, now });
}
