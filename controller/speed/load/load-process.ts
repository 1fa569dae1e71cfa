/** The load process, as seen by who started it. */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { LoopResult, LoopSettings } from "./closed-loop.ts";
import type { LoadTarget } from "./load-client.ts";
import type { LoadAnswer, LoadOrder } from "./orders.ts";

const program = fileURLToPath(new URL("./load-entry.mjs", import.meta.url));

/** See `load-main.ts`. */
export class LoadProcess {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Starts it, and has it connect. */
  static async start(target: LoadTarget, historyFile: string | null): Promise<LoadProcess> {
    const load = new LoadProcess(fork(program, { serialization: "json" }));
    try {
      await load.#done({ type: "connect", target, historyFile });
    } catch (error) {
      await load.kill();
      throw error;
    }
    return load;
  }

  get pid(): number | null {
    return this.#child.pid ?? null;
  }

  /** Runs a closed loop to its end. */
  async run(settings: LoopSettings): Promise<LoopResult> {
    const answer = await this.#ask({ type: "loop", settings });
    if (answer.type !== "loop") throw unexpected(answer);
    return answer.result;
  }

  /** From now on it writes, one operation after the other. */
  async beginWriting(valueBytes: number): Promise<void> {
    await this.#done({ type: "beginWriting", valueBytes });
  }

  /** When writes were acknowledged since they began, by the machine's monotonic clock, in microseconds. */
  async acknowledgements(): Promise<readonly number[]> {
    const answer = await this.#ask({ type: "acknowledgements" });
    if (answer.type !== "acknowledgements") throw unexpected(answer);
    return answer.atUs;
  }

  async endWriting(): Promise<void> {
    await this.#done({ type: "endWriting" });
  }

  /** Ends it; the history's file is whole then. */
  async close(): Promise<void> {
    await this.#done({ type: "close" });
    const gone = once(this.#child, "exit");
    this.#child.disconnect();
    await gone;
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  async #done(order: LoadOrder): Promise<void> {
    const answer = await this.#ask(order);
    if (answer.type !== "done") throw unexpected(answer);
  }

  #ask(order: LoadOrder): Promise<LoadAnswer> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const onMessage = (message: unknown): void => {
        child.off("exit", onExit);
        const answer = message as LoadAnswer;
        if (answer.type === "failed") reject(new Error(`The load process: ${answer.error}`));
        else resolve(answer);
      };
      const onExit = (): void => {
        child.off("message", onMessage);
        reject(new Error("The load process ended before its time."));
      };
      child.once("message", onMessage);
      child.once("exit", onExit);
      if (child.exitCode !== null || !child.connected) onExit();
      else child.send(order);
    });
  }
}

function unexpected(answer: LoadAnswer): Error {
  return new Error(`The load process answered something else than it was asked: ${answer.type}.`);
}
