import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LogFile } from "./log-file.ts";
import { type ProcessChange, SupervisedProcess } from "./supervised-process.ts";
import { Warden } from "./warden.ts";

/** It says that it runs, and dies at once. */
const unlucky = 'process.send({ type: "started" }); process.stderr.write("out of luck\\n", () => process.exit(3));';

let folder: string;
let warden: Warden;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "adrift-supervised-"));
  warden = new Warden();
});
afterEach(async () => {
  await warden.release();
  rmSync(folder, { recursive: true, force: true });
});

test("given a process that dies all the time, then it is started again a few times and given up, with its last words", async () => {
  const changes: ProcessChange[] = [];
  writeFileSync(join(folder, "unlucky.mjs"), unlucky);
  const supervised = new SupervisedProcess({
    command: [process.execPath, join(folder, "unlucky.mjs")],
    hasChannel: true,
    log: new LogFile(join(folder, "unlucky.log")),
    warden,
    greeting: () => [],
    hear: () => undefined,
    tell: (change) => changes.push(change),
  });
  await supervised.start();
  await vi.waitUntil(() => supervised.state === "failed", { timeout: 40_000, interval: 50 });
  const deaths = changes.filter((change) => change.kind === "died");
  expect(deaths.map(({ isStartedAgain }) => isStartedAgain)).toEqual([true, true, true, true, false]);
  expect(deaths[0]).toMatchObject({ reason: "it ended with status 3", lines: ["out of luck"] });
  await supervised.kill();
  expect(supervised.state).toBe("stopped");
});
