/** A child process that is started again when it dies without having been told to, but not for ever. */

import { type ChildProcess, type Serializable, spawn } from "node:child_process";
import type { LogFile } from "./log-file.ts";
import type { Warden } from "./warden.ts";

/** What a process is made of. */
export type ProcessSettings = {
  /** The program and what follows it on the command line. */
  readonly command: readonly string[];
  /** One of ours says over a channel when it runs, and hears us there; another program runs as soon as it is there. */
  readonly hasChannel: boolean;
  readonly log: LogFile;
  readonly warden: Warden;
  /** What it is told at each start, before anything else. */
  greeting(): readonly Serializable[];
  /** Hears all that the process says over its channel. */
  hear(report: unknown): void;
  /** Hears what becomes of it. */
  tell(change: ProcessChange): void;
};

/** What becomes of a process. `reason` and `lines` are for people: how it ended, and what it said last. */
export type ProcessChange =
  | { readonly kind: "started" | "stopped" | "paused" | "resumed" }
  /** It died by itself, and is started again after a while, or, if it does so all the time, no more. */
  | {
      readonly kind: "died";
      readonly reason: string;
      readonly lines: readonly string[];
      readonly isStartedAgain: boolean;
    };

/** How a process is now. `starting` until it says that it runs; `waiting` to be started again; `failed`: given up. */
export type ProcessState = "stopped" | "starting" | "running" | "paused" | "waiting" | "failed";

const restartAfterMs = 1_000;
/** So many deaths within such a time, and it is not started again. */
const deathsMax = 5;
const deathsWithinMs = 30_000;

/** See the head of this file. Doing what is so already changes nothing. */
export class SupervisedProcess {
  readonly #settings: ProcessSettings;
  #child: ChildProcess | null = null;
  #gone: Promise<void> = Promise.resolve();
  #state: ProcessState = "stopped";
  #isWanted = false;
  #restart: NodeJS.Timeout | null = null;
  #deathsMs: number[] = [];
  #whenStarted: { readonly promise: Promise<boolean>; settle(hasStarted: boolean): void } | null = null;

  constructor(settings: ProcessSettings) {
    this.#settings = settings;
  }

  get state(): ProcessState {
    return this.#state;
  }

  /** `null` while there is no process. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** Resolves when the process says that it runs, with `true`; or, with `false`, when it dies before. */
  start(): Promise<boolean> {
    this.#isWanted = true;
    if (this.#restart !== null) clearTimeout(this.#restart);
    this.#restart = null;
    if (this.#child === null) {
      this.#deathsMs = [];
      this.#spawn();
    }
    return this.#whenStarted?.promise ?? Promise.resolve(false);
  }

  /** Ends it at once (`kill -9`), and for good; resolves when it is gone. */
  async kill(): Promise<void> {
    this.#isWanted = false;
    if (this.#restart !== null) clearTimeout(this.#restart);
    this.#restart = null;
    this.#child?.kill("SIGKILL");
    await this.#gone;
    this.#state = "stopped";
  }

  /** Asks it to end, and after so long does not ask any more. A stopped process could not hear it, so it goes on first. */
  async terminate(withinMs: number): Promise<void> {
    this.#isWanted = false;
    this.#child?.kill("SIGCONT");
    this.#child?.kill("SIGTERM");
    const timer = setTimeout(() => this.#child?.kill("SIGKILL"), withinMs);
    await this.#gone;
    clearTimeout(timer);
    await this.kill();
  }

  pause(): void {
    if (this.#child === null || this.#state === "paused") return;
    this.#child.kill("SIGSTOP");
    this.#state = "paused";
    this.#settings.tell({ kind: "paused" });
  }

  resume(): void {
    if (this.#child === null || this.#state !== "paused") return;
    this.#child.kill("SIGCONT");
    this.#state = "running";
    this.#settings.tell({ kind: "resumed" });
  }

  /** Says something to the process, if there is one. */
  send(message: Serializable): void {
    // What a process did not hear because it died is said again at its next start, where it matters.
    if (this.#child?.connected === true) this.#child.send(message, () => undefined);
  }

  #spawn(): void {
    const { command, hasChannel, log, warden } = this.#settings;
    const [program = "", ...args] = command;
    // In a session of its own: Ctrl-C in the terminal is for the controller, which then ends its boards in order.
    const child = spawn(program, args, {
      detached: true,
      stdio: ["ignore", "pipe", "pipe", ...(hasChannel ? (["ipc"] as const) : [])],
    });
    this.#child = child;
    this.#state = "starting";
    this.#whenStarted = createPromise();
    if (child.pid !== undefined) warden.watch(child.pid);
    log.follow(child.stdout, child.stderr);
    let failure: string | null = null;
    child.on("error", (error) => {
      failure = error.message;
    });
    child.on("message", (report) => this.#onReport(report));
    if (!hasChannel) child.once("spawn", () => this.#onStarted());
    this.#gone = new Promise((resolve) => {
      child.once("close", (code, signal) => {
        if (child.pid !== undefined) warden.forget(child.pid);
        this.#onGone(failure ?? endOf(code, signal));
        resolve();
      });
    });
    for (const message of this.#settings.greeting()) this.send(message);
  }

  #onReport(report: unknown): void {
    this.#settings.hear(report);
    const hasStarted = typeof report === "object" && report !== null && "type" in report && report.type === "started";
    if (hasStarted && this.#state !== "stopped") this.#onStarted();
  }

  #onStarted(): void {
    if (this.#state === "starting") this.#state = "running";
    this.#settings.tell({ kind: "started" });
    this.#whenStarted?.settle(true);
  }

  #onGone(reason: string): void {
    this.#child = null;
    this.#whenStarted?.settle(false);
    if (!this.#isWanted) {
      this.#state = "stopped";
      this.#settings.tell({ kind: "stopped" });
      return;
    }
    const nowMs = performance.now();
    this.#deathsMs = [...this.#deathsMs.filter((deathMs) => nowMs - deathMs < deathsWithinMs), nowMs];
    const isStartedAgain = this.#deathsMs.length < deathsMax;
    this.#state = isStartedAgain ? "waiting" : "failed";
    if (isStartedAgain) this.#restart = setTimeout(() => this.#spawn(), restartAfterMs);
    this.#settings.tell({ kind: "died", reason, lines: this.#settings.log.lastErrors, isStartedAgain });
  }
}

function endOf(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `it ended with status ${code}` : `it was ended by ${signal}`;
}

function createPromise() {
  let settle: (hasStarted: boolean) => void = () => undefined;
  const promise = new Promise<boolean>((resolve) => {
    settle = resolve;
  });
  return { promise, settle };
}
