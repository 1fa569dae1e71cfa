/** Boards with an ATmega328P in real time, each at a serial port: emulated by simavr in a process, or by avr8js in this one. */

import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { AvrChip, type PinLevel, type PinName } from "./avr-chip.fixture.ts";
import type { Trouble } from "./cutter.suite.ts";
import { CutterFailure } from "./cutter.ts";
import type { ConnectSerial, SerialConnection } from "./serial-connection.ts";

/** What a test can do with a board, past its driver. */
export type TestBoard = {
  readonly path: string;
  readonly connect: ConnectSerial | undefined;
  pin(name: PinName): PinLevel;
  hold(name: PinName, isHeld: boolean): void;
  readonly troubles: {
    readonly unplugged: Trouble;
    readonly silent: Trouble;
    readonly slow: Trouble;
    readonly wrong: Trouble;
  };
  dispose(): Promise<void>;
};

const slowMs = 250;

/** What is missing here for boards by simavr; `null` if nothing is. */
export function missingForSimavr(): string | null {
  if (!existsSync("/usr/include/simavr/sim_avr.h")) return "libsimavr-dev";
  return existsSync("/usr/bin/gcc") ? null : "gcc";
}

/** A process of simavr whose serial port is a pseudo-terminal. Unplugged it is killed; plugged in again it is another. */
export class SimavrBoard implements TestBoard {
  readonly path: string;
  readonly connect = undefined;
  /** Lines that the process has written since it was plugged in. */
  readonly told: string[] = [];
  readonly #folder: string;
  readonly #hexFile: string;
  #process: ChildProcessWithoutNullStreams | null = null;

