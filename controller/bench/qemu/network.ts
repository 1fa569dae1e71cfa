/**
 * The network of a QEMU bench: bridges for switches and taps for cables, in a network namespace without a name. It goes
 * with the last process in it, so there is nothing to clean up; and whoever may make user namespaces needs not be root.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect as connectTo, createServer, type Server } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { BenchFailure } from "../bench.ts";
import { listen } from "../local/ports.ts";
import type { Warden } from "../local/warden.ts";
import { run } from "../netns/ip.ts";

const program = fileURLToPath(new URL("./network-entry.mjs", import.meta.url));
const startMsMax = 10_000;
/** Each interface answers for its own addresses alone, so that who is cut off is not answered for by a neighbour. */
const settings = [
  "echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore",
  "echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter",
  "echo 0 >/proc/sys/net/ipv4/conf/default/rp_filter",
];

/** See the head of this file. */
export class QemuNetwork {
  readonly #holder: ChildProcess;
  readonly #socketPath: string;
  readonly #doors: Server[] = [];
  readonly #warden: Warden;

  /** Makes an empty one. @throws {BenchFailure} if this user may not make network namespaces */
  static async open(socketPath: string, warden: Warden): Promise<QemuNetwork> {
    const asUser = process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"];
    const holder = spawn("unshare", [...asUser, "--net", "--", process.execPath, program, socketPath], {
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
    });
    if (holder.pid !== undefined) warden.watch(holder.pid);
    await isReady(holder);
    const network = new QemuNetwork(holder, socketPath, warden);
    await network.ip(["link set lo up"]);
    await run([...network.command, "sh", "-e"], `${settings.join("\n")}\n`);
    return network;
  }

  private constructor(holder: ChildProcess, socketPath: string, warden: Warden) {
    this.#holder = holder;
    this.#socketPath = socketPath;
    this.#warden = warden;
  }

  /** What stands on the command line before a program, so that it runs in this network. */
  get command(): readonly string[] {
    const target = `--target=${this.#holder.pid}`;
    const asUser = process.getuid?.() === 0 ? [] : ["--user", "--preserve-credentials"];
    return ["nsenter", target, ...asUser, "--net", "--"];
  }

  /** Runs lines of `ip` in it. @throws {BenchFailure} with what the kernel has against it */
  async ip(lines: readonly string[]): Promise<void> {
    if (lines.length > 0) await run([...this.command, "ip", "-batch", "-"], `${lines.join("\n")}\n`);
  }

  /** A port on this computer's own loopback that leads to one in the network. */
  async openDoor(host: string, port: number): Promise<number> {
    const door = createServer({ noDelay: true }, (from) => {
      const to = connectTo(this.#socketPath);
      to.write(`${host} ${port}\n`);
      for (const side of [from, to]) side.on("error", () => undefined);
      from.on("close", () => to.destroy());
      to.on("close", () => from.destroy());
      from.pipe(to).pipe(from);
    });
    this.#doors.push(door);
    return await listen(door, 0);
  }

  /** Lets go of it. It is gone when all that runs in it has ended. */
  async close(): Promise<void> {
    for (const door of this.#doors) door.close();
    const gone = once(this.#holder, "exit");
    this.#holder.stdin?.end();
    if (this.#holder.exitCode === null && this.#holder.signalCode === null) await gone;
    if (this.#holder.pid !== undefined) this.#warden.forget(this.#holder.pid);
  }
}

async function isReady(holder: ChildProcess): Promise<void> {
  let said = "";
  holder.stdin?.on("error", () => undefined);
  holder.stderr?.on("data", (text) => {
    said += text;
  });
  const failure = await new Promise<string | null>((resolve) => {
    const timer = setTimeout(() => resolve(`nothing within ${startMsMax} ms`), startMsMax);
    const end = (why: string | null): void => {
      clearTimeout(timer);
      resolve(why);
    };
    holder.once("error", ({ message }) => end(message));
    holder.once("exit", () => end(said.trim() || "it ended"));
    if (holder.stdout !== null) createInterface({ input: holder.stdout }).once("line", () => end(null));
  });
  if (failure === null) return;
  holder.kill("SIGKILL");
  throw new BenchFailure(
    `No network namespace could be made for the virtual machines (${failure}). Run this as root, or allow user namespaces.`,
  );
}
