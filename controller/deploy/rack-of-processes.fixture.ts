/**
 * For tests: a rack whose boards are processes of this machine. Each board has folders as its card makes them, an SSH server
 * at a loopback address of its own, and a shell loop in the place of systemd, which runs the board's unit.
 */

import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { provision } from "../../device/board/disk/data-folder.ts";
import { formatBoardConfiguration } from "../../device/board/format-configuration.ts";
import type { RunningBroker } from "../../device/mqtt/broker.ts";
import { startBroker } from "../../device/mqtt/embedded-broker.ts";
import { freePort } from "../../device/mqtt/free-port.fixture.ts";
import { keyFiles, readKeys } from "../../device/mqtt/read-keys.ts";
import { type Bench, parseBench } from "../../hardware/bench.ts";
import { findPrograms } from "../bench/local/programs.ts";
import { type RackAccess, rackAccess } from "../bench/rack/addresses.ts";
import { openHost } from "../cutters/command-host.ts";
import { fillKeyFolder } from "../keys/key-folder.ts";
import { rosterOf } from "../keys/roster.ts";
import { BoardUpdater } from "./board-updater.ts";
import { BoardFolders } from "./update-script.fixture.ts";

/** What a rack needs of this machine. */
export const missingForRack: readonly string[] = [
  ...(process.getuid?.() === 0 ? [] : ["root, for an SSH server"]),
  ...(existsSync("/usr/sbin/sshd") ? [] : ["sshd (openssh-server)"]),
  ...["flock", "setsid"].filter((name) => spawnSync("sh", ["-c", `command -v ${name}`]).status !== 0),
];

const addresses = { "pi-1": "127.0.0.11", "pi-2": "127.0.0.12", "pi-3": "127.0.0.13" } as const;
const startsWithinMs = 10_000;

/** Runs the unit: what precedes each start, the board, and again. */
const supervisor = `
while [ ! -e "$ADRIFT_ROOT/run/stop" ]; do
  sh "$ADRIFT_ROOT/usr/local/lib/adrift/adrift-update.sh" starting
  "$ADRIFT_ROOT/opt/adrift/bin/node" "$ADRIFT_ROOT/opt/adrift/board.mjs" --config "$ADRIFT_ROOT/etc/adrift/board.yaml" &
  echo $! >"$ADRIFT_ROOT/run/board.pid"
  wait $!
  sleep 0.1
done
`;

/** What the update script asks of systemd. */
const systemctl = `#!/bin/sh
case "$*" in
  *adrift-update-trial.service)
    setsid sh "$ADRIFT_ROOT/usr/local/lib/adrift/adrift-update.sh" watch </dev/null >/dev/null 2>&1 &
    ;;
  *adrift.service) kill -TERM "$(cat "$ADRIFT_ROOT/run/board.pid")" 2>/dev/null || true ;;
esac
`;

const sudo = `#!/bin/sh
[ "$1 $2" = "-n /bin/sh" ] || exit 1
script=$ADRIFT_ROOT$3
shift 3
exec dash "$script" "$@"
`;

/** See the head of this file. */
export class RackOfProcesses {
  readonly folder = mkdtempSync(join(tmpdir(), "adrift-deploy-"));
  readonly benchFile = join(this.folder, "bench.yaml");
  /** The program that the cards have brought. */
  program = "";
  readonly #boards = new Map<string, BoardFolders>();
  readonly #children: ChildProcess[] = [];
  readonly #path = process.env["PATH"] ?? "";
  #broker: RunningBroker | null = null;

  static async start(): Promise<RackOfProcesses> {
    const rack = new RackOfProcesses();
    try {
      await rack.#start();
      return rack;
    } catch (error) {
      await rack.stop();
      throw error;
    }
  }

  get bench(): Bench {
    return parseBench(readFileSync(this.benchFile, "utf8"), this.benchFile);
  }

  get access(): RackAccess {
    return rackAccess(this.bench, this.folder);
  }

  get boards(): readonly BoardFolders[] {
    return [...this.#boards.values()];
  }

  updater(board: keyof typeof addresses): BoardUpdater {
    return new BoardUpdater(openHost(board, { kind: "ssh", host: addresses[board], user: null }));
  }

  /** Another program: the board's with something before or after it. Gives its path. */
  bundle(name: string, change: (text: string) => string): string {
    const path = join(this.folder, name);
    writeFileSync(path, change(this.program));
    return path;
  }

  async stop(): Promise<void> {
    process.env["PATH"] = this.#path;
    for (const { root } of this.boards) {
      writeFileSync(join(root, "run/stop"), "");
      // What watches a trial ends with it.
      rmSync(join(root, "opt/adrift/update/trial"), { force: true });
    }
    for (const child of this.#children) await end(child);
    await this.#broker?.close();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #start(): Promise<void> {
    this.program = readFileSync((await findPrograms()).board, "utf8");
    const port = await freePort();
    const boards = Object.entries(addresses).map(([name, address]) => `{ name: ${name}, address: ${address} }`);
    const lines = ["name: rack", `boards: [${boards.join(", ")}]`, "timing: lan"];
    const brokers = `brokers: [{ name: broker, address: "127.0.0.1:${port}" }]`;
    writeFileSync(this.benchFile, `${[...lines, brokers].join("\n")}\n`);
    const keys = join(this.folder, "keys");
    const subjects = rosterOf(this.bench, { clients: ["anna", "ben", "eye"], hosts: ["127.0.0.1"] });
    await fillKeyFolder(keys, { authorityName: "a test", subjects, days: 10, now: new Date() });
    const names = this.bench.boards.map(({ name }) => name);
    const door = { name: "broker", host: "127.0.0.1", port, webSocketPort: null };
    this.#broker = await startBroker({
      ...door,
      keys: readKeys(keys, "broker"),
      cluster: this.bench.cluster,
      boards: names,
    });
    for (const name of names) await this.#startBoard(name, names, keys);
    await this.#startSsh();
  }

