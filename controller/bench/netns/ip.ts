/** Commands that make and change what is in network namespaces: `ip`, of iproute2. */

import { spawn } from "node:child_process";
import { BenchFailure } from "../bench.ts";

/** A healthy kernel needs milliseconds. */
const commandMsMax = 15_000;

/** Runs lines of `ip`, one after the other. @throws {BenchFailure} with what `ip` says */
export async function ip(lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await run(["ip", "-batch", "-"], `${lines.join("\n")}\n`);
}

/** Runs lines of `ip` in a namespace. @throws {BenchFailure} */
export async function ipIn(namespace: string, lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await run(["ip", "-n", namespace, "-batch", "-"], `${lines.join("\n")}\n`);
}

/** Runs lines of shell in a namespace, to the first that fails. @throws {BenchFailure} */
export async function shellIn(namespace: string, lines: readonly string[]): Promise<void> {
  await run(["ip", "netns", "exec", namespace, "sh", "-e"], `${lines.join("\n")}\n`);
}

/** Runs a command to its end, and gives what it wrote. @throws {BenchFailure} if it fails, is not there or does not end */
export async function run(command: readonly string[], input = ""): Promise<string> {
  const [program = "", ...args] = command;
  // In a session of its own: Ctrl-C in the terminal is for the controller, which still has to clean up.
  const child = spawn(program, args, { detached: true, stdio: ["pipe", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stdout.on("data", (text) => {
    out += text;
  });
  child.stderr.on("data", (text) => {
    err += text;
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const timer = setTimeout(() => child.kill("SIGKILL"), commandMsMax);
  try {
    return await new Promise((resolve, reject) => {
      child.once("error", (error) => reject(new BenchFailure(`"${program}" cannot be started: ${error.message}.`)));
      child.once("close", (status) => {
        if (status === 0) resolve(out);
        else reject(new BenchFailure(`"${command.join(" ")}" failed: ${err.trim() || `status ${status}`}`));
      });
    });
  } finally {
    clearTimeout(timer);
  }
}
