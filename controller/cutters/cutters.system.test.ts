import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { healLeftovers, leftoverCuts } from "../cli/rack/leftover-cuts.ts";
import { openCutters } from "./cutters.ts";
import type { ControllerSettings, Step } from "./cutters-controller.fixture.ts";
import { firewallBench, missingForNamespaces, Namespaces } from "./firewall-namespaces.fixture.ts";
import { Ledger, usualLedgerFolder } from "./ledger.ts";
import { nobody } from "./person.ts";

if (missingForNamespaces !== null) console.warn(`Killed controllers are not tried: ${missingForNamespaces}.`);
const isLeftOut = missingForNamespaces !== null && process.env["CI"] === undefined;

const controllerProgram = fileURLToPath(new URL("./cutters-controller.fixture.ts", import.meta.url));
const adrift = fileURLToPath(new URL("../../bin/adrift.mjs", import.meta.url));
const loader = pathToFileURL(createRequire(import.meta.url).resolve("tsx/esm")).href;
/** So long that no cut of these tests heals by itself. */
const longLeaseMs = 600_000;
const healedMsMax = 10_000;

describe.skipIf(isLeftOut)("a controller that does not reach its end", () => {
  let namespaces: Namespaces;
  let stateHome = "";
  let ledgerFolder = "";
  const started: ChildProcess[] = [];

  beforeAll(async () => {
    namespaces = await Namespaces.make();
  });
  beforeEach(() => {
    stateHome = mkdtempSync(join(tmpdir(), "adrift-cuts-test-"));
    ledgerFolder = usualLedgerFolder({ XDG_STATE_HOME: stateHome });
  });
  afterEach(async () => {
    for (const child of started.splice(0)) await kill(child.pid);
    rmSync(stateHome, { recursive: true, force: true });
  });
  afterAll(() => namespaces.dispose());

  const steps: readonly Step[] = [
    "opened",
    "written down",
    "device is being told",
    "cut",
    "heal is being told",
    "healed",
    "close is being told",
  ];
  test.each(steps)(
    "given a controller killed with -9 when it has reached: %s, then nothing stays cut",
    async (step) => {
      const controller = await startController(step, { dies: true });
      await gone(controller);
      await expectWhole();
    },
  );

  test.each(["SIGINT", "SIGTERM", "SIGHUP", "SIGKILL"] as const)(
    "given a cut, when the controller is ended by %s, then the cable is whole soon",
    async (signal) => {
      const controller = await startController("cut");
      expect(await namespaces.look(uplink)).toBe("both");
      controller.kill(signal);
      const endedMs = performance.now();
      await expectWhole();
      console.info(`whole ${Math.round(performance.now() - endedMs)} ms after ${signal}`);
    },
  );

  test("given a controller that hangs, when its lease runs out, then its guardian ends it and heals", async () => {
    const controller = await startController("cut", { leaseMs: 1_500 });
    controller.kill("SIGSTOP");
    await gone(controller);
    expect(controller.signalCode).toBe("SIGKILL");
    await expectWhole();
  });

  test("given a guardian that is killed, then another takes its place", async () => {
    const controller = await startController("cut");
    const first = guardianPid();
    await kill(first);
    await vi.waitFor(() => expect(guardianPid()).not.toBe(first), { timeout: healedMsMax });
    controller.kill("SIGKILL");
    await expectWhole();
  });

  test("given controller and guardian killed, then the leftover is told, and the next start heals it", async () => {
    await killBoth();
    expect(await leftoverCuts(ledgerFolder)).toEqual([
      { what: "the cable uplink of the bench firewalls", advice: expect.stringContaining("npx adrift heal") },
    ]);
    const told: string[] = [];
    const surroundings = namespaces.surroundings;
    const tell = (sentence: string) => void told.push(sentence);
    const cutters = await openCutters({ bench: firewallBench, surroundings, ledgerFolder, tell });
    expect(told).toEqual(["An earlier run left the cable uplink of the bench firewalls cut: healed."]);
    expect(await namespaces.look(uplink)).toBe("whole");
    expect(await cutters.close()).toEqual({ leftovers: [] });
    await expectWhole();
  });

  test("given controller and guardian killed, when somebody types adrift heal, then the cable is whole", async () => {
    await killBoth();
    const heal = () =>
      spawnSync(process.execPath, [adrift, "heal"], {
        cwd: stateHome,
        env: { ...process.env, XDG_STATE_HOME: stateHome },
        encoding: "utf8",
      });
    expect(heal()).toMatchObject({
      status: 0,
      stderr: "An earlier run left the cable uplink of the bench firewalls cut: healed.\n",
    });
    await expectWhole();
    expect(heal()).toMatchObject({ status: 0, stdout: expect.stringContaining("Nothing is cut"), stderr: "" });
  });

  test("given a leftover on a device that is gone, when it is to be healed, then it says what to do, and the entry stays", async () => {
    const owner = { pid: 2 ** 30, start: null };
    const ledger = await Ledger.open(ledgerFolder);
    await ledger.add({
      owner,
      leaseMs: longLeaseMs,
      what: { kind: "cable", cable: "uplink", direction: "both" },
      devices: ["the firewall of pi-1"],
      bench: firewallBench,
      folder: "/",
      hosts: { "pi-1": { kind: "namespace", namespace: "adrift-no-such-namespace" } },
    });
    const left = await healLeftovers(ledgerFolder, () => undefined, nobody);
    expect(left).toEqual([{ what: "the cable uplink of the bench firewalls", advice: expect.stringMatching(/pi-1/) }]);
    expect(await ledger.list()).toHaveLength(1);
  });

  test("given a bench in use, when another run wants it, then it is told by which process", async () => {
    const controller = await startController("cut");
    const second = openCutters({ bench: firewallBench, surroundings: namespaces.surroundings, ledgerFolder });
    await expect(second).rejects.toThrow(`is in use by another run of Adrift (process ${controller.pid})`);
    expect(await namespaces.look(uplink)).toBe("both");
    controller.kill("SIGKILL");
    await expectWhole();
  });

  async function startController(
    stopAt: Step,
    { dies = false, leaseMs = longLeaseMs }: { readonly dies?: boolean; readonly leaseMs?: number } = {},
  ): Promise<ChildProcess> {
    const { board, peer } = namespaces;
    const settings: ControllerSettings = { board, peer, ledgerFolder, leaseMs, stopAt, dies };
    const child = spawn(process.execPath, ["--import", loader, controllerProgram, JSON.stringify(settings)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    started.push(child);
    let said = "";
    child.stdout.on("data", (text) => {
      said += String(text);
    });
    await vi.waitFor(() => expect(said).toContain(`${stopAt}\n`), { timeout: 20_000, interval: 5 });
    return child;
  }

  async function killBoth(): Promise<void> {
    const controller = await startController("cut");
    const guardian = guardianPid();
    // Stopped first, so that it does not see the end of its controller before its own.
    process.kill(guardian, "SIGSTOP");
    controller.kill("SIGKILL");
    await gone(controller);
    await kill(guardian);
    expect(await namespaces.look(uplink)).toBe("both");
  }

  async function expectWhole(): Promise<void> {
    const isWhole = async () => {
      expect(await namespaces.look(uplink)).toBe("whole");
      expect(readdirSync(ledgerFolder).filter((name) => name !== "devices")).toEqual([]);
      expect(guardians()).toEqual([]);
    };
    await vi.waitFor(isWhole, { timeout: healedMsMax, interval: 5 });
  }

  /** The processes that guard this ledger. */
  function guardians(): readonly number[] {
    const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    return pids.filter((pid) => commandLine(pid).includes(`guardian-entry.mjs\0${ledgerFolder}\0`)).map(Number);
  }

  function guardianPid(): number {
    const [pid] = guardians();
    if (pid === undefined) throw new Error("There is no guardian.");
    return pid;
  }
});

const uplink = firewallBench.cables.find(({ name }) => name === "uplink") ?? missingCable();

function missingCable(): never {
  throw new Error("The bench has no cable uplink.");
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

async function gone(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

async function kill(pid: number | undefined): Promise<void> {
  if (pid === undefined || !existsSync(`/proc/${pid}`)) return;
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has gone.
  }
  await vi.waitFor(() => expect(commandLine(String(pid))).toBe(""), { timeout: 5_000 });
}
