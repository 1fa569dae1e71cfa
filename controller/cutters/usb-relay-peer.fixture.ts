/** A relay board of the LCUS kind behind a pair of pseudo-terminals that socat joins. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CircuitState } from "./cutter.ts";
import { connectSerial, type SerialConnection } from "./serial-connection.ts";

const relays = [1, 2, 3, 4];
const statusQuery = 0xff;
const frameStart = 0xa0;
const startMsMax = 5_000;

export class UsbRelayPeer {
  /** Where the driver finds the board. */
  readonly path: string;
  /** What it was told, as in `a00101a2`. */
  readonly frames: string[] = [];
  isSilent = false;
  isWrong = false;
  delayMs = 0;
  readonly #folder: string;
  readonly #answersStatus: boolean;
  readonly #on = new Set<number>();
  #socat: ChildProcess | null = null;
  #connection: SerialConnection | null = null;
  #received: number[] = [];

  private constructor(answersStatus: boolean) {
    this.#folder = mkdtempSync(join(tmpdir(), "adrift-usb-relay-"));
    this.path = join(this.#folder, "driver");
    this.#answersStatus = answersStatus;
  }

  static async plugIn({ answersStatus }: { readonly answersStatus: boolean }): Promise<UsbRelayPeer> {
    const peer = new UsbRelayPeer(answersStatus);
    await peer.plugIn();
    return peer;
  }

  look(channel: number): CircuitState {
    return this.#on.has(channel) ? "both" : "whole";
  }

  set(channel: number, state: "whole" | "both"): void {
    if (state === "both") this.#on.add(channel);
    else this.#on.delete(channel);
  }

  async plugIn(): Promise<void> {
    const end = join(this.#folder, "board");
    this.#socat = spawn("socat", [`pty,raw,echo=0,link=${end}`, `pty,raw,echo=0,link=${this.path}`]);
    const deadline = performance.now() + startMsMax;
    while (!existsSync(end) || !existsSync(this.path)) {
      if (performance.now() > deadline) throw new Error("socat made no pair of pseudo-terminals.");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    this.#received = [];
    this.#connection = await connectSerial(end, 9_600);
    this.#connection.onBytes((bytes) => {
      this.#received.push(...bytes);
      this.#serve();
    });
  }

  /** Without power the relays rest. */
  async unplug(): Promise<void> {
    const socat = this.#socat;
    this.#on.clear();
    if (socat === null) return;
    this.#socat = null;
    await this.#connection?.close();
    const ended = once(socat, "close");
    socat.kill("SIGKILL");
    await ended;
    for (const name of ["driver", "board"]) rmSync(join(this.#folder, name), { force: true });
  }

  async dispose(): Promise<void> {
    await this.unplug();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #serve(): void {
    for (;;) {
      const [first, channel = 0, state = 0, sum] = this.#received;
      if (first === undefined) return;
      if (first === statusQuery) {
        this.#received.shift();
        this.#answer();
      } else if (first !== frameStart) {
        this.#received.shift();
      } else if (sum === undefined) {
        return;
      } else {
        this.frames.push(Buffer.from(this.#received.splice(0, 4)).toString("hex"));
        const isRight = ((first + channel + state) & 0xff) === sum;
        if (isRight && !this.isSilent) this.set(channel, state === 1 ? "both" : "whole");
      }
    }
  }

  #answer(): void {
    if (!this.#answersStatus || this.isSilent) return;
    const lines = relays.map((relay) => `CH${relay}: ${this.#on.has(relay) !== this.isWrong ? "ON" : "OFF"}\r\n`);
    const connection = this.#connection;
    // Who asks may be gone when the answer is ready.
    setTimeout(() => void connection?.write(Buffer.from(lines.join(""))).catch(() => {}), this.delayMs);
  }
}
