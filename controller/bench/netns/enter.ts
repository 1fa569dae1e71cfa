/**
 * A run on a bench of network namespaces has to be in one itself: the command makes the controller's, starts itself again
 * in it, and passes on signals and the exit status. Both processes have a warden; whichever of them dies, nothing is left.
 */

import { spawn } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { controllerNode } from "../../../hardware/bench.ts";
import { BenchFailure } from "../bench.ts";
import { Warden } from "../local/warden.ts";
import { ip } from "./ip.ts";
import { sweepNetnsLeftovers, thisRun } from "./leftovers.ts";
import { namespaceFolder, namespaceOf, namespacePrefix, parseNamespace, type RunId } from "./names.ts";
import { refuseUnlessPossible } from "./requirements.ts";

/** Tells the process inside in which namespace it is. */
const variable = "ADRIFT_NETNS";

/** What a terminal or a supervisor tells the command is for the process inside; the last one is about its window. */
const passedOn = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGWINCH"] as const;

/**
 * Runs this very command in a network namespace of its own.
 *
 * @returns the status with which it ended; `null` if this process is that one already, and is to do the work
 * @throws {BenchFailure} if this computer has no such namespaces, or the process inside was killed
 */
export async function runInNamespace(): Promise<number | null> {
  if (findOwnRun() !== null) return null;
  refuseUnlessPossible();
  await sweepNetnsLeftovers();
  const run = await thisRun();
  const warden = new Warden();
  warden.removeNamespacesOf(namespacePrefix(run));
  try {
    const namespace = namespaceOf(run, controllerNode);
    await ip([`netns add ${namespace}`]);
    return await runIn(namespace, warden);
  } finally {
    await warden.release();
  }
}

/** The run in whose namespace this process is. @throws {BenchFailure} if it is in none */
export function ownRun(): RunId {
  const run = findOwnRun();
  if (run !== null) return run;
  throw new BenchFailure("A netns bench is started by the command `adrift run`, which puts itself into a namespace.");
}

function findOwnRun(): RunId | null {
  const name = process.env[variable] ?? "";
  const parsed = parseNamespace(name);
  if (parsed?.node !== controllerNode) return null;
  // The variable alone proves nothing: somebody may have set it.
  const [there, here] = [join(namespaceFolder, name), "/proc/self/ns/net"].map(identityOf);
  return there !== undefined && there === here ? parsed.run : null;
}

function identityOf(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? undefined : `${stat.dev} ${stat.ino}`;
}

async function runIn(namespace: string, warden: Warden): Promise<number> {
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  // The mounts are those of everybody, so that the names of further namespaces are seen outside. In a session of its own:
  // a terminal's Ctrl-C comes to this process alone, which passes it on, once.
  const child = spawn("nsenter", [`--net=${join(namespaceFolder, namespace)}`, "--", ...again], {
    detached: true,
    stdio: "inherit",
    env: { ...process.env, [variable]: namespace },
  });
  if (child.pid !== undefined) warden.watch(child.pid);
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of passedOn) process.on(signal, pass);
  try {
    const { status, signal } = await ended(child);
    if (signal === null) return status ?? 0;
    throw new BenchFailure(`The process of this run, inside the namespace ${namespace}, was ended by ${signal}.`);
  } finally {
    for (const signal of passedOn) process.off(signal, pass);
  }
}

function ended(child: ReturnType<typeof spawn>) {
  return new Promise<{ readonly status: number | null; readonly signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.once("error", (error) => reject(new BenchFailure(`"nsenter" cannot be started: ${error.message}.`)));
    child.once("exit", (status, signal) => resolve({ status, signal }));
  });
}
