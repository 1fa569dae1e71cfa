/**
 * For tests: a cutter that is driven in a process of another network namespace, so that the driver speaks to its switch by the
 * real addresses while the test itself stays where it is. The process runs this same file.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Cable } from "../../hardware/bench.ts";
import { CutterFailure, type CutterIdentity, type OpenCutter } from "./cutter.ts";
import { openSwitchCutter, type SwitchCutterSettings } from "./switch.ts";
import { surroundingsFor } from "./switch-surroundings.fixture.ts";

type Method = Exclude<keyof OpenCutter, "name" | "healsByItself" | "cutsOneWay">;
type Question = { readonly id: number; readonly method: Method | "open"; readonly parameters: unknown[] };
type Answer = { readonly id: number; readonly result?: unknown; readonly failure?: string; readonly tookMs: number };

/** A process in that namespace. Its cutter ends with it. */
export class Helper {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #next = 0;
  /** How long the last call that ended took in the process, in milliseconds. */
  lastTookMs = 0;

  constructor(namespace: string) {
    const command = [process.execPath, "--import", "tsx", fileURLToPath(import.meta.url), "drive"];
    this.#child = spawn("ip", ["netns", "exec", namespace, ...command], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      env: { ...process.env, NODE_OPTIONS: "" },
    });
    this.#child.on("message", (answer: Answer) => {
      this.lastTookMs = answer.tookMs;
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
  }

  /** Opens the cutter there. @throws {CutterFailure} as the driver does */
  async open(cutter: SwitchCutterSettings, folder: string, cables: readonly Cable[]): Promise<OpenCutter> {
    await this.#ask("open", [cutter, folder, cables]);
    return {
      name: cutter.name,
      healsByItself: false,
      cutsOneWay: false,
      cut: async (...parameters) => void (await this.#ask("cut", parameters)),
      heal: async (...parameters) => void (await this.#ask("heal", parameters)),
      read: async (...parameters) => ((await this.#ask("read", parameters)) === "whole" ? "whole" : "both"),
      identify: async () => (await this.#ask("identify", [])) as CutterIdentity,
      close: async () => void (await this.#ask("close", [])),
    };
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }

  async #ask(method: Question["method"], parameters: unknown[]): Promise<unknown> {
    const id = this.#next++;
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    this.#child.send({ id, method, parameters } satisfies Question);
    const { failure, result } = await answered;
    if (failure !== undefined) throw new CutterFailure(failure);
    return result;
  }
}

/** What the process does: whatever it is asked, one cutter at a time. */
function drive(): void {
  let cutter: OpenCutter | null = null;
  const carryOut = async ({ method, parameters }: Question): Promise<unknown> => {
    if (method === "open") {
      await cutter?.close();
      const [settings, folder, cables] = parameters as [SwitchCutterSettings, string, readonly Cable[]];
      cutter = await openSwitchCutter(settings, surroundingsFor(folder, cables));
      return null;
    }
    if (cutter === null) throw new CutterFailure("Nothing has been opened yet.");
    const call = cutter[method] as (...parameters: unknown[]) => Promise<unknown>;
    return call.apply(cutter, parameters);
  };
  process.on("message", (question: Question) => {
    const { id } = question;
    const started = performance.now();
    const answer = (rest: Partial<Answer>): void => {
      process.send?.({ id, tookMs: performance.now() - started, ...rest });
    };
    carryOut(question).then(
      (result) => answer({ result: result ?? null }),
      (error: unknown) => {
        if (!(error instanceof CutterFailure)) throw error;
        answer({ failure: error.message });
      },
    );
  });
  process.on("disconnect", () => process.exit());
}

if (process.argv[2] === "drive") drive();
