import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "vitest";
import { type ConnectedClient, connect } from "../../device/mqtt/client.ts";
import { mosquittoFiles } from "../../device/mqtt/mosquitto.ts";
import { parseBench } from "../../hardware/bench.ts";
import { type LocalBench, startLocalBench } from "../bench/local/local-bench.ts";
import { readyBench } from "../experiment/ready.ts";
import { describeClientLibrary, type LibraryBench } from "./library.suite.ts";
import { standInBench } from "./library-stand-ins.fixture.ts";
import { type StandIns, standInsOn } from "./stand-in.fixture.ts";

for (const name of ["five-boards", "inbox-per-board"]) {
  describeClientLibrary(`the local bench ${name}`, () => createLocalLibraryBench(name));
}

const isInstalled = spawnSync("mosquitto", ["-h"]).error === undefined;
const isSkipped = !isInstalled && process.env["CI"] === undefined;
if (isSkipped) console.log("The client library on Mosquitto is skipped: mosquitto is not installed.");

describe.skipIf(isSkipped)("with Debian's broker", () => {
  describeClientLibrary("Mosquitto", createMosquittoBench);
});

async function createLocalLibraryBench(name: string): Promise<LibraryBench> {
  const bench = parseBench(readyBench(name)?.text ?? "", `${name}.yaml`);
  const boards = bench.boards.map((board) => board.name);
  const local = await startLocalBench({ bench, folder: null, forwarders: true });
  const brokers = local.brokers.map(({ url }) => url);
  const watcher = await connect({ cluster: bench.cluster, brokers, deadlineMs: 10_000 });
  return {
    shortDeadlineMs: 2_000,
    connect: (options) => connect({ cluster: bench.cluster, brokers, deadlineMs: 20_000, ...options }),
    cutClients: () => toAll(local, "pause", boards),
    async heal() {
      await toAll(local, "resume", boards);
      await toAll(local, "start", boards);
    },
    loseLeader: async () => toAll(local, "kill", await leadersOf(watcher)),
    async close() {
      await watcher.close();
      await local.close();
    },
  };
}

async function toAll(
  local: LocalBench,
  kind: "pause" | "resume" | "start" | "kill",
  boards: readonly string[],
): Promise<void> {
  await Promise.all(boards.map((board) => local.carryOut({ kind, board })));
}

/** Who leads in the latest term that anybody told of. */
async function leadersOf(watcher: ConnectedClient): Promise<readonly string[]> {
  await watcher.read("any");
  const said: { readonly board: string; readonly term: number }[] = [];
  watcher.onStatus(({ from, status }) => {
    if (status?.role === "leader") said.push({ board: from, term: status.term });
  })();
  const latest = said.sort((one, other) => other.term - one.term)[0];
  return latest === undefined ? [] : [latest.board];
}

async function createMosquittoBench(): Promise<LibraryBench> {
  const boards = ["pi-1", "pi-2", "pi-3"];
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "adrift-mosquitto-"));
  const file = join(folder, "mosquitto.conf");
  const settings = {
    name: "broker",
    host: "127.0.0.1",
    port,
    webSocketPort: null,
    cluster: "bench",
    boards,
    keys: null,
  };
  writeFileSync(file, mosquittoFiles(settings).configuration);
  const mosquitto = spawn("mosquitto", ["-c", file], { stdio: "ignore" });
  const standIns: StandIns = await standInsOn("bench", boards, [`mqtt://127.0.0.1:${port}`]);
  const bench = standInBench(standIns);
  return {
    ...bench,
    async close() {
      await bench.close();
      mosquitto.kill();
      await once(mosquitto, "exit");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
