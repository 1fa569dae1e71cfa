/**
 * For tests: a managed switch of the kernel. A bridge in a network namespace is the switch, snmpd its management; its ports
 * are virtual cables to a second namespace, and a third one holds the controller, on a cable of its own.
 */

import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Which of the needed programs are missing, in words; `null` if the kernel's switch can be made here. */
export function missingForKernelSwitch(): string | null {
  if (process.getuid?.() !== 0) return "root";
  const missing = ["ip", "snmpd", "snmpset"].filter((program) => spawnSync("which", [program]).status !== 0);
  return missing.length === 0 ? null : missing.join(", ");
}

export const community = "a-secret-community";
export const user = "adrift";
export const authPhrase = "authentication-phrase";
export const privPhrase = "privacy-phrase-too";

const managementAddress = "10.88.0.1";

/** The kernel's switch. `dispose` takes everything away again. */
export class KernelSwitch {
  /** Where its management answers, from the controller's namespace. */
  readonly address = managementAddress;
  readonly folder = mkdtempSync(join(tmpdir(), "adrift-switch-"));
  readonly controllerNamespace: string;
  readonly #switchNamespace: string;
  readonly #boardsNamespace: string;
  readonly #ports: readonly string[];
  #daemon: ChildProcess | null = null;
  #hiccups: NodeJS.Timeout | null = null;

  /** @param ports its labels: at the switch `ifName` is so, and so is the interface at the far end of the cable */
  constructor(ports: readonly string[]) {
    const id = `ad${process.pid.toString(36)}${randomInt(36 ** 3).toString(36)}`;
    this.#switchNamespace = `${id}-switch`;
    this.#boardsNamespace = `${id}-boards`;
    this.controllerNamespace = `${id}-controller`;
    this.#ports = ports;
    try {
      this.#lay();
      this.writeSecret("community", community);
      this.writeSecret("phrases", `${authPhrase}\n${privPhrase}`);
      this.startDaemon();
    } catch (error) {
      this.#takeAway();
      throw error;
    }
  }

  /** Writes a file that only its owner may read. */
  writeSecret(name: string, text: string, mode = 0o600): string {
    const file = join(this.folder, name);
    writeFileSync(file, `${text}\n`, { mode });
    return file;
  }

  /** Whether the far end of a port's cable has carrier. */
  hasCarrier(port: string): boolean {
    return this.#flagsOf(this.#boardsNamespace, port).includes("LOWER_UP");
  }

