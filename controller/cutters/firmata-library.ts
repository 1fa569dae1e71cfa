/** What is used of johnny-five and firmata-io, which bring no types: looked at once, here. */

import { EventEmitter } from "node:events";
import { createRequire } from "node:module";
import type { SerialConnection } from "./serial-connection.ts";

/** A microcontroller that speaks Firmata. */
export type FirmataIo = EventEmitter & {
  readonly isReady: boolean;
  readonly firmware: { readonly name?: string; readonly version?: { readonly major: number; readonly minor: number } };
  /** By number. What a pin is, as far as the board has said so. */
  readonly pins: readonly FirmataPin[];
  readonly MODES: { readonly OUTPUT: number };
  pinMode(pin: number, mode: number): void;
  /** Afterwards `mode` and `state` of the pin are as the board has them. */
  queryPinState(pin: number, done: () => void): void;
};

export type FirmataPin = {
  readonly supportedModes: readonly number[];
  readonly mode?: number;
  readonly state?: number;
};

/** johnny-five's board around it. */
export type FirmataBoard = EventEmitter & { readonly timer: NodeJS.Timeout | null };

/** One of its relays. Normally closed: `open` energises it. */
export type FirmataRelay = { open(): void; close(): void };

type Libraries = {
  readonly five: {
    readonly Board: { new (options: object): FirmataBoard; readonly cache: FirmataBoard[] };
    readonly Relay: new (options: object) => FirmataRelay;
  };
  readonly Firmata: new (transport: EventEmitter, options: object) => FirmataIo;
};

/** StandardFirmata says who it is at its start; a board that did not start anew is asked after so long. */
const reportVersionTimeoutMs = 300;

/** A board on an open port; it emits `ready` when it has answered. */
export function createFirmataBoard(connection: SerialConnection): { io: FirmataIo; board: FirmataBoard } {
  const { five, Firmata } = loadLibraries();
  const transport = new Transport(connection);
  const io = new Firmata(transport, { reportVersionTimeout: reportVersionTimeoutMs });
  // Errors of the port end its connection, which is watched; without listeners they would end the process.
  io.on("error", () => {});
  const board = new five.Board({ io, repl: false, debug: false, sigint: false });
  board.on("error", () => {});
  setImmediate(() => transport.emit("open"));
  return { io, board };
}

/** A relay at a pin of the board. */
export function createFirmataRelay(board: FirmataBoard, pin: number): FirmataRelay {
  const { five } = loadLibraries();
  return new five.Relay({ pin, type: "NC", board });
}

/** Lets go of a board: the library keeps each that there ever was, and may still wait for this one. */
export function forgetFirmataBoard(board: FirmataBoard): void {
  if (board.timer !== null) clearTimeout(board.timer);
  const { cache } = loadLibraries().five.Board;
  const place = cache.indexOf(board);
  if (place >= 0) cache.splice(place, 1);
}

/** The port as firmata-io wants it. */
class Transport extends EventEmitter {
  readonly #connection: SerialConnection;

  constructor(connection: SerialConnection) {
    super();
    this.#connection = connection;
    connection.onBytes((bytes) => this.emit("data", bytes));
  }

  write(bytes: Uint8Array, done?: () => void): void {
    // What fails here is not answered, and whoever waits for the answer says so.
    this.#connection.write(bytes).then(done, () => {});
  }
}

let libraries: Libraries | null = null;

function loadLibraries(): Libraries {
  if (libraries !== null) return libraries;
  const load = createRequire(import.meta.url);
  const five: unknown = load("johnny-five");
  const firmata: unknown = load("firmata-io");
  const loaded = { five, Firmata: typeof firmata === "function" && "Firmata" in firmata ? firmata.Firmata : null };
  if (!areLibraries(loaded)) throw new Error("johnny-five or firmata-io is not the version that Adrift was made for.");
  libraries = loaded;
  return loaded;
}

function areLibraries(loaded: { readonly five: unknown; readonly Firmata: unknown }): loaded is Libraries {
  const { five, Firmata } = loaded;
  if (typeof five !== "object" || five === null || !("Board" in five) || !("Relay" in five)) return false;
  return typeof five.Board === "function" && typeof five.Relay === "function" && typeof Firmata === "function";
}
