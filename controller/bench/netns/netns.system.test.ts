import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, test, vi } from "vitest";
import { readyExperimentNames } from "../../experiment/ready.ts";
import { netnsLeftovers, sweepNetnsLeftovers } from "./leftovers.ts";
import { type Document, output, WatchedRun } from "./run.fixture.ts";

/**
 * Experiments on benches of network namespaces, as a user runs them. Boards mostly wait, so several runs go on at once;
 * more than these, and on two cores they would be late for each other.
 */
const runsAtOnce = 3;

const isMissing =
  process.getuid?.() === 0 && ["ip", "snmpd", "snmpget"].every((each) => !("error" in spawnSync(each, ["-v"])))
    ? null
    : "root, iproute2, snmpd and snmp";
if (isMissing !== null) process.stderr.write(`Tests of netns benches are left out: they need ${isMissing}.\n`);
const isLeftOut = isMissing !== null && process.env["CI"] === undefined;

let folder = "";
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "netns-test-")));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const files = {
  "long-cut.yaml": `
duration: 110s
faults:
  - { fault: cut, target: leader, at: 1s, for: 100s }
`,
  "quiet.yaml": "duration: 12s\n",
  // The cut tells whoever watches that the run has begun.
  "hand.yaml": `
duration: 12s
faults:
  - { fault: cut, target: pi-1, at: 1s, for: 1s }
`,
  "ring.yaml": `
name: ring
timing: lan
switches: [switch-a, switch-b, switch-c]
brokers:
  - { name: inbox-1, board: pi-1 }
  - { name: inbox-2, board: pi-2 }
  - { name: inbox-3, board: pi-3 }
boards:
  - { name: pi-1 }
  - { name: pi-2 }
  - { name: pi-3 }
cables:
  - { name: a, ends: ["pi-1:eth0", "switch-a:ge-0/0/1"] }
  - { name: b, ends: ["pi-2:eth0", "switch-b:1"] }
  - { name: c, ends: ["pi-3:eth0", "switch-c:1"] }
  - { name: short, ends: ["pi-1:eth1", "pi-2:2"] }
  - { name: ab, ends: ["switch-a:8", "switch-b:8"] }
  - { name: bc, ends: ["switch-b:9", "switch-c:8"] }
  - { name: ca, ends: ["switch-c:9", "switch-a:9"] }
`,
  "ring-faults.yaml": `
duration: 32s
faults:
  - { fault: cut, target: short, at: 3s, for: 8s }
  - { fault: cut, target: ab, at: 4s, for: 5s }
  - { fault: switch-off, target: switch-c, at: 16s, for: 4s }
  - { fault: cut, target: c, at: 17s, for: 5s }
expect:
  - linearizable
  - exactly-once
`,
};

const watched: WatchedRun[] = [];
afterAll(() => {
  for (const run of watched) run.kill();
});

/** Starts the command; it does not outlive the tests. */
function watch(args: readonly string[], environment?: NodeJS.ProcessEnv): WatchedRun {
  const run = new WatchedRun(folder, args, environment);
  watched.push(run);
  return run;
}