  async #startBoard(name: string, names: readonly string[], keys: string): Promise<void> {
    const board = new BoardFolders(join(this.folder, name), { keys, board: name, program: this.program });
    this.#boards.set(name, board);
    mkdirSync(join(board.root, "bin"));
    board.writeProgram("run/systemctl", systemctl);
    board.writeProgram("bin/id", "#!/bin/sh\necho 1000\n");
    board.writeProgram("bin/sudo", sudo);
    const { cluster, timing, boards } = this.bench;
    const data = join(board.root, "var/lib/adrift");
    await provision(data, { cluster, board: name });
    const configuration = formatBoardConfiguration({
      board: name,
      cluster,
      data,
      boards: boards.map((each) => ({ name: each.name, inbox: each.inbox })),
      founders: names,
      brokers: this.access.brokers,
      serves: null,
      timing,
      raft: { leaseReads: false, clockDriftPpmMax: null, snapshotAfterEntries: null, trailingEntries: null },
      rejoinAfterDamage: false,
      keys: keyFiles(join(board.root, "etc/adrift/keys"), name),
      metricsPort: null,
      logLevel: "silent",
      interfaces: [],
      leds: [],
      console: null,
    });
    writeFileSync(board.configuration, configuration);
    this.#children.push(spawn("sh", ["-c", supervisor], { env: board.environment, stdio: "ignore" }));
  }

  /** A real server for each board, and a client that finds them all at one port, with a key of its own. */
  async #startSsh(): Promise<void> {
    mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
    for (const name of ["host", "user"]) {
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(this.folder, name)]);
    }
    const port = await freePort();
    for (const { name, address } of this.bench.boards) {
      const { root, environment } = this.#folders(name);
      const { ADRIFT_ROOT, ADRIFT_RUN } = environment;
      const lines = [
        `ListenAddress ${address}:${port}`,
        `HostKey ${this.folder}/host`,
        `AuthorizedKeysFile ${this.folder}/user.pub`,
        "StrictModes no",
        "PermitRootLogin yes",
        "PasswordAuthentication no",
        "UsePAM no",
        "PidFile none",
        `SetEnv HOME=${this.folder} ADRIFT_ROOT=${ADRIFT_ROOT} ADRIFT_RUN=${ADRIFT_RUN} PATH=${root}/bin:${this.#path}`,
      ];
      writeFileSync(join(root, "sshd_config"), `${lines.join("\n")}\n`);
      const server = spawn("/usr/sbin/sshd", ["-D", "-e", "-f", join(root, "sshd_config")], {
        stdio: ["ignore", "ignore", "pipe"],
      });
      this.#children.push(server);
      await saysThatItListens(server);
    }
    const client = join(this.folder, "client");
    mkdirSync(client);
    const trusting = "-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -o LogLevel=ERROR";
    const words = `/usr/bin/ssh -F none -i ${this.folder}/user -o IdentitiesOnly=yes -p ${port} ${trusting}`;
    writeFileSync(join(client, "ssh"), `#!/bin/sh\nexec ${words} "$@"\n`);
    chmodSync(join(client, "ssh"), 0o755);
    process.env["PATH"] = `${client}:${this.#path}`;
  }

  #folders(name: string): BoardFolders {
    const found = this.#boards.get(name);
    if (found === undefined) throw new Error(`There is no board ${name}.`);
    return found;
  }
}

async function saysThatItListens(server: ChildProcess): Promise<void> {
  const signal = AbortSignal.timeout(startsWithinMs);
  let said = "";
  while (!said.includes("listening on")) {
    if (server.stderr === null) return;
    const [text] = await once(server.stderr, "data", { signal });
    said += String(text);
  }
}

/** Ends a process with all that it has started. */
async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  const children = spawnSync("ps", ["-o", "pid=", "--ppid", String(child.pid)], { encoding: "utf8" }).stdout;
  child.kill("SIGKILL");
  await gone;
  for (const pid of children.split("\n").map(Number)) if (pid > 1) kill(pid);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
