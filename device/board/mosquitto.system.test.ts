import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { freePort } from "../mqtt/free-port.fixture.ts";

const isMissing = spawnSync("mosquitto", ["-h"]).error !== undefined;
if (isMissing && process.env["CI"] !== undefined) throw new Error("mosquitto is missing: apt install mosquitto");
if (isMissing) console.log("Boards with keys on Mosquitto are skipped: mosquitto is not installed.");

const boards = ["pi-1", "pi-2", "pi-3"];
const command = pathOf("../../bin/adrift.mjs");

describe.skipIf(isMissing)("given three boards on Debian's mosquitto, all with keys, as the documents say", () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "adrift-keys-")));
  const running = new Map<string, ChildProcess>();
  let url = "";

  beforeAll(async () => {
    execFileSync(process.execPath, [pathOf("../../bundle.mjs"), folder]);
    const port = await freePort();
    url = `mqtts://127.0.0.1:${port}`;
    adrift("init", "lab", "--bench", "three-boards");
    adrift("init", "elsewhere", "--bench", "three-boards");
    makeMosquittoFiles(port);
    await startMosquitto();
    for (const board of boards) startBoard(board);
  });

  afterAll(async () => {
    await Promise.all([...running.keys()].map((name) => end(name, "SIGKILL")));
    rmSync(folder, { recursive: true, force: true });
  });

  test("when a client writes at the prompt, then it reads what it wrote, in every way", () => {
    expect(ask("put", "x", '{"a":1}')).toEqual({ status: 0, out: "ok\n", err: "" });
    expect(ask("cas", "x", '{"a":1}', "2")).toMatchObject({ status: 0, out: "true\n" });
    for (const mode of [[], ["--lease"]]) expect(ask("get", "x", ...mode)).toMatchObject({ status: 0, out: "2\n" });
  });

  test("when the controller looks, then all boards are there, and one leads", () => {
    const { status, out } = ask("status", "--as", "controller");
    expect(status).toBe(0);
    const [, ...rows] = out.trimEnd().split("\n");
    expect(rows.map((row) => row.split(/ +/)[0])).toEqual(boards);
    expect(rows.filter((row) => row.includes(" leader "))).toHaveLength(1);
    expect(out).not.toMatch(/silent|offline/);
  });

  test("when somebody comes without keys, or with those of another bench, then they are turned away and told why", () => {
    const others = ["get", "x", "--cluster", "three-boards", "--timeout", "1s"];
    const keyless = adrift(...others, "--broker", url.replace("mqtts", "mqtt"));
    expect(keyless).toMatchObject({ status: 1, err: expect.stringMatching(/may be full, or want keys/) });
    const stranger = adrift(...others, "--broker", url, "--keys", "elsewhere/keys");
    expect(stranger).toMatchObject({ status: 1, err: expect.stringMatching(/certificate/) });
  });

  test("when Mosquitto dies and returns, then the cluster goes on with all that it had", async () => {
    await end("mosquitto", "SIGKILL");
    await startMosquitto();
    expect(ask("add", "x", "1", "--timeout", "20s")).toMatchObject({ status: 0, out: "3\n" });
  });

  test("when the boards are told to go, then they go in good order", async () => {
    expect(await Promise.all(boards.map((board) => end(board, "SIGTERM")))).toEqual([0, 0, 0]);
  });

  /** As docs/reference/brokers.md has it: a folder of Mosquitto's own, which root gives to the user that it becomes. */
  function makeMosquittoFiles(port: number): void {
    const own = join(folder, "mosquitto");
    mkdirSync(own);
    for (const file of ["authority.pem", "broker.pem", "broker.key.pem"]) {
      copyFileSync(join(folder, "lab/keys", file), join(own, file));
    }
    const bench = ["--bench", "lab/bench.yaml", "--port", String(port)];
    expect(adrift("broker", "--mosquitto", "--write", "mosquitto", "--keys", "mosquitto", ...bench).status).toBe(0);
    if (process.getuid?.() !== 0) return;
    execFileSync("chown", ["-R", "mosquitto", own]);
    chmodSync(folder, 0o711);
  }

  async function startMosquitto(): Promise<void> {
    const child = spawn("mosquitto", ["-c", join(folder, "mosquitto/broker.conf")], { stdio: "ignore" });
    running.set("mosquitto", child);
    await vi.waitFor(
      async () => {
        const socket = connect(Number(new URL(url).port), "127.0.0.1");
        await once(socket, "connect").finally(() => socket.destroy());
      },
      { timeout: 5_000, interval: 50 },
    );
  }

  function startBoard(name: string): void {
    const list = boards.map((board) => `  - { name: ${board}, inbox: broker }`).join("\n");
    const keys = `authority: lab/keys/authority.pem, certificate: lab/keys/${name}.pem, privateKey: lab/keys/${name}.key.pem`;
    const configuration = join(folder, `${name}.yaml`);
    writeFileSync(
      configuration,
      `board: ${name}
cluster: three-boards
data: data/${name}
boards:
${list}
brokers:
  - { name: broker, url: "${url}" }
keys: { ${keys} }
`,
    );
    mkdirSync(join(folder, "data"), { recursive: true });
    const program = [join(folder, "board.mjs"), "--config", configuration];
    execFileSync(process.execPath, [...program, "--provision"]);
    // A board ends with the channel to its parent, so none stays behind, however this test ends.
    running.set(name, spawn(process.execPath, program, { stdio: ["ignore", "ignore", "ignore", "ipc"] }));
  }

  async function end(name: string, signal: NodeJS.Signals): Promise<number | null> {
    const child = running.get(name);
    running.delete(name);
    if (child === undefined) return null;
    const ended = once(child, "exit");
    child.kill(signal);
    if (child.exitCode === null && child.signalCode === null) await ended;
    return child.exitCode;
  }

  function ask(...args: readonly string[]) {
    return adrift(...args, "--cluster", "three-boards", "--broker", url, "--keys", "lab/keys");
  }

  function adrift(...args: readonly string[]) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], {
      cwd: folder,
      encoding: "utf8",
    });
    return { status, out: stdout, err: stderr };
  }
});

function pathOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
