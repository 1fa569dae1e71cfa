/** `adrift broker`: one broker of a bench, by itself; or the files with which Mosquitto is that broker. */

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { RunningBroker } from "../../../device/mqtt/broker.ts";
import { startBroker } from "../../../device/mqtt/embedded-broker.ts";
import { mosquittoFiles } from "../../../device/mqtt/mosquitto.ts";
import { readKeys } from "../../../device/mqtt/read-keys.ts";
import { type Bench, type Broker, parseBench } from "../../../hardware/bench.ts";
import { findBench } from "../files.ts";
import { type ExitStatus, exitStatus, type Shell, UsageError } from "../shell.ts";

/** The options of `adrift broker`, as given. */
export type BrokerOptions = {
  readonly bench?: string;
  readonly broker?: string;
  readonly host: string;
  readonly port?: number;
  readonly websocketPort?: number;
  readonly keys?: string;
  readonly mosquitto?: true;
  readonly print?: true;
  readonly write?: string;
};

const usualBench = "five-boards";
const lookEveryMs = 50;

/** Runs the broker until somebody presses Ctrl-C, or writes Mosquitto's files. */
export async function broker(shell: Shell, options: BrokerOptions): Promise<ExitStatus> {
  const usual = existsSync(join(shell.folder, "bench.yaml")) ? "./bench.yaml" : usualBench;
  const { name, text } = findBench(options.bench ?? usual, shell.folder);
  const bench = parseBench(text, name);
  const chosen = chooseBroker(bench, options.broker);
  try {
    if (options.mosquitto === true) writeMosquittoFiles(shell, options, bench, chosen);
    else await runBroker(shell, options, bench, chosen);
    return exitStatus.done;
  } catch (error) {
    if (error instanceof Error && namesOfFailures.has(error.name)) throw new UsageError(error.message);
    throw error;
  }
}

/** What a person can do something about. By name, since they come from rooms that do not know of commands. */
const namesOfFailures: ReadonlySet<string> = new Set(["BrokerError", "KeysError"]);

function chooseBroker({ name, brokers }: Bench, asked: string | undefined): Broker {
  const names = brokers.map((one) => one.name).join(", ");
  const [first, ...others] = brokers;
  if (asked === undefined && first !== undefined && others.length === 0) return first;
  if (asked === undefined)
    throw new UsageError(`The bench ${name} has several brokers: say --broker with one of ${names}.`);
  const found = brokers.find((one) => one.name === asked);
  if (found === undefined) throw new UsageError(`The bench ${name} has no broker ${asked}; it has ${names}.`);
  return found;
}

async function runBroker(shell: Shell, options: BrokerOptions, bench: Bench, chosen: Broker): Promise<void> {
  if (options.print === true || options.write !== undefined) {
    throw new UsageError("--print and --write are about Mosquitto's files: say --mosquitto too.");
  }
  const interruption = shell.noteInterruption();
  const running = await startBroker({
    name: chosen.name,
    host: options.host,
    port: portOf(options),
    webSocketPort: options.websocketPort ?? null,
    keys: options.keys === undefined ? null : readKeys(resolve(shell.folder, options.keys), chosen.node),
    cluster: bench.cluster,
    boards: bench.boards.map((board) => board.name),
    tell: (happening) => shell.err.write(`${happening}\n`),
  });
  try {
    shell.out.write(`${greeting(options, bench, chosen, running)}\n`);
    while (!interruption.isRequested) await new Promise((done) => setTimeout(done, lookEveryMs));
  } finally {
    await running.close();
  }
}

function portOf({ port, keys }: BrokerOptions): number {
  return port ?? (keys === undefined ? 1_883 : 8_883);
}

function greeting({ host, keys }: BrokerOptions, bench: Bench, { name }: Broker, running: RunningBroker): string {
  const secure = keys === undefined ? "" : "s";
  const place = host.includes(":") ? `[${host}]` : host;
  const webSocket =
    running.webSocketPort === null ? "" : `, and for pages at ws${secure}://${place}:${running.webSocketPort}`;
  return (
    `The broker ${name === "broker" ? "" : `${name} `}of ${bench.name} listens at mqtt${secure}://${place}:${running.port}${webSocket}, ` +
    "until Ctrl-C."
  );
}

function writeMosquittoFiles(shell: Shell, options: BrokerOptions, bench: Bench, chosen: Broker): void {
  const folder = options.write === undefined ? usualFolder : resolve(shell.folder, options.write);
  const configurationFile = join(folder, `${chosen.name}.conf`);
  const rulesFile = join(folder, `${chosen.name}.acl`);
  const files = mosquittoFiles({
    name: chosen.name,
    host: options.host,
    port: portOf(options),
    webSocketPort: options.websocketPort ?? null,
    cluster: bench.cluster,
    boards: bench.boards.map((board) => board.name),
    keys:
      options.keys === undefined ? null : { folder: resolve(shell.folder, options.keys), name: chosen.node, rulesFile },
  });
  if (options.write === undefined) {
    shell.out.write(files.configuration);
    if (files.rules !== null) {
      shell.err.write(`Who may do what stands in ${rulesFile}: --write DIR writes that file too.\n`);
    }
    return;
  }
  mkdirSync(folder, { recursive: true });
  writeFileSync(configurationFile, files.configuration);
  if (files.rules !== null) writeFileSync(rulesFile, files.rules, { mode: 0o600 });
  shell.out.write(`Written. Start it with: mosquitto -c ${configurationFile}\n`);
  if (files.rules === null) return;
  shell.out.write(
    `Mosquitto must be able to read its keys and ${rulesFile}: started by root, it is the user mosquitto who must.\n`,
  );
}

/** Where Debian keeps what belongs to Mosquitto. */
const usualFolder = "/etc/mosquitto";
