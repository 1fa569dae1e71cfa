import { spawnSync } from "node:child_process";
import { describe } from "vitest";
import { connect } from "../../device/mqtt/client.ts";
import { parseBench } from "../../hardware/bench.ts";
import { type LocalBench, startLocalBench } from "../bench/local/local-bench.ts";
import { readyBench } from "../experiment/ready.ts";
import { describeClientLibrary, type LibraryBench } from "./library.suite.ts";
import { createMosquittoBench, leaderOf } from "./mosquitto-bench.fixture.ts";

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
    loseLeader: async () => toAll(local, "kill", [await leaderOf(watcher)]),
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
