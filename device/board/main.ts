/**
 * The process of a board: `node board.mjs [--config FILE]`.
 *
 * SIGTERM and SIGINT end it in good order. What nobody foresaw ends it too, at once and with a word about it: whatever
 * supervises it starts it again, and its log is on disk.
 */

import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import type { BoardConfiguration } from "./configuration.ts";
import { provision } from "./disk/data-folder.ts";
import { createLog, type Log } from "./log.ts";
import type { Order, OrderReport } from "./orders.ts";
import { readBoardConfiguration, usualConfigurationPath } from "./read-configuration.ts";
import { Station } from "./station.ts";
import { version } from "./version.ts";

// A board allocates much and keeps little. Left alone, V8 lets garbage pile up to several times what is alive; collected
// early instead, a board under load stays at about half the memory, for a few per cent of its time.
setFlagsFromString("--semi-space-growth-factor=1");
setFlagsFromString("--heap-growing-percent=20");

const exitStatus = { failed: 1, usage: 64, fault: 70 } as const;
/** After so long the process ends, whatever it is still waiting for. */
const leaveMsMax = 1_900;

const usage = `Usage: node board.mjs [--config FILE]

  --config FILE  the board's configuration (${usualConfigurationPath} unless it is given)
  --provision    make the empty data folder ready for a board that founds the cluster, and end
  --orders       obey the parent process: for benches of local processes
  --version      print the version
`;

async function main(): Promise<void> {
  const options = readOptions();
  if (options === null) return;
  const configuration = readConfiguration(options.config);
  if (configuration === null) return;
  if (options.provision) return await makeReady(configuration);
  const log = createLog(configuration.logLevel, configuration.board);
  endAtTheUnforeseen(log);

  const station = await Station.open({
    configuration,
    log,
    takesOrders: options.orders,
    // A board that is another program's child has that for a supervisor.
    ...(process.send === undefined ? { environment: process.env } : {}),
    stopped: (reason) => {
      log.fatal({ reason }, "this board cannot go on");
      process.exit(exitStatus.failed);
    },
  }).catch((error: unknown) => {
    log.fatal({ reason: messageOf(error) }, "this board cannot start");
    process.stderr.write(`${messageOf(error)}\n`);
    process.exit(exitStatus.failed);
  });
  leaveWhenTold(station, log);
  if (process.send !== undefined) followParent(station, options.orders);
  log.info({ version, boot: station.boot, port: station.brokerPort, metricsPort: station.metricsPort }, "started");
}

type Options = { readonly config: string; readonly orders: boolean; readonly provision: boolean };

function readOptions(): Options | null {
  try {
    const { values } = parseArgs({
      options: {
        config: { type: "string", default: usualConfigurationPath },
        provision: { type: "boolean", default: false },
        orders: { type: "boolean", default: false },
        version: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    if (!values.version && !values.help) return values;
    process.stdout.write(values.version ? `${version}\n` : usage);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n\n${usage}`);
    process.exitCode = exitStatus.usage;
  }
  return null;
}

function readConfiguration(path: string): ReturnType<typeof readBoardConfiguration> | null {
  try {
    return readBoardConfiguration(path, process.env);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exitCode = exitStatus.usage;
    return null;
  }
}

/** Without this an empty data folder is that of a board which lost its disk, and asks the others to take it in. */
async function makeReady(configuration: BoardConfiguration): Promise<void> {
  const { board, cluster, data, founders } = configuration;
  if (!founders.includes(board)) {
    process.stderr.write(`${board} is not among the founders, so it has to be taken in: start it as it is.\n`);
    process.exitCode = exitStatus.usage;
    return;
  }
  try {
    await provision(data, { cluster, board });
    process.stdout.write(`${data} is ready: ${board} founds the cluster ${cluster} with the other founders.\n`);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exitCode = exitStatus.failed;
  }
}

function endAtTheUnforeseen(log: Log): void {
  const end = (error: unknown): void => {
    log.fatal({ error: error instanceof Error ? error.stack : String(error) }, "a fault of the software");
    process.exit(exitStatus.fault);
  };
  process.on("uncaughtException", end);
  process.on("unhandledRejection", end);
}

function leaveWhenTold(station: Station, log: Log): void {
  let isLeaving = false;
  const leave = (signal: string): void => {
    if (isLeaving) return;
    isLeaving = true;
    log.info({ signal }, "leaving");
    setTimeout(() => process.exit(exitStatus.failed), leaveMsMax).unref();
    void station.leave().then(() => process.exit(0));
  };
  process.on("SIGTERM", leave);
  process.on("SIGINT", leave);
}

/** A parent hears that the board runs; it ends the board by ending the channel between them, and may give orders. */
function followParent(station: Station, takesOrders: boolean): void {
  const report = (what: OrderReport): void => void process.send?.(what);
  process.on("disconnect", () => process.exit(0));
  if (takesOrders) {
    // The channel carries no text from outside: only the parent, which is this very software, writes to it.
    process.on("message", (order: Order) => {
      void station.obey(order).then(() => report({ type: "done", order: order.type }));
    });
  }
  report({ type: "started", brokerPort: station.brokerPort });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

await main();
