/** Runs of the command on benches of namespaces, watched from outside. */

import { execFileSync, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { vi } from "vitest";
import { namespaceFolder, parseNamespace } from "./names.ts";

const command = fileURLToPath(new URL("../../../bin/adrift.mjs", import.meta.url));

/** What `adrift run --json` prints, as far as tests look at it. */
export type Document = {
  readonly verdict: string;
  readonly interrupted: boolean;
  readonly expectations: readonly { readonly expects: string; readonly outcome: string }[];
  readonly findings: readonly unknown[];
  readonly history: { readonly ok: number };
  readonly cuts: readonly {
    readonly fault: string;
    readonly cables: readonly string[];
    readonly commandedUs: number;
    readonly seenUs: number | null;
    readonly ledAgainUs: number | null;
  }[];
  readonly run: string;
};

/** A line of a run's `events.jsonl`, as far as tests look at it. */
export type Event = {
  readonly kind: string;
  readonly atUs: number;
  readonly board?: string;
  readonly action?: { readonly kind: string };
  readonly happening?: { readonly kind: string; readonly interface?: string; readonly up?: boolean };
};

/** A command that goes on. */
export class WatchedRun {
  readonly ended: Promise<{ readonly status: number | null; readonly out: string; readonly err: string }>;
  readonly #folder: string;
  readonly #child: ReturnType<typeof spawn>;

  /** @param folder where `runs/` is kept, and relative paths begin */
  constructor(folder: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
    const env = { ...process.env, ...environment };
    const child = spawn(process.execPath, [command, "run", ...args], { cwd: folder, env });
    this.#folder = folder;
    this.#child = child;
    let out = "";
    let err = "";
    child.stdout.on("data", (text) => {
      out += text;
    });
    child.stderr.on("data", (text) => {
      err += text;
    });
    this.ended = new Promise((resolve) => child.on("close", (status) => resolve({ status, out, err })));
  }

  /** The process that was started; the one in the namespace is its child. */
  get pid(): number {
    return this.#child.pid ?? Number.NaN;
  }

  /** The document that it printed at its end. */
  async document(): Promise<Document> {
    const { status, out, err } = await this.ended;
    if (out === "") throw new Error(`It ended with ${status}: ${err}`);
    return JSON.parse(out);
  }

  interrupt(): void {
    this.#child.kill("SIGINT");
  }

  /** Ends it, however far it is. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** Its namespaces, by what stands in them. */
  get namespaces(): ReadonlyMap<string, string> {
    const names = existsSync(namespaceFolder) ? readdirSync(namespaceFolder) : [];
    return new Map(
      names.flatMap((name) => {
        const parsed = parseNamespace(name);
        return parsed?.run.pid === this.pid ? [[parsed.node, name]] : [];
      }),
    );
  }

  namespaceOf(node: string): string {
    return this.namespaces.get(node) ?? `no namespace of ${node}`;
  }

  /** The interfaces of a switch that are not up, ports of the bench or others. */
  portsDown(node: string): readonly string[] {
    const lines = output(["ip", "-n", this.namespaceOf(node), "-o", "link"]).split("\n");
    return lines.flatMap((line) => {
      const { name, flags } = /^\d+: (?<name>[^@:]+)[^<]*<(?<flags>[^>]*)>/.exec(line)?.groups ?? {};
      return name === undefined || flags === undefined || flags.split(",").includes("UP") ? [] : [name];
    });
  }

  /** Waits until a port of a switch is closed that was open, and says which. */
  async portClosed(node: string): Promise<string> {
    const patience = { timeout: 60_000, interval: 20 };
    await vi.waitUntil(() => this.namespaces.has(node) && this.processesOf(node).length > 0, patience);
    await vi.waitUntil(() => this.portsDown(node).length === 0, patience);
    return vi.waitUntil(() => this.portsDown(node)[0] ?? null, patience);
  }

  /** The processes of a namespace. */
  processesOf(node: string): readonly number[] {
    const pids = output(["ip", "netns", "pids", this.namespaceOf(node)])
      .trim()
      .split("\n");
    return pids.filter((pid) => pid !== "").map(Number);
  }

  /** The controller in its namespace: what came of the command is started there, and its wardens and guardians by it. */
  get insider(): number {
    const own = this.processesOf("controller").find((pid) => commandLineOf(pid)[2] === "run");
    if (own === undefined) throw new Error("Nobody runs the experiment.");
    return own;
  }

  /** The folders that go with the run, by their names. */
  folders(): readonly string[] {
    const places = this.processesOf("switch").flatMap(commandLineOf).join(" ");
    return [...new Set([...places.matchAll(/adrift-\w{6}(?=\/)/g)].map(([name]) => name))];
  }

  /** What a board's flight recorder has on its card. */
  flightOf(board: string): string {
    const [name = ""] = this.folders();
    const folder = join(tmpdir(), name, board, "flight");
    return readdirSync(folder)
      .map((file) => readFileSync(join(folder, file), "utf8"))
      .join("");
  }

  events(document: Document): readonly Event[] {
    const text = readFileSync(join(this.#folder, document.run, "events.jsonl"), "utf8");
    return text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
  }

  /** What an agent answers that has to be asked with the secrets of the run. */
  snmpGet(node: string, objectId: string): string {
    const daemon =
      this.processesOf(node)
        .map(commandLineOf)
        .find(([program]) => program === "snmpd") ?? [];
    const configuration = readFileSync(daemon[daemon.indexOf("-c") + 1] ?? "", "utf8");
    const { address = "" } = /udp:(?<address>[\d.]+)/.exec(configuration)?.groups ?? {};
    const [, authentication = "", privacy = ""] = /SHA-256 "(\w+)" AES "(\w+)"/.exec(configuration) ?? [];
    const secrets = [
      "-u",
      "adrift",
      "-l",
      "authPriv",
      "-a",
      "SHA-256",
      "-A",
      authentication,
      "-x",
      "AES",
      "-X",
      privacy,
    ];
    const get = ["snmpget", "-v3", ...secrets, "-m", "", "-Ovq", address, objectId];
    return output(["ip", "netns", "exec", this.namespaceOf("controller"), ...get]).trim();
  }

  /** Waits until nothing of it is there: no namespace, and no process that carries its number in its environment. */
  async isGone(): Promise<void> {
    await this.ended;
    await vi.waitUntil(() => this.namespaces.size === 0 && this.#processesLeft().length === 0, {
      timeout: 15_000,
      interval: 50,
    });
  }

  /** Boards, brokers, wardens and guardians inherit the name of the controller's namespace. */
  #processesLeft(): readonly string[] {
    const mark = `ADRIFT_NETNS=adrift-${this.pid}-`;
    return readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && readProc(pid, "environ").includes(mark));
  }
}

/** Runs a command, and gives what it wrote. */
export function output([program = "", ...args]: readonly string[]): string {
  return execFileSync(program, args, { encoding: "utf8" });
}

function commandLineOf(pid: number): readonly string[] {
  return readProc(String(pid), "cmdline").split("\0");
}

function readProc(pid: string, file: string): string {
  try {
    return readFileSync(join("/proc", pid, file), "utf8");
  } catch {
    // It ended meanwhile.
    return "";
  }
}
