/** Commands that make and change what is in network namespaces: `ip`, of iproute2. */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { BenchFailure } from "../bench.ts";
import type { Warden } from "../local/warden.ts";

/** A healthy kernel needs milliseconds. */
const commandMsMax = 15_000;

/**
 * Runs commands of `ip` and of the shell. The warden ends them with the process that wanted them: what it has cleaned up
 * nobody makes again.
 */
export class Commands {
  readonly #warden: Warden;

  constructor(warden: Warden) {
    this.#warden = warden;
  }

  /** Runs lines of `ip`, one after the other. @throws {BenchFailure} with what `ip` says */
  async ip(lines: readonly string[]): Promise<void> {
    if (lines.length > 0) await run(["ip", "-batch", "-"], textOf(lines), this.#warden);
  }

  /** Runs lines of `ip` in a namespace. @throws {BenchFailure} */
  async ipIn(namespace: string, lines: readonly string[]): Promise<void> {
    if (lines.length > 0) await run(["ip", "-n", namespace, "-batch", "-"], textOf(lines), this.#warden);
  }

  /** Runs lines of shell in a namespace, to the first that fails. @throws {BenchFailure} */
  async shellIn(namespace: string, lines: readonly string[]): Promise<void> {
    await run(["ip", "netns", "exec", namespace, "sh", "-e"], textOf(lines), this.#warden);
  }

  /** As `run` does. */
  run(command: readonly string[]): Promise<string> {
    return run(command, "", this.#warden);
  }
}

/**
 * Runs a command to its end, and gives what it wrote.
 *
 * @param warden ends it with this process; without one it goes on to its end
 * @throws {BenchFailure} if it fails, is not there or does not end
 */
export async function run(command: readonly string[], input = "", warden: Warden | null = null): Promise<string> {
  const [program = "", ...args] = command;
  // In a session of its own: Ctrl-C in the terminal is for the controller, which still has to clean up.
  const child = spawn(program, args, { detached: true, stdio: ["pipe", "pipe", "pipe"] });
  const { pid } = child;
  if (pid !== undefined) warden?.watch(pid);
  try {
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    return await ended(child, command);
  } finally {
    if (pid !== undefined) warden?.forget(pid);
  }
}

async function ended(child: ChildProcessWithoutNullStreams, command: readonly string[]): Promise<string> {
  let out = "";
  let err = "";
  child.stdout.on("data", (text) => {
    out += text;
  });
  child.stderr.on("data", (text) => {
    err += text;
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), commandMsMax);
  try {
    return await new Promise((resolve, reject) => {
      child.once("error", (error) => reject(new BenchFailure(`"${command[0]}" cannot be started: ${error.message}.`)));
      child.once("close", (status) => {
        if (status === 0) resolve(out);
        else reject(new BenchFailure(`"${command.join(" ")}" failed: ${err.trim() || `status ${status}`}`));
      });
    });
  } finally {
    clearTimeout(timer);
  }
}

function textOf(lines: readonly string[]): string {
  return `${lines.join("\n")}\n`;
}