describe.skipIf(isLeftOut)("a bench of network namespaces", () => {
  describe.concurrent("the ready experiments", () => {
    it.each([
      ...readyExperimentNames().map((name) => [name, "netns"] as const),
      ["cut-leader", "netns:inbox-per-board"] as const,
      ["ring-faults.yaml", "netns:ring.yaml"] as const,
    ])("given %s on %s, then the run is valid", { timeout: 600_000 }, async (experiment, bench) => {
      const first = await inTurn(() => runToEnd(experiment, bench));
      expect(safety(first)).toEqual({ broken: [], findings: [] });
      // A machine that is busy with other things may once be late for a promise of time; for one of safety it never is.
      const last = first.verdict === "valid" ? first : await inTurn(() => runToEnd(experiment, bench));
      expect(last).toMatchObject({ verdict: "valid", interrupted: false, findings: [] });
      expect(last.history.ok).toBeGreaterThan(100);
      for (const { commandedUs, seenUs, ledAgainUs } of last.cuts) {
        expect(seenUs).toBeGreaterThanOrEqual(commandedUs);
        expect(ledAgainUs).not.toBeNull();
      }
    });
  });

  test("given the leader's cable is cut, then its port was closed by SNMP and the board lost its carrier; Ctrl-C heals it", async () => {
    const run = watch(["long-cut.yaml", "--bench", "netns", "--json"]);
    const port = await run.portClosed("switch");
    const index = output(["ip", "-n", run.namespaceOf("switch"), "-o", "link", "show", port]).split(":")[0] ?? "";
    expect(run.snmpGet("switch", `1.3.6.1.2.1.2.2.1.7.${index}`)).toBe("2");
    expect(Number(run.snmpGet("switch", "1.3.6.1.2.1.11.17.0")), "requests to set something").toBeGreaterThan(0);
    run.interrupt();
    const document = await run.document();
    expect(document).toMatchObject({ verdict: "unknown", interrupted: true });
    const events = run.events(document);
    expect(events.flatMap(({ action }) => action?.kind ?? [])).toEqual(["cut", "heal"]);
    const [board = ""] = document.cuts[0]?.cables ?? [];
    expect(events).toContainEqual(
      expect.objectContaining({
        board,
        happening: expect.objectContaining({ kind: "carrier", interface: "eth0", up: false }),
      }),
    );
    await run.isGone();
  });

  test("given a cable that a hand pulls and plugs in again, then the board tells of it", async () => {
    const run = watch(["hand.yaml", "--bench", "netns", "--json"]);
    expect(await run.portClosed("switch")).toBe("port1");
    const link = (state: string) => output(["ip", "-n", run.namespaceOf("switch"), "link", "set", "port3", state]);
    link("down");
    await vi.waitUntil(() => run.flightOf("pi-3").includes('"interface":"eth0","up":false'), patience);
    link("up");
    const document = await run.document();
    expect(document.verdict).toBe("valid");
    const carrier = run.events(document).flatMap(({ atUs, board, happening }) => {
      return board === "pi-3" && atUs > 0 && happening?.kind === "carrier" ? [happening.up] : [];
    });
    expect(carrier).toEqual([false, true]);
    await run.isGone();
  });

  describe("kill -9", () => {
    test.each(["the controller in its namespace", "the command that started it"])(
      "given that %s is killed in the middle of a cut, then nothing is left",
      async (who) => {
        const before = runFolders();
        const run = watch(["long-cut.yaml", "--bench", "netns", "--json"]);
        await run.portClosed("switch");
        const isInside = who.includes("namespace");
        process.kill(isInside ? run.insider : run.pid, "SIGKILL");
        const { status, err } = await run.ended;
        expect(status).toBe(isInside ? 1 : null);
        if (isInside) expect(err).toContain("was ended by SIGKILL");
        await run.isGone();
        await vi.waitUntil(() => runFolders().every((name) => before.includes(name)), patience);
      },
    );

    test("given that everything is killed that could clean up, then the next start does, and a doctor can tell", async () => {
      const run = watch(["long-cut.yaml", "--bench", "netns", "--json"]);
      await run.portClosed("switch");
      const names = [...run.namespaces.values()].toSorted();
      const before = run.folders();
      const warders = output(["pgrep", "-f", `warden-entry.mjs (${run.pid}|${run.insider})$`])
        .trim()
        .split("\n");
      const guardians = run.processesOf("controller").filter((pid) => pid !== run.insider);
      const insider = run.insider;
      for (const pid of [run.pid, ...warders.map(Number), ...guardians, insider]) kill(pid);
      await run.ended;
      await vi.waitUntil(async () => (await netnsLeftovers()).length === names.length, patience);
      expect(await netnsLeftovers()).toEqual(names);
      const next = watch(["quiet.yaml", "--bench", "netns", "--json"]);
      await vi.waitUntil(async () => (await netnsLeftovers()).length === 0, patience);
      await vi.waitUntil(() => !before.some((name) => runFolders().includes(name)), patience);
      next.interrupt();
      await next.isGone();
      await run.isGone();
    });
  });

  test("given a namespace that a dead run left, then it is found, and swept with what runs in it; others are left alone", async () => {
    const { pid: dead } = spawnSync("true");
    const stale = `adrift-${dead}-abc-pi-1`;
    const foreign = `adrift-test-${process.pid}`;
    output(["ip", "netns", "add", stale]);
    output(["ip", "netns", "add", foreign]);
    try {
      const sleeper = spawn("ip", ["netns", "exec", stale, "sleep", "1000"], { stdio: "ignore" });
      const ended = new Promise((resolve) => sleeper.once("exit", (_, signal) => resolve(signal)));
      expect(await netnsLeftovers()).toContain(stale);
      await vi.waitUntil(() => output(["ip", "netns", "pids", stale]) !== "", patience);
      await sweepNetnsLeftovers();
      expect(await netnsLeftovers()).toEqual([]);
      expect(await ended).toBe("SIGKILL");
      expect(output(["ip", "netns", "list"])).toContain(foreign);
    } finally {
      spawnSync("ip", ["netns", "delete", stale]);
      output(["ip", "netns", "delete", foreign]);
    }
  });

  test("given a computer without snmpd, then it says what to install, and makes nothing", async () => {
    const programs = join(folder, "programs");
    rmSync(programs, { recursive: true, force: true });
    spawnSync("mkdir", [programs]);
    for (const name of ["ip", "nsenter"]) symlinkSync(output(["which", name]).trim(), join(programs, name));
    const run = watch(["quiet.yaml", "--bench", "netns"], { PATH: programs });
    expect(await run.ended).toEqual({ status: 1, out: "", err: expect.stringContaining("apt install snmpd") });
    expect(run.namespaces.size).toBe(0);
  });
});

const patience = { timeout: 30_000, interval: 20 };

/** The folders that benches make for as long as they run. */
function runFolders(): readonly string[] {
  return readdirSync(tmpdir()).filter((name) => /^adrift-\w{6}$/.test(name));
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It followed another one.
  }
}

async function runToEnd(experiment: string, bench: string): Promise<Document> {
  const run = watch([experiment, "--bench", bench, "--json"]);
  const document = await run.document();
  for (const { fault, cables } of document.cuts.filter((cut) => cut.fault === "cut")) {
    const boards = cables.filter((cable) => /^pi-\d$/.test(cable));
    const lost = run.events(document).flatMap(({ board = "", happening }) => (happening?.up === false ? [board] : []));
    expect(lost, fault).toEqual(expect.arrayContaining(boards));
  }
  await run.isGone();
  return document;
}

/** What is wrong however busy the machine is. */
function safety({ expectations, findings }: Document) {
  const broken = expectations.filter(({ expects, outcome }) => outcome === "broken" && !expects.includes("within"));
  return { broken, findings };
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
