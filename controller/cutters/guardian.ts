/**
 * A helper process that heals what this one has cut if this one dies, in whatever way, or hangs so long that a lease runs
 * out. It knows of the cuts by the ledger, and of the death by a pipe that ends with it.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { thisProcess } from "../../device/board/disk/process-identity.ts";

const program = fileURLToPath(new URL("./guardian-entry.mjs", import.meta.url));

/** A guardian that somebody killed is replaced, after a moment: one that cannot live shall not keep the machine busy. */
const replaceAfterMs = 500;
const startMsMax = 15_000;

/** See the head of this file. */
export class Guardian {
  readonly #args: readonly string[];
  #child: ChildProcess;
  #isReleased = false;

  private constructor(args: readonly string[]) {
    this.#args = args;
    this.#child = this.#spawn();
  }

  /** Starts it; resolves when it watches. @param ledgerFolder where this process writes down what it cuts */
  static async start(ledgerFolder: string): Promise<Guardian> {
    const guardian = new Guardian([ledgerFolder, JSON.stringify(await thisProcess())]);
    const { stdout } = guardian.#child;
    // What it has not heard when this process dies, it finds in the ledger: whoever does not answer is no reason to wait.
    const isReady =
      stdout === null ? Promise.resolve() : once(stdout, "data", { signal: AbortSignal.timeout(startMsMax) });
    await isReady.catch(() => undefined);
    stdout?.destroy();
    return guardian;
  }

  /** For tests and for people. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Lets it go. If something is still cut, it goes on trying for a while. */
  release(): void {
    this.#isReleased = true;
    this.#child.stdin?.end();
    this.#child.unref();
  }

  #spawn(): ChildProcess {
    // In a session of its own, so that what ends the controller's terminal does not end the guardian.
    const child = spawn(process.execPath, [program, ...this.#args], {
      detached: true,
      stdio: ["pipe", "pipe", "ignore"],
    });
    child.stdin?.on("error", () => undefined);
    child.stdout?.on("error", () => undefined);
    child.once("error", () => this.#replace());
    child.once("exit", () => this.#replace());
    return child;
  }

  #replace(): void {
    if (this.#isReleased) return;
    setTimeout(() => {
      if (!this.#isReleased) this.#child = this.#spawn();
    }, replaceAfterMs).unref();
  }
}
