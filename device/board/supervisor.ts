/**
 * Tells systemd that the board has started, how it takes part, and, if asked to, again and again that it lives.
 *
 * Only the event loop counts as life. A disk that hangs is a fault that an experiment wants to see, and starting the
 * process again does not mend it: a board whose disk hangs is alive, and cannot vote.
 *
 * Node has no datagram sockets of the file system, so `systemd-notify` says it: a unit needs `NotifyAccess=all`.
 */

import { execFile } from "node:child_process";

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
/** `systemd-notify` waits until systemd has read the message. */
const tellWithinMs = 5_000;

/** See the head of this file. Without systemd it does nothing. */
export class Supervisor {
  readonly #settings: SupervisorSettings;
  readonly #isThere: boolean;
  readonly #hasWatchdog: boolean;
  readonly #timer: NodeJS.Timeout | null = null;
  #isReady = false;
  #isTelling = false;
  #hasFailed = false;
  #told = "";

  constructor(settings: SupervisorSettings) {
    const { environment } = settings;
    const watchdogMs = watchdogMsOf(environment);
    this.#settings = settings;
    this.#isThere = (environment["NOTIFY_SOCKET"] ?? "") !== "";
    this.#hasWatchdog = watchdogMs !== null;
    if (!this.#isThere) return;
    this.#timer = setInterval(() => this.#tellAgain(), Math.min(usualEveryMs, (watchdogMs ?? Infinity) / 3)).unref();
  }

  /** Something may have changed: the first time that the board takes part, it has started. */
  changed(): void {
    if (this.#isReady || !this.#isThere || this.#settings.describe() === null) return;
    this.#isReady = true;
    this.#tell(["READY=1", ...this.#news()]);
  }

  /** The board goes, in good order. */
  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    if (this.#isThere) this.#tell(["STOPPING=1"]);
  }

  #tellAgain(): void {
    // One that hangs is ended before the next is needed.
    if (this.#isTelling) return;
    this.#tell(this.#news());
  }

  #news(): readonly string[] {
    const state = this.#settings.describe() ?? "reads its log";
    const news = [...(this.#hasWatchdog ? ["WATCHDOG=1"] : []), ...(state === this.#told ? [] : [`STATUS=${state}`])];
    this.#told = state;
    return news;
  }

  #tell(words: readonly string[]): void {
    if (words.length === 0) return;
    this.#isTelling = true;
    const env = { ...this.#settings.environment };
    execFile("systemd-notify", words, { env, timeout: tellWithinMs, killSignal: "SIGKILL" }, (error) => {
      this.#isTelling = false;
      if (error === null || this.#hasFailed) return;
      this.#hasFailed = true;
      this.#settings.failed(`systemd cannot be told how the board is: ${error.message.trim()}`);
    });
  }
}

/** How often systemd wants to hear of this process, in milliseconds; `null`: it does not ask. */
function watchdogMsOf(environment: SupervisorSettings["environment"]): number | null {
  const pid = environment["WATCHDOG_PID"] ?? "";
  const everyUs = Number(environment["WATCHDOG_USEC"]);
  if (pid !== "" && pid !== String(process.pid)) return null;
  return Number.isFinite(everyUs) && everyUs > 0 ? everyUs / 1_000 : null;
}