  private constructor(folder: string, hex: string) {
    this.#folder = folder;
    this.path = join(folder, "serial");
    this.#hexFile = join(folder, "firmware.hex");
    writeFileSync(this.#hexFile, hex);
  }

  static async plugIn(hex: string): Promise<SimavrBoard> {
    const folder = mkdtempSync(join(tmpdir(), "adrift-simavr-"));
    const source = fileURLToPath(new URL("../../hardware/firmware/test/simavr-board.c", import.meta.url));
    const program = join(folder, "simavr-board");
    const options = ["-O2", "-Wall", "-Wextra", "-Werror", "-I/usr/include/simavr"];
    execFileSync("gcc", [...options, source, "-o", program, "-lsimavr", "-lutil"]);
    const board = new SimavrBoard(folder, hex);
    await board.#start();
    return board;
  }

  readonly troubles = {
    unplugged: { begin: () => this.#kill(), end: () => this.#start() },
    silent: { begin: () => this.#signal("SIGSTOP"), end: () => this.#signal("SIGCONT") },
    slow: { begin: () => this.order(`slow ${slowMs}`), end: () => this.order("slow 0") },
    wrong: { begin: () => this.order("wrong 1"), end: () => this.order("wrong 0") },
  };

  order(text: string): void {
    this.#process?.stdin.write(`${text}\n`);
  }

  /** Without power no pin has a level. */
  pin(name: PinName): PinLevel {
    const fields = this.told.findLast((line) => line.startsWith("pins "))?.split(" ");
    if (fields === undefined) return "floating";
    const place = 2 + 2 * ["B", "C", "D"].indexOf(name.charAt(0));
    const bit = 1 << Number(name[1]);
    const [direction = 0, level = 0] = fields.slice(place).map((field) => Number.parseInt(field, 16));
    if ((direction & bit) === 0) return "floating";
    return (level & bit) === 0 ? "low" : "high";
  }

  hold(name: PinName, isHeld: boolean): void {
    this.order(`${isHeld ? "hold" : "release"} ${name}`);
  }

  async dispose(): Promise<void> {
    await this.#kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    this.told.length = 0;
    const board = spawn(join(this.#folder, "simavr-board"), [this.#hexFile, this.path]);
    this.#process = board;
    board.stdin.on("error", () => {});
    const lines = createInterface(board.stdout);
    lines.on("line", (line) => this.told.push(line));
    await once(lines, "line");
  }

  async #kill(): Promise<void> {
    const board = this.#process;
    if (board === null) return;
    this.#process = null;
    const ended = once(board, "close");
    board.kill("SIGKILL");
    await ended;
    this.told.length = 0;
    rmSync(this.path, { force: true });
  }

  #signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }
}

/** A chip of avr8js that runs as fast as the clock on the wall, or as this machine can. */
export class InProcessBoard implements TestBoard {
  readonly path = "avr8js";
  readonly #hex: string;
  #chip: AvrChip | null;
  #isPaused = false;
  #delayMs = 0;
  #isWrong = false;
  #connection: InProcessConnection | null = null;
  readonly #timer: NodeJS.Timeout;
  #ranAtMs = performance.now();

  constructor(hex: string) {
    this.#hex = hex;
    this.#chip = new AvrChip(hex);
    this.#timer = setInterval(() => this.#run(), 1);
  }

  readonly connect: ConnectSerial = async (path) => {
    const chip = this.#chip;
    if (chip === null) throw new CutterFailure(`There is no serial port ${path}: plug the device in.`);
    chip.reset("external");
    this.#connection = new InProcessConnection((bytes) => chip.receive(bytes));
    chip.onByte = (byte) => this.#pass(byte);
    return await Promise.resolve(this.#connection);
  };

  readonly troubles = {
    unplugged: { begin: () => this.#unplug(), end: () => this.#plugIn() },
    silent: { begin: () => this.#pause(true), end: () => this.#pause(false) },
    slow: { begin: () => this.#delay(slowMs), end: () => this.#delay(0) },
    wrong: { begin: () => this.#damage(true), end: () => this.#damage(false) },
  };

  pin(name: PinName): PinLevel {
    return this.#chip?.pin(name) ?? "floating";
  }

  hold(name: PinName, isHeld: boolean): void {
    this.#chip?.hold(name, isHeld);
  }

  async dispose(): Promise<void> {
    clearInterval(this.#timer);
    await this.#connection?.close();
  }

  #run(): void {
    const now = performance.now();
    const behindMsMax = 10;
    if (!this.#isPaused) this.#chip?.runFor(Math.min(now - this.#ranAtMs, behindMsMax));
    this.#ranAtMs = now;
  }

  #pass(byte: number): void {
    const connection = this.#connection;
    const passed = this.#isWrong && byte < 0x80 ? byte ^ 1 : byte;
    if (this.#delayMs === 0) connection?.receive(passed);
    else setTimeout(() => connection?.receive(passed), this.#delayMs);
  }

  #unplug(): void {
    this.#chip = null;
    this.#connection?.end();
  }

  #plugIn(): void {
    this.#chip = new AvrChip(this.#hex);
  }

  #pause(isPaused: boolean): void {
    this.#isPaused = isPaused;
  }

  #delay(ms: number): void {
    this.#delayMs = ms;
  }

  #damage(isWrong: boolean): void {
    this.#isWrong = isWrong;
  }
}

class InProcessConnection implements SerialConnection {
  isOpen = true;
  readonly ended: Promise<void>;
  readonly #send: (bytes: Uint8Array) => void;
  #listeners: ((bytes: Uint8Array) => void)[] = [];
  #onEnd: () => void = () => {};

  constructor(send: (bytes: Uint8Array) => void) {
    this.#send = send;
    this.ended = new Promise((resolve) => {
      this.#onEnd = resolve;
    });
  }

  onBytes(listener: (bytes: Uint8Array) => void): void {
    this.#listeners.push(listener);
  }

  receive(byte: number): void {
    if (!this.isOpen) return;
    for (const listener of this.#listeners) listener(Uint8Array.of(byte));
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (!this.isOpen) throw new CutterFailure("Nothing can be sent through avr8js: it is closed.");
    this.#send(bytes);
    await Promise.resolve();
  }

  end(): void {
    this.isOpen = false;
    this.#listeners = [];
    this.#onEnd();
  }

  async close(): Promise<void> {
    this.end();
    await Promise.resolve();
  }
}
