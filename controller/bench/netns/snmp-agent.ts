/**
 * The management of a switch: net-snmp's snmpd in the namespace of its bridge, as a managed switch has it. Who may manage
 * it is drawn anew for each run.
 */

import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SwitchManagement } from "../../../hardware/bench.ts";
import { BenchFailure } from "../bench.ts";
import { LogFile } from "../local/log-file.ts";
import { type ProcessChange, SupervisedProcess } from "../local/supervised-process.ts";
import type { Warden } from "../local/warden.ts";

/** What it is made of. */
export type SnmpAgentSettings = {
  /** The switch. */
  readonly name: string;
  readonly namespace: string;
  readonly address: string;
  /** A folder of its own, which nobody else may read. */
  readonly folder: string;
  readonly warden: Warden;
  readonly tell: (change: ProcessChange) => void;
};

const port = 161;
const userName = "adrift";
const startMsMax = 10_000;
const lookEveryMs = 10;

/** See the head of this file. */
export class SnmpAgent {
  readonly management: SwitchManagement;
  readonly #name: string;
  readonly #process: SupervisedProcess;
  readonly #log: LogFile;

  constructor({ name, namespace, address, folder, warden, tell }: SnmpAgentSettings) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const passwordFile = join(folder, "password");
    const [authentication, privacy] = [randomBytes(16).toString("hex"), randomBytes(16).toString("hex")];
    writeFileSync(passwordFile, `${authentication}\n${privacy}\n`, { mode: 0o600 });
    const configuration = join(folder, "snmpd.conf");
    writeFileSync(configuration, configurationText({ name, address, authentication, privacy }), { mode: 0o600 });
    this.management = { protocol: "snmp-v3", address, user: userName, passwordFile };
    this.#name = name;
    this.#log = new LogFile(join(folder, "snmpd.log"));
    // Keys are kept by the daemon: it says how often it has started, as the protocol demands.
    const environment = ["env", `SNMP_PERSISTENT_DIR=${join(folder, "state")}`, "MIBS="];
    const daemon = ["snmpd", "-f", "-Lo", "-C", "-c", configuration, "-p", join(folder, "snmpd.pid")];
    this.#process = new SupervisedProcess({
      command: ["ip", "netns", "exec", namespace, ...environment, ...daemon],
      hasChannel: false,
      log: this.#log,
      warden,
      greeting: () => [],
      hear: () => undefined,
      tell,
    });
  }

  /** Starts it; resolves when it hears what it is asked. @throws {BenchFailure} if it does not within a while. */
  async start(): Promise<void> {
    await this.#process.start();
    const untilMs = performance.now() + startMsMax;
    while (!this.#listens()) {
      if (performance.now() > untilMs) {
        throw new BenchFailure(
          `The management of ${this.#name} (snmpd) does not start: ${this.#log.lastErrors.join(" ")}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    }
  }

  kill(): Promise<void> {
    return this.#process.kill();
  }

  /** The sockets of its namespace stand under its process. */
  #listens(): boolean {
    const { pid } = this.#process;
    if (pid === null) return false;
    try {
      const sockets = readFileSync(`/proc/${pid}/net/udp`, "latin1");
      return sockets.includes(`:${port.toString(16).toUpperCase().padStart(4, "0")} `);
    } catch {
      return false;
    }
  }
}

type Management = {
  readonly name: string;
  readonly address: string;
  readonly authentication: string;
  readonly privacy: string;
};

/** What it may be asked for is what a managed switch shows; what may be set is the state of a port. */
function configurationText({ name, address, authentication, privacy }: Management): string {
  return [
    `agentAddress udp:${address}:${port}`,
    `sysName ${name}`,
    `sysDescr Adrift's switch ${name}: a Linux bridge`,
    `createUser ${userName} SHA-256 "${authentication}" AES "${privacy}"`,
    `rwuser ${userName} priv .1.3.6.1.2.1`,
    "",
  ].join("\n");
}
