/** `adrift up`: boards as processes of this machine, on real brokers, until Ctrl-C. */

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { connect } from "../../../device/mqtt/client.ts";
import { keyFiles, readKeys } from "../../../device/mqtt/read-keys.ts";
import { controllerName } from "../../../device/transport/topics.ts";
import { type Bench, parseBench } from "../../../hardware/bench.ts";
import { carryOutRequest } from "../../bench/local/control.ts";
import { ControlServer } from "../../bench/local/control-server.ts";
import { type LocalBench, startLocalBench } from "../../bench/local/local-bench.ts";
import { painter } from "../../report/paint.ts";
import { findBench } from "../files.ts";
import { type ExitStatus, exitStatus, type Shell, UsageError } from "../shell.ts";
import { clientWithKeys, usualKeyName } from "./client-with-keys.ts";
import { Ticker } from "./ticker.ts";
import { findRunning, removeUpFile, upFilePath, writeUpFile } from "./up-file.ts";

/** The options of `adrift up`, as given. */
export type UpOptions = {
  readonly bench?: string;
  readonly data?: string;
  readonly port: number;
  readonly keys?: string;
};

const usualBench = "five-boards";
const lookEveryMs = 50;

/** Runs a bench until somebody presses Ctrl-C, and tells what happens on it. */
export async function up(shell: Shell, options: UpOptions): Promise<ExitStatus> {
  const interruption = shell.noteInterruption();
  const bench = benchOf(shell.folder, options.bench);
  await refuseSecond(shell.folder);
  const keys = options.keys === undefined ? null : resolve(shell.folder, options.keys);
  const ticker = new Ticker(shell.out, bench);

  if (shell.err.isTerminal) shell.err.write(`Starting ${counts(bench)} …\n`);
  const local = await start(bench, shell.folder, { ...options, keys }, ticker);
  const toClose: { close(): Promise<void> }[] = [];
  try {
    toClose.push(
      await ControlServer.open(join(local.runFolder, "control"), (request) => carryOutRequest(local, request)),
    );
    announce(local, shell.folder, keys);
    greet(shell, local, { ...options, keys });
    const client = await connectAsWatcher(local, keys);
    if (client !== null) toClose.push(client);
    client?.onStatus((status) => ticker.takeStatus(status));
    ticker.begin();
    while (!interruption.isRequested) await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  } finally {
    ticker.end();
    // Whatever becomes of these, the bench has to end.
    await Promise.allSettled(toClose.map((each) => each.close()));
    await local.close();
    removeUpFile(shell.folder);
  }
  shell.out.write(`${shell.out.isTerminal ? "\n" : ""}All of it has ended.${keptText(options)}\n`);
  return exitStatus.done;
}

function keptText({ data }: UpOptions): string {
  return data === undefined ? "" : ` What the boards stored is kept in ${data}.`;
}

/** The bench that is named, or the one of this folder. */
function benchOf(folder: string, given: string | undefined): Bench {
  const usual = existsSync(join(folder, "bench.yaml")) ? "./bench.yaml" : usualBench;
  const { name, text } = findBench(given ?? usual, folder);
  return parseBench(text, name);
}

async function refuseSecond(folder: string): Promise<void> {
  const running = await findRunning(folder);
  if (running === null) return;
  throw new UsageError(
    `${running.bench} runs in ${folder} already (process ${running.pid}). End it with Ctrl-C where it runs, or start this one in another folder.`,
  );
}

type Start = { readonly data?: string; readonly port: number; readonly keys: string | null };

async function start(bench: Bench, base: string, { data, port, keys }: Start, ticker: Ticker): Promise<LocalBench> {
  try {
    return await startLocalBench({
      bench,
      folder: data === undefined ? null : resolve(base, data),
      forwarders: true,
      firstPort: port,
      keys,
      tell: (event) => ticker.takeEvent(event),
    });
  } catch (error) {
    if (error instanceof Error && namesOfFailures.has(error.name)) throw new UsageError(error.message);
    throw error;
  }
}

/** What a person can do something about. By name, since they come from rooms that do not know of commands. */
const namesOfFailures: ReadonlySet<string> = new Set(["BenchFailure", "DataFolderError", "KeysError"]);

function announce(local: LocalBench, folder: string, keys: string | null): void {
  local.removeAtEnd(upFilePath(folder));
  writeUpFile(folder, {
    format: 1,
    pid: process.pid,
    bench: local.bench.name,
    cluster: local.bench.cluster,
    brokers: local.brokers.map(({ name, url }) => ({ name, url })),
    keys,
    control: join(local.runFolder, "control"),
  });
}

type Greeting = { readonly keys: string | null; readonly data?: string };

function greet({ out }: Shell, { bench, brokers }: LocalBench, { keys, data }: Greeting): void {
  const paint = painter(out.isColoured);
  const width = Math.max(...brokers.map(({ name }) => name.length));
  const first = new URL(brokers[0]?.url ?? "mqtt://127.0.0.1:1883");
  const cable =
    bench.cables.find(({ ends }) => ends.some(({ node }) => node === bench.boards[0]?.name)) ?? bench.cables[0];
  const as = keys === null ? "" : asOption(keys, bench);
  const lines = [
    `${paint("bold", bench.name)}: ${counts(bench)}, as processes of this machine`,
    "",
    ...brokers.map(({ name, url }) => `  ${name.padEnd(width)}  ${paint("cyan", url)}`),
    "",
    "In another terminal, in this folder:",
    `  ${`npx adrift put x 1${as}`.padEnd(29)}  write; npx adrift get x${as} reads`,
    `  ${`npx adrift status${as}`.padEnd(29)}  what the boards say`,
    `  ${`npx adrift cut ${cable?.name ?? "CABLE"} --for 30s`.padEnd(29)}  a fault by hand; npx adrift heal ends it`,
    `  mosquitto_sub -h ${first.hostname} -p ${first.port} -t 'adrift/${keys === null ? "" : `${bench.cluster}/`}#' -v${tlsOptions(keys)}`,
    "",
    data === undefined
      ? "Ctrl-C ends it, and what the boards stored goes with it (--data DIR keeps it)."
      : `Ctrl-C ends it. What the boards store stays in ${data}, their logs in ${join(data, "logs")}.`,
    "",
  ];
  out.write(`${lines.join("\n")}\n`);
}

/** What commands need to speak for somebody who has keys; nothing if that is whom they take by themselves. */
function asOption(keys: string, bench: Bench): string {
  const name = clientWithKeys(keys, bench);
  return name === usualKeyName ? "" : ` --as ${name}`;
}

/** What stock clients need to be let in as the controller, who may hear everything. */
function tlsOptions(keys: string | null): string {
  if (keys === null) return "";
  const { authority, certificate, privateKey } = keyFiles(keys, controllerName);
  return ` \\\n    --cafile ${authority} --cert ${certificate} --key ${privateKey}`;
}

/** Somebody who hears what the boards say of themselves; `null` if no broker can be reached, which boards will tell too. */
async function connectAsWatcher({ bench, brokers }: LocalBench, keys: string | null) {
  const identity = keys === null ? {} : { keys: readKeys(keys, controllerName) };
  try {
    return await connect({ cluster: bench.cluster, brokers: brokers.map(({ url }) => url), ...identity });
  } catch {
    return null;
  }
}

/** `5 boards and 1 broker` */
function counts({ boards, brokers }: Bench): string {
  const of = (count: number, thing: string) => `${count} ${thing}${count === 1 ? "" : "s"}`;
  return `${of(boards.length, "board")} and ${of(brokers.length, "broker")}`;
}
