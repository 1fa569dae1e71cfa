/** A board's own script that changes its program, by SSH: `hardware/image/adrift-update.sh`. */

import { asRoot } from "../cutters/as-root.ts";
import type { CommandHost } from "../cutters/surroundings.ts";
import { DeployFailure } from "./deploy-failure.ts";
import type { Release } from "./release.ts";

/** What runs on a board, and on which terms. */
export type BoardPrograms = {
  /** The SHA-256 of its program. */
  readonly current: string;
  /** The program that is on trial, and how often it has been started; `null`: none is. */
  readonly trial: { readonly sha256: string; readonly token: string; readonly starts: number } | null;
  /** How the last trial ended, in the script's words: `confirmed SHA256`, or `undone SHA256 why`. */
  readonly last: string;
};

const script = "/usr/local/lib/adrift/adrift-update.sh";
const commandMsMax = 15_000;
const putMsMax = 60_000;
const refusedStatus = 3;
const noSuchFile = 127;

/**
 * See the head of this file. Each verb may be repeated: what is so already stays so.
 *
 * All throw a {@link DeployFailure} if the board refuses, and a `CutterFailure` if it cannot be reached.
 */
export class BoardUpdater {
  readonly #host: CommandHost;

  constructor(host: CommandHost) {
    this.#host = host;
  }

  async programs(): Promise<BoardPrograms> {
    const out = await this.#run(["state"]);
    const fields = new Map(
      out.split("\n").map((line) => {
        const [name = "", ...value] = line.split("=");
        return [name, value.join("=")] as const;
      }),
    );
    const current = fields.get("current") ?? "";
    if (!/^[0-9a-f]{64}$/.test(current)) {
      throw new DeployFailure(
        `${this.#host.name}: nobody can tell which program runs there (it says "${out.trim()}").`,
      );
    }
    const onTrial = fields.get("trial-new");
    const trial =
      onTrial === undefined
        ? null
        : { sha256: onTrial, token: fields.get("trial-token") ?? "", starts: Number(fields.get("trial-starts")) };
    return { current, trial, last: fields.get("last") ?? "" };
  }

  /** From now on, and for so long, no other controller changes this board's program. */
  async claim(token: string, seconds: number): Promise<void> {
    await this.#run(["claim", token, String(seconds)]);
  }

  async unclaim(token: string): Promise<void> {
    await this.#run(["unclaim", token]);
  }

  /** Brings a release there; the board checks who has signed it. Nothing else changes. */
  async put(sha256: string, release: Release): Promise<void> {
    await this.#run(["put", sha256], JSON.stringify(release), putMsMax);
  }

  /** Changes to a program that is there. Unless it is confirmed within so many seconds, the board changes back. */
  async begin(sha256: string, token: string, seconds: number): Promise<void> {
    await this.#run(["switch", sha256, token, String(seconds)]);
  }

  async confirm(sha256: string, token: string): Promise<void> {
    await this.#run(["confirm", sha256, token]);
  }

  /** Changes back now. */
  async revert(sha256: string, token: string): Promise<void> {
    await this.#run(["revert", sha256, token]);
  }

  async #run(args: readonly string[], input = "", withinMs = commandMsMax): Promise<string> {
    const command = asRoot(["/bin/sh", script, ...args]);
    const { status, out, err } = await this.#host.run(command, input, withinMs);
    if (status === 0) return out;
    const said = err.trim();
    if (status === refusedStatus || args[0] === "put") throw new DeployFailure(`${this.#host.name}: ${said}.`);
    if (status === noSuchFile || said.includes(script)) {
      throw new DeployFailure(
        `${this.#host.name} cannot be updated in place (${said}): its card is older than that. Write it anew with "adrift flash --join".`,
      );
    }
    if (said.startsWith("sudo:")) {
      throw new DeployFailure(
        `${this.#host.name}: this user may not change the board's program (${said}). Let it use sudo without a password.`,
      );
    }
    throw new DeployFailure(`${this.#host.name}: "adrift-update.sh ${args[0]}" failed with ${status}: ${said}`);
  }
}