  /** Opens or closes a port as another administrator would. */
  setPort(port: string, open: boolean): void {
    ip("-n", this.#switchNamespace, "link", "set", port, open ? "up" : "down");
  }

  /** Takes the port out and puts another into its place, with this label: its `ifIndex` is another in any case. */
  replacePort(port: string, label = port): void {
    ip("-n", this.#switchNamespace, "link", "delete", port);
    this.#plug(label);
  }

  /** Tells the management, which must answer already, to look at the interfaces anew for every question. */
  showAtOnce(): void {
    const cacheTimeoutOfIfTable = "1.3.6.1.4.1.8072.1.5.3.1.2.1.3.6.1.2.1.2.2";
    const request = ["snmpset", "-v2c", "-c", community, managementAddress, cacheTimeoutOfIfTable, "i", "0"];
    const persistent = { SNMP_PERSISTENT_DIR: join(this.folder, "tools"), MIBS: "" };
    execFileSync("ip", ["netns", "exec", this.controllerNamespace, ...request], {
      env: { ...process.env, ...persistent },
      stdio: ["ignore", "ignore", "pipe"],
    });
  }

  /** Starts the management; with `readOnly` it lets nobody change anything. */
  startDaemon(readOnly = false): void {
    const right = readOnly ? "ro" : "rw";
    const file = join(this.folder, "snmpd.conf");
    const persistent = join(this.folder, "persistent");
    mkdirSync(persistent, { recursive: true });
    const lines = [
      `agentAddress udp:${managementAddress}:161`,
      "sysName kernel-switch",
      `${right}community ${community}`,
      `createUser ${user} SHA-256 "${authPhrase}" AES "${privPhrase}"`,
      `${right}user ${user} priv`,
      // Without these it goes on showing interfaces that are gone.
      "interface_fadeout 0",
      "interface_replace_old yes",
    ];
    writeFileSync(file, `${lines.join("\n")}\n`, { mode: 0o600 });
    const command = ["snmpd", "-f", "-Lf", join(this.folder, "log"), "-C", "-c", file, "-p", join(this.folder, "pid")];
    const environment = { ...process.env, SNMP_PERSISTENT_DIR: persistent, MIBS: "" };
    const arguments_ = ["netns", "exec", this.#switchNamespace, ...command];
    this.#daemon = spawn("ip", arguments_, { env: environment, stdio: "ignore" });
  }

  async killDaemon(): Promise<void> {
    const daemon = this.#daemon;
    this.#daemon = null;
    if (daemon === null || daemon.exitCode !== null || daemon.signalCode !== null) return;
    const ended = once(daemon, "exit");
    daemon.kill("SIGKILL");
    await ended;
  }

  /** Stops the management without ending it. `ip netns exec` becomes the daemon, so the process is the daemon's own. */
  freeze(): void {
    this.#daemon?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#daemon?.kill("SIGCONT");
  }

  /** Lets the management run for a moment only, again and again, until `endHiccups`. */
  beginHiccups(): void {
    let runs = true;
    this.#hiccups = setInterval(() => {
      runs = !runs;
      if (runs) this.thaw();
      else this.freeze();
    }, 150);
  }

  endHiccups(): void {
    if (this.#hiccups !== null) clearInterval(this.#hiccups);
    this.#hiccups = null;
    this.thaw();
  }

  async dispose(): Promise<void> {
    this.endHiccups();
    await this.killDaemon();
    this.#takeAway();
  }

  #takeAway(): void {
    for (const namespace of [this.#switchNamespace, this.#boardsNamespace, this.controllerNamespace]) {
      spawnSync("ip", ["netns", "delete", namespace]);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  #lay(): void {
    for (const namespace of [this.#switchNamespace, this.#boardsNamespace, this.controllerNamespace]) {
      ip("netns", "add", namespace);
      ip("-n", namespace, "link", "set", "lo", "up");
    }
    ip("-n", this.#switchNamespace, "link", "add", "bridge", "type", "bridge", "stp_state", "0", "forward_delay", "0");
    ip("-n", this.#switchNamespace, "link", "set", "bridge", "up");
    for (const port of this.#ports) this.#plug(port);
    const cable = ["type", "veth", "peer", "name", "eth0", "netns", this.controllerNamespace];
    ip("-n", this.#switchNamespace, "link", "add", "uplink", ...cable);
    ip("-n", this.#switchNamespace, "address", "add", `${managementAddress}/24`, "dev", "uplink");
    ip("-n", this.#switchNamespace, "link", "set", "uplink", "up");
    ip("-n", this.controllerNamespace, "address", "add", "10.88.0.2/24", "dev", "eth0");
    ip("-n", this.controllerNamespace, "link", "set", "eth0", "up");
  }

  #plug(port: string): void {
    const cable = ["type", "veth", "peer", "name", port, "netns", this.#boardsNamespace];
    ip("-n", this.#switchNamespace, "link", "add", port, ...cable);
    ip("-n", this.#switchNamespace, "link", "set", port, "master", "bridge", "up");
    ip("-n", this.#boardsNamespace, "link", "set", port, "up");
  }

  #flagsOf(namespace: string, port: string): string {
    return ip("-n", namespace, "-oneline", "link", "show", "dev", port).split(">")[0] ?? "";
  }
}

function ip(...command: readonly string[]): string {
  return execFileSync("ip", command, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}
