/** The service of a board on a rack, by SSH: killed, started, paused, as an experiment demands. */

import { asRoot } from "../../cutters/as-root.ts";
import type { CommandHost } from "../../cutters/surroundings.ts";
import { BenchFailure } from "../bench.ts";

const unit = "adrift.service";
const commandMsMax = 10_000;

/** See the head of this file. Doing what is so already changes nothing. */
export class BoardService {
  readonly #host: CommandHost;

  constructor(host: CommandHost) {
    this.#host = host;
  }

  /** Kills the process as a crash would, and keeps systemd from starting it again. */
  async kill(): Promise<void> {
    await this.#systemctl("kill", "--signal=KILL", unit);
    await this.#systemctl("stop", unit);
  }

  start(): Promise<void> {
    return this.#systemctl("start", unit);
  }

  pause(): Promise<void> {
    return this.#systemctl("kill", "--signal=STOP", unit);
  }

  resume(): Promise<void> {
    return this.#systemctl("kill", "--signal=CONT", unit);
  }

  async #systemctl(...args: readonly string[]): Promise<void> {
    const command = ["systemctl", ...args];
    const { status, err } = await this.#host.run(asRoot(command), "", commandMsMax);
    if (status === 0) return;
    throw new BenchFailure(`${this.#host.name}: "${command.join(" ")}" failed with ${status}: ${err.trim()}`);
  }
}
