import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { askBench } from "../../bench/local/control-client.ts";
import { reservePort } from "../../bench/local/ports.ts";
import { readUpFile, type UpFile } from "./up-file.ts";

const command = fileURLToPath(new URL("../../../bin/adrift.mjs", import.meta.url));
const patience = { timeout: 60_000, interval: 20 };
const hasMosquitto = process.env["CI"] !== undefined || spawnSync("mosquitto_sub", ["--help"]).error === undefined;

let folder: string;
let running: ChildProcess | null = null;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "adrift-up-")));
});
afterEach(() => {
  running?.kill("SIGKILL");
  running = null;
  rmSync(folder, { recursive: true, force: true });
});

type Up = {
  readonly file: UpFile;
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  out(): string;
};

async function up(...args: readonly string[]): Promise<Up> {
  const child = spawn(process.execPath, [command, "up", "--port", String(await reservePort()), ...args], {
    cwd: folder,
  });
  running = child;
  let out = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (piece: Buffer) => {
      out += piece.toString();
    });
  }
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const file = await vi.waitUntil(() => {
    if (child.exitCode !== null) throw new Error(`adrift up ended: ${out}`);
    return readUpFile(folder);
  }, patience);
  return { file, child, ended, out: () => out };
}

function adrift(...args: readonly string[]): string {
  return execFileSync(process.execPath, [command, ...args], { cwd: folder, encoding: "utf8" });
}

/** Every process that the controller has started. */
function childrenOf(pid: number): readonly number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.filter((name) => parentOf(name) === pid).map(Number);
}

function parentOf(pid: string): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return null;
  }
}

async function nothingIsLeft({ file }: Up, pids: readonly number[]): Promise<void> {
  await vi.waitUntil(() => pids.every((pid) => !existsSync(`/proc/${pid}`)), patience);
  expect({ control: existsSync(dirname(file.control)), inFolder: readdirSync(folder) }).toEqual({
    control: false,
    inFolder: [],
  });
}

async function pauseOneBoard({ file }: Up): Promise<void> {
  const reply = await askBench(file.control, { do: "state" });
  const board = reply.ok ? reply.state.boards[0] : undefined;
  process.kill(board?.pid ?? Number.NaN, "SIGSTOP");
}

