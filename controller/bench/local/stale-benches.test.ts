import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { thisProcess } from "../../../device/board/disk/process-identity.ts";
import { recordIn, sweepStaleBenches } from "./stale-benches.ts";

let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "stale-benches-"));
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

const longGone = { ticks: "1", machineStart: "another start of this machine" };

function runFolder(name: string, content: unknown): string {
  const folder = join(parent, name);
  mkdirSync(join(folder, "boards"), { recursive: true });
  writeFileSync(recordIn(folder), JSON.stringify(content));
  return folder;
}

test("given folders of benches, then those go whose process has ended, and no other process is killed", async () => {
  const alive = await thisProcess();
  const stale = runFolder("adrift-stale1", {
    owner: { pid: process.pid, start: longGone },
    // Numbers that were given to another process: this one.
    processes: [
      { pid: process.pid, start: longGone },
      { pid: process.pid, start: null },
    ],
  });
  const kept = [
    runFolder("adrift-alive1", { owner: alive, processes: [] }),
    runFolder("adrift-other1", { owner: "nobody" }),
    runFolder("others-stale", { owner: { pid: process.pid, start: longGone }, processes: [] }),
  ];
  await sweepStaleBenches(parent);
  expect([stale, ...kept].map((folder) => existsSync(folder))).toEqual([false, true, true, true]);
});
