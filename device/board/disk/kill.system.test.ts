/** A process that writes a log is killed, hundreds of times, at random moments: what it acknowledged must be there. */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { boot } from "../../storage/storage.fixture.ts";
import type { Recovered } from "../../storage/storage.ts";
import { openDataFolder, provision } from "./data-folder.ts";
import { openFileDisk } from "./file-disk.ts";
import { openedWhole } from "./folder.fixture.ts";
import { entryAt, segmentBytesMax, stateAt, voteIn } from "./written.fixture.ts";

const boards = ["one", "another"];
const livesEach = 150;
const folder = mkdtempSync(join(tmpdir(), "adrift-kill-"));
const writer = join(folder, "writer.mjs");
const children = new Set<ChildProcess>();
let running: Promise<readonly PromiseSettledResult<void>[]> = Promise.resolve([]);
let isOver = false;

beforeAll(async () => {
  await build({
    entryPoints: [fileURLToPath(new URL("writer.fixture.ts", import.meta.url))],
    outfile: writer,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
  });
});
afterEach(async () => {
  isOver = true;
  for (const child of children) child.kill("SIGKILL");
  await running;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a process is killed while it writes its log", () => {
  test(`given two boards of ${livesEach} lives, then all that was acknowledged is there after each, and no vote is taken back`, async () => {
    running = Promise.allSettled(boards.map((board) => liveAndDieAgainAndAgain(join(folder, board))));
    for (const result of await running) if (result.status === "rejected") throw result.reason;
  });
});

async function liveAndDieAgainAndAgain(data: string): Promise<void> {
  await provision(data, boot);
  const known = { lastIndex: 0, term: 0, boot: 0 };
  let acknowledgements = 0;
  for (let life = 0; life < livesEach && !isOver; life += 1) {
    const lines = await liveAndDie(data, life);
    for (const line of lines.filter((line) => line !== "ready")) {
      const [lastIndex = 0, term = 0] = line.split(" ").map(Number);
      known.lastIndex = Math.max(known.lastIndex, lastIndex);
      known.term = Math.max(known.term, term);
      acknowledgements += 1;
    }
    const { recovered, bootNumber } = await reopen(data);
    const { hardState, entries, snapshot } = recovered;
    expect(bootNumber).toBeGreaterThan(known.boot);
    expect(hardState.term).toBeGreaterThanOrEqual(known.term);
    expect(hardState.votedFor).toBe(hardState.term === 0 ? null : voteIn(hardState.term));
    expect(lastIndexOf(recovered)).toBeGreaterThanOrEqual(known.lastIndex);
    for (const entry of entries) expect(entry).toEqual(entryAt(entry.index, entry.term));
    if (snapshot !== null) expect(snapshot).toEqual(stateAt(snapshot.index, snapshot.term));
    known.lastIndex = lastIndexOf(recovered);
    known.term = hardState.term;
    known.boot = bootNumber;
  }
  expect(acknowledgements).toBeGreaterThan(livesEach);
}

/** Lets the writer live until a random moment, while it starts or while it writes. Gives what it said, line by line. */
async function liveAndDie(data: string, life: number): Promise<string[]> {
  const process = spawn("node", [writer, data], { stdio: ["ignore", "pipe", "pipe"] });
  children.add(process);
  let said = "";
  let complaint = "";
  const kill = (): boolean => process.kill("SIGKILL");
  if (life % 4 === 0) setTimeout(kill, 20 + Math.random() * 60);
  process.stdout.on("data", (text: Buffer) => {
    if (said === "" && life % 4 !== 0) setTimeout(kill, Math.random() * 30);
    said += text.toString();
  });
  process.stderr.on("data", (text: Buffer) => {
    complaint += text.toString();
  });
  await new Promise((resolve) => process.once("close", resolve));
  children.delete(process);
  expect(complaint).toBe("");
  expect(process.signalCode).toBe("SIGKILL");
  // The last line may be cut short; it then says nothing.
  return said.split("\n").slice(0, -1);
}

async function reopen(data: string): Promise<{ recovered: Recovered; bootNumber: number }> {
  const opened = await openDataFolder(data);
  const disk = await openFileDisk(opened.logFolder);
  try {
    const { recovered } = await openedWhole(disk, { segmentBytesMax });
    return { recovered, bootNumber: opened.boot };
  } finally {
    await disk.close();
    await opened.close();
  }
}

function lastIndexOf({ entries, snapshot }: Recovered): number {
  return entries.at(-1)?.index ?? snapshot?.index ?? 0;
}
