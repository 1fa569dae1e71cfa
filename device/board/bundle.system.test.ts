import { type ChildProcess, execFileSync, fork, type StdioOptions, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "../mqtt/free-port.fixture.ts";
import type { BrokerOrder } from "./broker-orders.ts";
import { provision } from "./disk/data-folder.ts";

const bytesMax = 1_000_000;

// Outside of this checkout, so that no package of it can be found.
const folder = realpathSync(mkdtempSync(join(tmpdir(), "adrift-bundle-")));
const children: ChildProcess[] = [];
const programs = { board: join(folder, "board.mjs"), broker: join(folder, "broker.mjs") };

beforeAll(() => {
  execFileSync(process.execPath, [fileURLToPath(new URL("../../bundle.mjs", import.meta.url)), folder]);
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("given the bundled programs in a folder of their own", () => {
  test("then each is one file of JavaScript, small enough for a card", () => {
    expect(readdirSync(folder).toSorted()).toEqual(["board.mjs", "broker.mjs"]);
    for (const file of Object.values(programs)) {
      expect(statSync(file).size).toBeLessThanOrEqual(bytesMax);
      expect(readFileSync(file, "utf8")).not.toMatch(/process\.dlopen|\.node["'`]/);
    }
  });

  test("when the board is asked for its version, then it is the package's", () => {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
    expect(runBoard("--version")).toEqual({ status: 0, out: `${version}\n`, err: "" });
  });

  test("when its configuration is nonsense, then it says all that is wrong, and does not start", () => {
    const config = write("nonsense.yaml", "board: Pi 1\nboards: []\nbrokers: 3\n");
    const { status, err } = runBoard("--config", config);
    expect(status).toBe(64);
    expect(err.trimEnd().split("\n")).toEqual([
      expect.stringContaining(`${config}:1:8: \`board\` is "Pi 1", but must be a name`),
      expect.stringContaining(`${config}:2:9: \`boards\` is a list of 0, but must be a list of 1 to 32 boards`),
      expect.stringContaining(`${config}:3:10: \`brokers\` is 3, but must be a list of 1 to 32 brokers`),
    ]);
  });

  test("when there is no configuration, then it says which file it looked for", () => {
    expect(runBoard("--config", "/nowhere/board.yaml")).toMatchObject({
      status: 64,
      err: expect.stringContaining("/nowhere/board.yaml"),
    });
  });
});

describe("given a board with a broker of its own", () => {
  test("when it is started and told to go, then it leads, tells so, and goes in good order within two seconds", async () => {
    const board = await startBoard("alone", "pipe");
    await told(board, /"role":"leader"/);
    const sentMs = performance.now();
    board.kill("SIGTERM");
    expect(await once(board, "exit")).toEqual([0, null]);
    expect(performance.now() - sentMs).toBeLessThan(2_000);
  });

  test("when metrics are asked for, then they say that it leads", async () => {
    const board = await startBoard("measured", "pipe");
    const [[, port]] = await Promise.all([told(board, /"metricsPort":(\d+)/), told(board, /"role":"leader"/)]);
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(text).toContain('\nadrift_role{role="leader"} 1\n');
    expect(text).toMatch(/\nadrift_flush_seconds_count [1-9]/);
  });

  test("when its log has no room, then it goes on without", async () => {
    const full = openSync("/dev/full", "w");
    const board = await startBoard("logless", full);
    closeSync(full);
    expect(await once(board, "message")).toEqual([{ type: "started", brokerPort: expect.any(Number) }, undefined]);
    board.kill("SIGTERM");
    expect(await once(board, "exit")).toEqual([0, null]);
  });
});

describe("given a broker's process", () => {
  test("when its parent says what to be, then it can be reached, and ends with its parent's channel", async () => {
    const broker = startBroker("127.0.0.1");
    const [report] = await once(broker, "message");
    expect(report).toEqual({ type: "started", port: expect.any(Number), webSocketPort: null });
    const socket = connect(report.port, "127.0.0.1");
    await once(socket, "connect");
    socket.on("error", () => {});
    broker.disconnect();
    expect(await once(broker, "exit")).toEqual([0, null]);
  });

  test("when it cannot be what it is told, then it says why, and ends", async () => {
    const broker = startBroker("0.0.0.0");
    const exit = once(broker, "exit");
    const [report] = await once(broker, "message");
    expect(report).toEqual({ type: "failed", message: expect.stringContaining("0.0.0.0") });
    expect(await exit).toEqual([1, null]);
  });

  test("when a person starts it, then it says that it is not for them", () => {
    const { status, stderr } = spawnSync(process.execPath, [programs.broker], { encoding: "utf8" });
    expect(status).toBe(64);
    expect(stderr).toContain("adrift broker");
  });
});

function runBoard(...options: readonly string[]) {
  const environment = { PATH: process.env["PATH"] };
  const ended = spawnSync(process.execPath, [programs.board, ...options], { encoding: "utf8", env: environment });
  return { status: ended.status, out: ended.stdout, err: ended.stderr };
}

/** Starts a cluster of one board, whose log goes to `stdout`. */
async function startBoard(name: string, stdout: "pipe" | number): Promise<ChildProcess> {
  const port = await freePort();
  const config = write(
    `${name}.yaml`,
    `board: pi-1
data: ${name}
boards: [{ name: pi-1, inbox: broker }]
brokers: [{ name: broker, url: "mqtt://127.0.0.1:${port}" }]
serves: { broker: broker, host: 127.0.0.1, port: ${port} }
metricsPort: 0
logLevel: debug
`,
  );
  await provision(join(folder, name), { cluster: "adrift", board: "pi-1" });
  const stdio: StdioOptions = ["ignore", stdout, "inherit", "ipc"];
  const board = spawn(process.execPath, [programs.board, "--config", config, "--orders"], { stdio });
  children.push(board);
  return board;
}

function startBroker(host: string): ChildProcess {
  const broker = fork(programs.broker);
  children.push(broker);
  const settings = { name: "broker", host, port: 0, webSocketPort: null, keys: null, cluster: "lab", boards: ["pi-1"] };
  broker.send({ type: "start", settings } satisfies BrokerOrder);
  return broker;
}

/** Waits until a program has written what is looked for. */
function told(program: ChildProcess, what: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve) => {
    let text = "";
    program.stdout?.setEncoding("utf8").on("data", (part) => {
      text += part;
      const found = what.exec(text);
      if (found !== null) resolve(found);
    });
  });
}

function write(file: string, text: string): string {
  const path = join(folder, file);
  writeFileSync(path, text);
  return path;
}