describe.skipIf(process.platform !== "linux")("adrift up", () => {
  test("given kill -9, then nothing is left of it, a stopped board neither", async () => {
    const started = await up();
    const pids = childrenOf(started.file.pid);
    expect(pids.length).toBeGreaterThanOrEqual(7);
    await pauseOneBoard(started);
    adrift("cut", "pi-2");
    started.child.kill("SIGKILL");
    await started.ended;
    await nothingIsLeft(started, pids);
  });

  test("given kill -9 of it and of its warden, then the next one removes what is left", async () => {
    const first = await up();
    const pids = childrenOf(first.file.pid);
    await pauseOneBoard(first);
    const warden = pids.find((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("warden-entry"));
    process.kill(warden ?? Number.NaN, "SIGKILL");
    first.child.kill("SIGKILL");
    await first.ended;
    const isLeft = () => pids.filter((pid) => existsSync(`/proc/${pid}`)).length;
    await vi.waitUntil(() => isLeft() === 1, patience);
    const { control } = first.file;
    rmSync(join(folder, ".adrift"), { recursive: true });
    const second = await up();
    expect(existsSync(dirname(control))).toBe(false);
    await vi.waitUntil(() => isLeft() === 0, patience);
    second.child.kill("SIGINT");
    await second.ended;
  });

  test("given Ctrl-C, then it ends within seconds, well, and nothing is left of it", async () => {
    const started = await up();
    const pids = childrenOf(started.file.pid);
    await pauseOneBoard(started);
    const beganMs = performance.now();
    started.child.kill("SIGINT");
    expect(await started.ended).toBe(0);
    expect(performance.now() - beganMs).toBeLessThan(10_000);
    expect(started.out()).toContain("All of it has ended.");
    await nothingIsLeft(started, pids);
  });

  test("given a kept folder, then what was written is there the next time", async () => {
    const first = await up("--bench", "three-boards", "--data", "kept");
    adrift("put", "x", "1");
    first.child.kill("SIGINT");
    expect(await first.ended).toBe(0);
    const second = await up("--bench", "three-boards", "--data", "kept");
    expect(adrift("get", "x").trim()).toBe("1");
    second.child.kill("SIGINT");
    await second.ended;
    expect(readdirSync(join(folder, "kept")).sort()).toEqual(["bench.json", "lock", "logs", "pi-1", "pi-2", "pi-3"]);
  });

  test("given that a board's folder is lost, and that the bench grows, then those boards join anew", async () => {
    const describe = (boards: number) => writeFileSync(join(folder, "bench.yaml"), `name: table\nboards: ${boards}\n`);
    describe(3);
    const first = await up("--data", "kept");
    adrift("put", "x", "1");
    first.child.kill("SIGINT");
    expect(await first.ended).toBe(0);
    rmSync(join(folder, "kept", "pi-2"), { recursive: true });
    describe(4);
    const second = await up("--data", "kept");
    await vi.waitUntil(() => second.out().includes(" leads, in term "), patience);
    expect(second.out()).toContain("pi-2 has an empty card");
    expect(second.out()).toContain("pi-4 was not there when the cluster was founded");
    expect(adrift("get", "x").trim()).toBe("1");
    // Both take part, and neither does under the name of its board alone.
    await vi.waitUntil(
      () => /"voters": \[[^\]]*"pi-2\.\w+"[^\]]*"pi-4\.\w+"/.test(adrift("status", "--json")),
      patience,
    );
    second.child.kill("SIGINT");
    expect(await second.ended).toBe(0);
    describe(3);
    const third = spawnSync(process.execPath, [command, "up", "--data", "kept"], { cwd: folder, encoding: "utf8" });
    expect(third).toMatchObject({ status: 64, stdout: "" });
    expect(third.stderr).toContain("holds what pi-4 stored");
  });

  test("given that its file cannot be written, then it says so and ends, and nothing is left", () => {
    writeFileSync(join(folder, ".adrift"), "a file");
    const ended = spawnSync(process.execPath, [command, "up"], { cwd: folder, encoding: "utf8", timeout: 30_000 });
    expect(ended).toMatchObject({ status: 64, stdout: "" });
    expect(ended.stderr).toMatch(/^Commands find the bench by .*up\.json, which cannot be written/);
  });

  test("tells who leads and what is cut, and runs once in a folder", async () => {
    const started = await up("--bench", "two-switches");
    await vi.waitUntil(() => started.out().includes(" leads, in term "), patience);
    expect(adrift("partition", "pi-1,pi-2 | pi-3,pi-4,pi-5", "--for", "30s")).toBe(
      "Cut for 30s: trunk.\nWho hears whom now: pi-1, pi-2 | pi-3, pi-4, pi-5\n",
    );
    expect(JSON.parse(adrift("heal", "--json"))).toMatchObject({ cables: ["trunk"], cuts: [] });
    adrift("cut", "pi-3", "--from", "pi-3", "--for", "200ms");
    await vi.waitUntil(() => started.out().includes("its time is over"), patience);
    expect(started.out()).toContain("the cable trunk is cut, for 30s");
    expect(started.out()).toContain("the cable pi-3 loses what comes from pi-3, for 200ms");
    const second = spawnSync(process.execPath, [command, "up"], { cwd: folder, encoding: "utf8" });
    expect(second).toMatchObject({ status: 64, stdout: "" });
    expect(second.stderr).toContain("two-switches runs in");
  });

  test.skipIf(!hasMosquitto)(
    "given a stock MQTT client, then it sees what the boards say (mosquitto_sub)",
    async () => {
      const { file } = await up();
      const { hostname, port } = new URL(file.brokers[0]?.url ?? "");
      const topic = "adrift/five-boards/board/+/status";
      const args = ["-h", hostname, "-p", port, "-t", topic, "-v", "-C", "5", "-W", "30"];
      const lines = execFileSync("mosquitto_sub", args, { encoding: "utf8" }).trim().split("\n");
      for (const line of lines) expect(line).toMatch(/^adrift\/five-boards\/board\/pi-\d\/status \{/);
    },
  );
});
