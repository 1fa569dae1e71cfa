/** For tests: a board and what is plugged into it, each in a network namespace of its own, with two links between them. */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Bench, Cable } from "../../hardware/bench.ts";
import { parseBench } from "../../hardware/bench.ts";
import { hostsBy } from "./command-host.ts";
import type { CircuitState } from "./cutter.ts";
import { nobody } from "./person.ts";
import type { CutterSurroundings, HostPlace } from "./surroundings.ts";

/** What is missing on this machine for namespaces with a firewall; `null` if it is all there. */
export const missingForNamespaces: string | null =
  process.getuid?.() !== 0
    ? "it needs root, to make network namespaces"
    : ["/usr/sbin/nft", "/usr/sbin/ip"].every((path) => existsSync(path) || existsSync(path.replace("/usr", "")))
      ? null
      : "it needs nft and ip (apt-get install nftables iproute2)";

/** Two boards: `pi-1` alone is at one end of the cable `uplink`; `trunk` is between the two. */
export const firewallBench: Bench = parseBench(
  `
name: firewalls
boards: [pi-1, pi-2]
cutter: firewall
cables:
  - { name: uplink, ends: ["pi-1:eth0", "switch:1"] }
  - { name: trunk, ends: ["pi-2:eth1", "pi-1:eth1"] }
  - { name: other, ends: [pi-2, "switch:2"] }
`,
  "firewalls.yaml",
);

const program = fileURLToPath(new URL("./firewall-peer.fixture.mjs", import.meta.url));
const arrivesMsMax = 80;

/** See the head of this file. The first namespace is the board `pi-1`, the second all that it is joined with. */
export class Namespaces {
  readonly board = `adrift-a-${randomBytes(3).toString("hex")}`;
  readonly peer = `adrift-b-${randomBytes(3).toString("hex")}`;
  readonly #processes = new Map<string, ChildProcess>();
  readonly #arrived = new Set<string>();
  #ids = 0;

  static async make(): Promise<Namespaces> {
    const made = new Namespaces();
    try {
      await made.#make();
    } catch (error) {
      await made.dispose();
      throw error;
    }
    return made;
  }

  /** The address of the board on a link; 0 is `uplink`, 1 is `trunk`. */
  address(link: number): string {
    return `10.77.${link}.1`;
  }

  get surroundings(): CutterSurroundings {
    return this.surroundingsWith({ kind: "namespace", namespace: this.board });
  }

  /** With the board `pi-1` found in this place. */
  surroundingsWith(place: HostPlace): CutterSurroundings {
    const others: HostPlace = { kind: "namespace", namespace: this.peer };
    return {
      bench: firewallBench,
      folder: "/",
      hostOf: hostsBy((name) => (name === "pi-1" ? place : others)),
      person: nobody,
      circuitSeen: () => null,
      virtual: null,
      openBrokers: null,
    };
  }

  /** Sends a datagram each way, and sees which arrives. */
  async look({ name }: Cable): Promise<CircuitState> {
    const link = name === "uplink" ? 0 : 1;
    this.#ids += 1;
    const [there, back] = [`${this.board}${this.#ids} ${link}`, `${this.peer}${this.#ids} ${link}`];
    this.#processes.get(this.board)?.stdin?.write(`${there}\n`);
    this.#processes.get(this.peer)?.stdin?.write(`${back}\n`);
    const untilMs = performance.now() + arrivesMsMax;
    while (performance.now() < untilMs && !(this.#arrived.has(there) && this.#arrived.has(back))) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const [boardIsLost, peerIsLost] = [!this.#arrived.has(there), !this.#arrived.has(back)];
    if (boardIsLost && peerIsLost) return "both";
    if (!boardIsLost && !peerIsLost) return "whole";
    // The board is the first end of the uplink, and the second of the trunk.
    return boardIsLost === (link === 0) ? "fromFirstEnd" : "fromSecondEnd";
  }

  /** Runs a command in a namespace. */
  in(namespace: string, ...command: readonly string[]): string {
    return execFileSync("ip", ["netns", "exec", namespace, ...command], { encoding: "utf8", stdio: "pipe" });
  }

  /** A program in a namespace that goes away with it. */
  start(name: string, namespace: string, ...command: readonly string[]): ChildProcess {
    const child = spawn("ip", ["netns", "exec", namespace, ...command], { stdio: ["pipe", "pipe", "pipe"] });
    this.#processes.set(name, child);
    return child;
  }

  async stop(name: string): Promise<void> {
    const child = this.#processes.get(name);
    this.#processes.delete(name);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  async dispose(): Promise<void> {
    for (const name of [...this.#processes.keys()]) await this.stop(name);
    for (const namespace of [this.board, this.peer]) {
      if (existsSync(`/run/netns/${namespace}`)) execFileSync("ip", ["netns", "del", namespace]);
    }
  }

  async #make(): Promise<void> {
    for (const namespace of [this.board, this.peer]) execFileSync("ip", ["netns", "add", namespace]);
    for (const link of [0, 1]) {
      const veth = ["link", "add", `eth${link}`, "netns", this.board, "type", "veth"];
      execFileSync("ip", [...veth, "peer", "name", `eth${link}`, "netns", this.peer]);
      for (const [namespace, host] of [
        [this.board, 1],
        [this.peer, 2],
      ] as const) {
        this.in(namespace, "ip", "addr", "add", `10.77.${link}.${host}/24`, "dev", `eth${link}`);
        this.in(namespace, "ip", "link", "set", `eth${link}`, "up");
      }
    }
    const links = [0, 1];
    await this.#startEcho(
      this.board,
      links.map((link) => `10.77.${link}.1 10.77.${link}.2`),
    );
    await this.#startEcho(
      this.peer,
      links.map((link) => `10.77.${link}.2 10.77.${link}.1`),
    );
  }

  async #startEcho(namespace: string, links: readonly string[]): Promise<void> {
    const { stdout } = this.start(namespace, namespace, process.execPath, program, ...links);
    if (stdout === null) throw new Error("It has no output.");
    const lines = createInterface({ input: stdout });
    await once(lines, "line");
    lines.on("line", (line) => this.#arrived.add(line));
  }
}
