/**
 * Tells systemd that the board has started, how it takes part, and, if asked to, again and again that it lives.
 *
 * Only the event loop counts as life. A disk that hangs is a fault that an experiment wants to see, and starting the
 * process again does not mend it: a board whose disk hangs is alive, and cannot vote.
 *
 * Node has no datagram sockets of the file system, so `systemd-notify` says it: a unit needs `NotifyAccess=all`. A shell
 * starts it, once for each word: to start a program from a process as large as a board would hold up the board each time.
 */

import { type ChildProcess, spawn } from "node:child_process";

/** What telling takes. */
export type SupervisorSettings = {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** How the board takes part, in a line; `null`: it has not started yet. */
  readonly describe: () => string | null;
  /** Told once if systemd cannot be reached. */
  readonly failed: (reason: string) => void;
};

/** How often the state is told if systemd asks for nothing more often. */
const usualEveryMs = 10_000;

/** It ends with its input. What ends the board also reaches the shell, and the board's last word is to get through. */
const shellScript = `trap "" TERM INT; while IFS= read -r word; do systemd-notify "$word" || echo failed; done`;

/** See the head of this file. Without systemd it does nothing. */
export class Supervisor {
  readonly #settings: SupervisorSettings;
  readonly #shell: ChildProcess | null;
  readonly #hasWatchdog: boolean;
  readonly #timer: NodeJS.Timeout | null = null;
  #isReady = false;
  #isClosed = false;
  #hasFailed = false;
  #told = "";

  constructor(settings: SupervisorSettings) {
    const { environment } = settings;
    const watchdogMs = watchdogMsOf(environment);
    this.#settings = settings;
    this.#hasWatchdog = watchdogMs !== null;
    this.#shell = (environment["NOTIFY_SOCKET"] ?? "") === "" ? null : this.#startShell();
    if (this.#shell === null) return;
    const everyMs = Math.min(usualEveryMs, (watchdogMs ?? Number.POSITIVE_INFINITY) / 3);
    this.#timer = setInterval(() => this.#tell(this.#news()), everyMs).unref();
  }

  /** Something may have changed: the first time that the board takes part, it has started. */
  changed(): void {
    if (this.#isReady || this.#shell === null || this.#settings.describe() === null) return;
    this.#isReady = true;
    this.#tell(["READY=1", ...this.#news()]);
  }

  /** The board goes, in good order. */
  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    if (this.#isClosed) return;
    this.#tell(["STOPPING=1"]);
    this.#isClosed = true;
    this.#shell?.stdin?.end();
  }

  #startShell(): ChildProcess {
    const env = { ...this.#settings.environment };
    const shell = spawn("sh", ["-c", shellScript], { env, stdio: ["pipe", "pipe", "ignore"] });
    shell.on("error", () => this.#fail());
    shell.on("exit", () => this.#fail());
    shell.stdin.on("error", () => this.#fail());
    shell.stdout.on("data", () => this.#fail());
    shell.unref();
    // Pipes of a child are sockets, which keep a process alive unless they are told not to.
    for (const pipe of [shell.stdin, shell.stdout])
      if ("unref" in pipe && typeof pipe.unref === "function") pipe.unref();
    return shell;
  }

  #news(): readonly string[] {
    const state = this.#settings.describe() ?? "reads its log";
    const news = [...(this.#hasWatchdog ? ["WATCHDOG=1"] : []), ...(state === this.#told ? [] : [`STATUS=${state}`])];
    this.#told = state;
    return news;
  }

  #tell(words: readonly string[]): void {
    const input = this.#shell?.stdin ?? null;
    // Where what was told before is still not taken, more would only pile up.
    if (input === null || !input.writable || input.writableLength > 0) return;
    for (const word of words) input.write(`${word}\n`);
  }

  #fail(): void {
    if (this.#hasFailed || this.#isClosed) return;
    this.#hasFailed = true;
    this.#settings.failed("systemd cannot be told how the board is: systemd-notify does not work.");
  }
}

/** How often systemd wants to hear of this process, in milliseconds; `null`: it does not ask. */
function watchdogMsOf(environment: SupervisorSettings["environment"]): number | null {
  const pid = environment["WATCHDOG_PID"] ?? "";
  const everyUs = Number(environment["WATCHDOG_USEC"]);
  if (pid !== "" && pid !== String(process.pid)) return null;
  return Number.isFinite(everyUs) && everyUs > 0 ? everyUs / 1_000 : null;
}
