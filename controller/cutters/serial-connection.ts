/** One opening of a serial port: what comes and goes through it until it is closed or its device is gone. */

import { stat } from "node:fs/promises";
import { isMainThread } from "node:worker_threads";
import { SerialPort } from "serialport";
import { CutterFailure } from "./cutter.ts";
import { within, wordsOf } from "./lease-bounds.ts";

/** An open port. It ends once, whoever ends it. */
export type SerialConnection = {
  readonly isOpen: boolean;
  /** Resolves when it is closed, whether by us or because the device is gone. */
  readonly ended: Promise<void>;
  onBytes(listener: (bytes: Uint8Array) => void): void;
  /** Resolves when all of it has left for the device. @throws {CutterFailure} if the port is gone, or too slow */
  write(bytes: Uint8Array): Promise<void>;
  /** May be called again. */
  close(): Promise<void>;
};

/** Opens a port. @throws {CutterFailure} if it is not there, is used by another program, or may not be opened. */
export type ConnectSerial = (path: string, baudRate: number) => Promise<SerialConnection>;

const openMsMax = 2_000;
const writeMsMax = 1_000;
const closeMsMax = 1_000;

/** Opens a port of this machine for this process alone. */
export async function connectSerial(path: string, baudRate: number): Promise<SerialConnection> {
  // In another thread of Node the library's native part ends the whole process.
  if (!isMainThread) throw new CutterFailure("Serial ports can only be used in the main thread of a process.");
  if (!(await isThere(path))) {
    throw new CutterFailure(
      `There is no serial port ${path}: plug the device in, or write the port that it has (ls /dev/serial/by-id) into the bench.`,
    );
  }
  const port = new SerialPort({ path, baudRate, autoOpen: false, lock: true });
  // Without a listener an error that comes between two calls would end the process. Every call hears of its own.
  port.on("error", () => {});
  try {
    await within(
      call((done) => port.open(done)),
      openMsMax,
      path,
    );
  } catch (error) {
    port.once("open", () => port.close());
    throw new CutterFailure(`The serial port ${path} cannot be opened: ${whyNotOpened(error)}`);
  }
  return new OpenPort(path, port);
}

class OpenPort implements SerialConnection {
  readonly ended: Promise<void>;
  readonly #path: string;
  readonly #port: SerialPort;

  constructor(path: string, port: SerialPort) {
    this.#path = path;
    this.#port = port;
    // A device that is pulled can make its port close twice.
    this.ended = new Promise((resolve) => {
      port.once("close", () => resolve());
    });
  }

  get isOpen(): boolean {
    return this.#port.isOpen;
  }

  onBytes(listener: (bytes: Uint8Array) => void): void {
    this.#port.on("data", listener);
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      await within(this.#write(bytes), writeMsMax, this.#path);
    } catch (error) {
      throw new CutterFailure(`Nothing can be sent through ${this.#path}: ${wordsOf(error)}. Is it still plugged in?`);
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (!this.#port.isOpen) throw new Error("it is closed");
    await call((done) => this.#port.write(bytes, done));
    await call((done) => this.#port.drain(done));
  }

  async close(): Promise<void> {
    if (!this.#port.isOpen) return;
    await within(
      call((done) => this.#port.close(done)),
      closeMsMax,
      this.#path,
    ).catch(() => {});
  }
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

function whyNotOpened(error: unknown): string {
  const message = wordsOf(error);
  if (message.includes("lock")) return "another program holds it. Close that program first.";
  if (message.includes("ermission")) return "you may not use it. Join the group that owns it, mostly dialout.";
  return `${message}. Plug the device out and in again.`;
}

function call(start: (done: (error?: Error | null) => void) => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => (error ? reject(error) : resolve()));
  });
}
