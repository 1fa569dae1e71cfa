import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readyExperiment } from "./ready.ts";

/**
 * The ready experiments on benches of processes, in real time, as a user runs them. Boards mostly wait, so several runs
 * go on at once; more than these, and on two cores they would be late for each other.
 */
const runsAtOnce = 2;

const command = fileURLToPath(new URL("../../bin/adrift.mjs", import.meta.url));
let folder = "";
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "adrift-local-")));
  // Where nobody is alone responsible, it is one of five inboxes that goes.
  const { text } = readyExperiment("broker-loss") ?? { text: "" };
  writeFileSync(join(folder, "inbox-loss.yaml"), text.replace("target: broker,", "target: inbox-1,"));
  writeFileSync(join(folder, "long-cut.yaml"), longCut);
  writeFileSync(join(folder, "kill-loop.yaml"), killLoop);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.concurrent("the ready experiments on local benches", () => {
  it.each([
    ["broker-loss", "local"],
    ["clock-drift-lease", "local"],
    ["cut-follower", "local"],
    ["cut-leader", "local"],
    ["disk-stall-leader", "local"],
    ["double-fault-election", "local"],
    ["flapping-cable", "local"],
    ["long-partition-snapshot", "local"],
    ["power-cut-all", "local"],
    ["replace-board", "local"],
    ["rolling-restart", "local"],
    ["trunk-split", "local"],
    ["cut-leader", "local:two-switches"],
    ["cut-leader", "local:inbox-per-board"],
    ["inbox-loss.yaml", "local:inbox-per-board"],
  ])("given %s on %s, then the run is valid", { timeout: 1_200_000 }, async (experiment, bench) => {
    const first = await inTurn(() => run(experiment, bench));
    expect(safety(first)).toEqual({ broken: [], findings: [] });
    // A machine that is busy with other things may once be late for a promise of time; for one of safety it never is.
    const last = first.verdict === "valid" ? first : await inTurn(() => run(experiment, bench));
    expect(last).toMatchObject({ verdict: "valid", kind: "local", interrupted: false, findings: [] });
    expect(last.history.ok).toBeGreaterThan(100);
    for (const { commandedUs, seenUs, ledAgainUs } of last.cuts) {
      expect(seenUs).toBeGreaterThanOrEqual(commandedUs);
      expect(ledAgainUs).not.toBeNull();
    }
  });
});

describe("kill -9 in a loop", () => {
  it("given boards that are killed hundreds of times under load, then no client was lied to", {
    timeout: 300_000,
  }, async () => {
    const document = await run("kill-loop.yaml", "local");
    expect(safety(document)).toEqual({ broken: [], findings: [] });
    expect(document).toMatchObject({ verdict: "valid", interrupted: false });
    expect(document.history.ok).toBeGreaterThan(1_000);
    expect(actionsOf(document).filter((kind) => kind === "kill").length).toBeGreaterThan(200);
  });
});

describe("Ctrl-C", () => {
  it("given a run whose leader is cut off, then it is judged as far as it went and kept, and no process is left", {
    timeout: 120_000,
  }, async () => {
    const adrift = start("long-cut.yaml", "local");
    // Long after the cut, and long before its end, however slow the machine is.
    setTimeout(() => adrift.interrupt(), 15_000);
    const { status, document } = await adrift.ended;
    expect(status).toBe(2);
    expect(document).toMatchObject({ verdict: "unknown", interrupted: true });
    expect(actionsOf(document)).toEqual(["cut", "heal"]);
    expect(processesLeft(adrift.mark)).toEqual([]);
  });
});

const longCut = `
duration: 110s
faults:
  - { fault: cut, target: leader, at: 1s, for: 100s }
`;

/** Each fault has a rhythm of its own, so that boards die at all moments of their lives, their starts included. */
const killLoop = `
duration: 62s
workload: { clients: 8, operationsPerSecond: 200 }
raft: { snapshotAfterEntries: 300, trailingEntries: 50 }
faults:
  - { fault: crash, target: a follower, at: 2s, every: 530ms, for: 270ms }
  - { fault: crash, target: leader, at: 2700ms, every: 1190ms, for: 410ms }
  - { fault: crash, target: minority, at: 3100ms, every: 2950ms, for: 330ms }
  - { fault: crash, target: all, at: 20s, every: 21s, for: 500ms }
expect:
  - linearizable
  - exactly-once
`;

type Document = {
  readonly verdict: string;
  readonly expectations: readonly { readonly expects: string; readonly outcome: string; readonly detail: string }[];
  readonly findings: readonly unknown[];
  readonly history: { readonly ok: number };
  readonly cuts: readonly { readonly commandedUs: number; readonly seenUs: number; readonly ledAgainUs: number }[];
  readonly run: string;
};

/** What the bench did, in order. */
function actionsOf({ run }: Document): readonly string[] {
  const events = readFileSync(join(folder, run, "events.jsonl"), "utf8")
    .trim()
    .split("\n");
  return events
    .map((line) => JSON.parse(line))
    .flatMap(({ kind, action }: { readonly kind: string; readonly action: { readonly kind: string } }) =>
      kind === "done" ? [action.kind] : [],
    );
}

/** What is wrong however busy the machine is. */
function safety({ expectations, findings }: Document) {
  const broken = expectations.filter(({ expects, outcome }) => outcome === "broken" && !expects.includes("within"));
  return { broken, findings };
}

async function run(experiment: string, bench: string): Promise<Document> {
  const adrift = start(experiment, bench);
  const { document } = await adrift.ended;
  expect(processesLeft(adrift.mark)).toEqual([]);
  return document;
}

function start(experiment: string, bench: string) {
  const mark = `ADRIFT_TEST_RUN=${randomUUID()}`;
  const [name = "", value] = mark.split("=");
  const args = [command, "run", experiment, "--bench", bench, "--json"];
  const adrift = spawn(process.execPath, args, { cwd: folder, env: { ...process.env, [name]: value } });
  let out = "";
  let err = "";
  adrift.stdout.on("data", (text) => {
    out += text;
  });
  adrift.stderr.on("data", (text) => {
    err += text;
  });
  const ended = new Promise<{ readonly status: number | null; readonly document: Document }>((resolve, reject) => {
    adrift.on("close", (status) => {
      if (out === "") reject(new Error(`${experiment} on ${bench} ended with ${status}: ${err}`));
      else resolve({ status, document: JSON.parse(out) });
    });
  });
  return { mark, ended, interrupt: () => adrift.kill("SIGINT") };
}

/** The processes that came of a run: whoever carries its mark in the environment. Only Linux tells. */
function processesLeft(mark: string): readonly string[] {
  if (!existsSync("/proc/self/environ")) return [];
  return readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && environmentOf(pid).includes(mark));
}

function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8");
  } catch {
    // It ended meanwhile, or is not ours.
    return "";
  }
}

let running = 0;
const waiting: (() => void)[] = [];

/** At most so many at once. */
async function inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
  if (running === runsAtOnce) await new Promise<void>((resolve) => waiting.push(resolve));
  else running += 1;
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  }
}
