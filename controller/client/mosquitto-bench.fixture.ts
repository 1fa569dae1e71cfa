/** Three real boards, as processes, on Debian's mosquitto: a bench for the suite of the client library. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { provision } from "../../device/board/disk/data-folder.ts";
import { formatBoardConfiguration } from "../../device/board/format-configuration.ts";
import { type ConnectedClient, connect } from "../../device/mqtt/client.ts";
import { freePort } from "../../device/mqtt/free-port.fixture.ts";
import { mosquittoFiles } from "../../device/mqtt/mosquitto.ts";
import { findPrograms } from "../bench/local/programs.ts";
import type { LibraryBench } from "./library.suite.ts";

const cluster = "bench";
const names = ["pi-1", "pi-2", "pi-3"];

/** Starts all of it. */
export async function createMosquittoBench(): Promise<LibraryBench> {
  const folder = mkdtempSync(join(tmpdir(), "adrift-mosquitto-"));
  const port = await freePort();
  const url = `mqtt://127.0.0.1:${port}`;
  const { board: program } = await findPrograms();
  const mosquitto = startMosquitto(folder, port);
  const boards = new Map<string, ChildProcess>();
  for (const name of names) {
    await provision(join(folder, name), { cluster, board: name });
    writeFileSync(configurationFile(name), configurationOf(name));
    start(name);
  }
  const watcher = await connect({ cluster, brokers: [url], deadlineMs: 10_000 });

  function configurationFile(name: string): string {
    return join(folder, `${name}.yaml`);
  }

  function configurationOf(name: string): string {
    return formatBoardConfiguration({
      board: name,
      cluster,
      data: join(folder, name),
      boards: names.map((each) => ({ name: each, inbox: "broker" })),
      founders: names,
      brokers: [{ name: "broker", url }],
      serves: null,
      timing: { heartbeatMs: 50, electionMinMs: 300, electionMaxMs: 600 },
      raft: { leaseReads: false, clockDriftPpmMax: null, snapshotAfterEntries: null, trailingEntries: null },
      rejoinAfterDamage: false,
      keys: null,
      metricsPort: null,
      logLevel: "silent",
      interfaces: [],
      leds: [],
      console: null,
    });
  }

  function start(name: string): void {
    boards.set(name, spawn(process.execPath, [program, "--config", configurationFile(name)], { stdio: "ignore" }));
  }

  return {
    shortDeadlineMs: 2_000,
    connect: (options) => connect({ cluster, brokers: [url], deadlineMs: 20_000, ...options }),
    cutClients: () => void mosquitto.kill("SIGSTOP"),
    heal() {
      mosquitto.kill("SIGCONT");
      for (const [name, { exitCode, signalCode }] of boards) if (exitCode !== null || signalCode !== null) start(name);
    },
    async loseLeader() {
      const leader = boards.get(await leaderOf(watcher));
      if (leader !== undefined) await end(leader);
    },
    async close() {
      await watcher.close();
      await Promise.all([...boards.values(), mosquitto].map(end));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function startMosquitto(folder: string, port: number): ChildProcess {
  const file = join(folder, "mosquitto.conf");
  const settings = { name: "broker", host: "127.0.0.1", port, webSocketPort: null, cluster, boards: names, keys: null };
  writeFileSync(file, mosquittoFiles(settings).configuration);
  return spawn("mosquitto", ["-c", file], { stdio: "ignore" });
}

/** Who leads in the latest term that anybody told of. */
export async function leaderOf(watcher: ConnectedClient): Promise<string> {
  await watcher.read("any");
  const said: { readonly board: string; readonly term: number }[] = [];
  watcher.onStatus(({ from, status }) => {
    if (status?.role === "leader") said.push({ board: from, term: status.term });
  })();
  return said.sort((one, other) => other.term - one.term)[0]?.board ?? "";
}

/** SIGKILL ends also what stands still. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}
