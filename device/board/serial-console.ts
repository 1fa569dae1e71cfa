/** Tells on a serial line how the board takes part: whenever that changes, and every second that it lives. */

import { type ConsoleStatus, encodeConsoleLine } from "../transport/console-codec.ts";
import type { BoardStatus } from "../transport/envelope.ts";
import type { SerialLine } from "./serial-line.ts";

/** What a serial console is made of. */
export type SerialConsoleSettings = {
  readonly line: Pick<SerialLine, "write" | "close">;
  readonly board: string;
  readonly boot: number;
  readonly nowUs: () => number;
  readonly status: () => BoardStatus;
};

const aliveEveryMs = 1_000;
/** Changes are told this often at most: a slow line takes no more. */
const changeEveryMs = 200;

/** See the head of this file. */
export class SerialConsole {
  readonly #settings: SerialConsoleSettings;
  readonly #alive: NodeJS.Timeout;
  #soon: NodeJS.Timeout | null = null;
  #toldMs = Number.NEGATIVE_INFINITY;
  #told = "";
  #seq = 0;

  constructor(settings: SerialConsoleSettings) {
    this.#settings = settings;
    this.#alive = setInterval(() => this.#tell(), aliveEveryMs).unref();
  }

  /** Something may have changed. */
  changed(): void {
    if (this.#soon !== null) return;
    const inMs = Math.max(0, this.#toldMs + changeEveryMs - performance.now());
    this.#soon = setTimeout(() => {
      this.#soon = null;
      if (this.#note() !== this.#told) this.#tell();
    }, inMs).unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#alive);
    if (this.#soon !== null) clearTimeout(this.#soon);
    await this.#settings.line.close();
  }

  #tell(): void {
    const { line, board, boot, nowUs } = this.#settings;
    this.#seq += 1;
    this.#toldMs = performance.now();
    this.#told = this.#note();
    line.write(encodeConsoleLine({ ...this.#state(), board, boot, seq: this.#seq, atUs: nowUs() }));
  }

  #state(): Pick<ConsoleStatus, "role" | "term" | "leader" | "commitIndex" | "carrier"> {
    const { role, term, leader, commitIndex, carrier } = this.#settings.status();
    return { role, term, leader, commitIndex, carrier };
  }

  /** What is told when it changes. */
  #note(): string {
    return JSON.stringify(this.#state());
  }
}
