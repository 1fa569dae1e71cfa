/**
 * A run on a bench of network namespaces has to be in one itself: the command makes the controller's, starts itself again
 * in it, and passes on signals and the exit status. Both processes have a warden; whichever of them dies, nothing is left.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { controllerNode } from "../../../hardware/bench.ts";
import { BenchFailure } from "../bench.ts";
import { Warden } from "../local/warden.ts";
import { Commands } from "./ip.ts";
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
  const post = new SignalPost();
  const run = await thisRun();
  const warden = new Warden();
  warden.removeNamespacesOf(namespacePrefix(run));
  const namespace = namespaceOf(run, controllerNode);
  try {
    await sweepNetnsLeftovers();
    await new Commands(warden).ip([`netns add ${namespace}`]).catch((error: BenchFailure) => {
      throw new BenchFailure(
        `${error.message}\nInside a container root may not make network namespaces unless it was started privileged.`,
      );
    });
    const { status, signal } = await runIn(namespace, post, warden);
    if (signal === null) {
      if (post.isForced) await sayStopped(warden);
      return status ?? 0;
    }
    if (!post.heard.includes(signal)) {
      throw new BenchFailure(`The process of this run, in the namespace ${namespace}, was ended by ${signal}.`);
    }
  } finally {
    await warden.release();
    post.close();
  }
  // Whoever waits for this process shall see how it ended.
  const [signal] = post.heard;
  if (signal !== undefined) process.kill(process.pid, signal);
  return new Promise(() => undefined);
}

/** The process inside ended at once, in the middle of a line: its progress bar may still stand there. */
async function sayStopped(warden: Warden): Promise<void> {
  await warden.release();
  const { stderr } = process;
  if (stderr.isTTY) stderr.write("\r\u001b[2K");
  stderr.write("Stopped. Nothing is left cut: all that this run made is gone, its boards, cables and namespaces.\n");
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

type End = { readonly status: number | null; readonly signal: NodeJS.Signals | null };

function runIn(namespace: string, post: SignalPost, warden: Warden): Promise<End> {
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  // The mounts are those of everybody, so that the names of further namespaces are seen outside. In a session of its own:
  // a terminal's Ctrl-C comes to this process alone, which passes it on, once.
  const child = spawn("nsenter", [`--net=${join(namespaceFolder, namespace)}`, "--", ...again], {
    detached: true,
    stdio: "inherit",
    env: { ...process.env, [variable]: namespace },
  });
  if (child.pid !== undefined) warden.watch(child.pid);
  post.deliverTo(child);
  return new Promise((resolve, reject) => {
    child.once("error", (error) => reject(new BenchFailure(`"nsenter" cannot be started: ${error.message}.`)));
    child.once("exit", (status, signal) => resolve({ status, signal }));
  });
}

/** Passes signals on to a process; what comes before there is one, as soon as it is there. */
class SignalPost {
  readonly #heard: NodeJS.Signals[] = [];
  #child: ChildProcess | null = null;
  readonly #pass = (signal: NodeJS.Signals): void => {
    if (signal !== "SIGWINCH") this.#heard.push(signal);
    this.#child?.kill(signal);
  };

  constructor() {
    for (const signal of passedOn) process.on(signal, this.#pass);
  }

  /** What asked for an end, in order. */
  get heard(): readonly NodeJS.Signals[] {
    return this.#heard;
  }

  /** Whether somebody has pressed Ctrl-C twice, and so did not wait for the run to end by itself. */
  get isForced(): boolean {
    return this.#heard.filter((signal) => signal === "SIGINT").length > 1;
  }

  deliverTo(child: ChildProcess): void {
    this.#child = child;
    for (const signal of this.#heard) child.kill(signal);
  }

  close(): void {
    for (const signal of passedOn) process.off(signal, this.#pass);
  }
}
