/** `adrift status`: what the boards of a running cluster say of themselves, once. */

import { setTimeout as pause } from "node:timers/promises";
import { ConnectError } from "../../../device/mqtt/client.ts";
import { painter } from "../../report/paint.ts";
import { type ExitStatus, exitStatus, type Shell } from "../shell.ts";
import type { BoardLine } from "./board-roll.ts";
import { jsonOf, tableOf } from "./board-table.ts";
import { connectTo, findCluster, type RunningCluster } from "./find-cluster.ts";
import { observeBoards } from "./observe-boards.ts";
import type { ClientOptions } from "./options.ts";

/** What brokers have retained comes at once; this is enough for those that come up a little later. */
const listenMs = 300;

/** A board that lives answers in a few milliseconds. */
const patienceMs = 1_000;

/** Prints it. Ends as `done` if a board that says to lead was heard, else as `failed`. */
export async function status(shell: Shell, options: ClientOptions): Promise<ExitStatus> {
  const cluster = findCluster(shell.folder, options);
  try {
    const lines = await look(cluster, options);
    print(lines, cluster, shell, options);
    return lines.some(isLeading) ? exitStatus.done : exitStatus.failed;
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    shell.err.write(`${error.message}\n`);
    return exitStatus.failed;
  }
}

async function look(cluster: RunningCluster, options: ClientOptions): Promise<readonly BoardLine[]> {
  const client = await connectTo(cluster, options);
  const observation = observeBoards(client, cluster);
  try {
    await pause(listenMs);
    await observation.ask(patienceMs);
    return observation.roll.lines(performance.now());
  } finally {
    observation.end();
    await client.close();
  }
}

function print(
  lines: readonly BoardLine[],
  { cluster }: RunningCluster,
  { out, err }: Shell,
  options: ClientOptions,
): void {
  if (options.json === true) {
    out.write(`${JSON.stringify({ cluster, boards: lines.map(jsonOf) }, null, 2)}\n`);
    return;
  }
  if (lines.length === 0) {
    err.write(`The brokers answer, but no board of ${cluster} has ever said anything there.\n`);
    return;
  }
  out.write(`${tableOf(lines, painter(out.isColoured), out.columns).join("\n")}\n`);
  if (!lines.some(isLeading)) err.write("Nobody leads.\n");
}

function isLeading({ presence, status: said }: BoardLine): boolean {
  return presence === "online" && said?.role === "leader";
}
