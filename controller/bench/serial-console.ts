/**
 * Reads what boards write to their serial consoles: what a board believes that nobody else can reach. A cable that is not
 * there, or is pulled out, is looked for again and again; what stands on the line beside a board's own words is passed over.
 */

import { stat } from "node:fs/promises";
import type { SerialPort } from "serialport";
import { type ConsoleStatus, consoleLineBytesMax, decodeConsoleLine } from "../../device/transport/console-codec.ts";

export type { ConsoleStatus } from "../../device/transport/console-codec.ts";

/** What reading takes. */
export type SerialConsoleSettings = {
  /** The controller's end of the line, such as `/dev/ttyUSB0`. */
  readonly path: string;
  readonly baudRate?: number;
  /** Told each state that a board writes. */
  readonly onStatus: (status: ConsoleStatus) => void;
  /** Told in words for people when the line cannot be read any more, once each time; and `null` when it can again. */
  readonly onTrouble: (trouble: string | null) => void;
  /** How soon a line that is not there is looked for again. */
  readonly retryMs?: number;
};

/** A line that is being read. */
export type SerialConsoleReader = {
  /** Lets go of the line. Nothing is told any more. */
  close(): Promise<void>;
};

const usualBaudRate = 115_200;
const usualRetryMs = 1_000;

/** Begins to read, and goes on until it is closed. Never fails. */
export function readSerialConsole(settings: SerialConsoleSettings): SerialConsoleReader {
  const { path, baudRate = usualBaudRate, onStatus, onTrouble, retryMs = usualRetryMs } = settings;
  let port: SerialPort | null = null;
  let retry: NodeJS.Timeout | null = null;
  let isTroubled = false;
  let isClosed = false;

  async function open(): Promise<void> {
    // Loaded where it is used alone: it brings native code.
    const library = await import("serialport");
    if (isClosed) return;
    const lines = new ConsoleLines();
    const opened = new library.SerialPort({ path, baudRate, autoOpen: false });
    port = opened;
    opened.on("data", (bytes: Buffer) => {
      if (!isClosed) for (const status of lines.take(bytes)) onStatus(status);
    });
    // An unplugged port may tell both, and one of them twice.
    opened.on("error", (error: Error) => lose(opened, error.message));
    opened.on("close", () => lose(opened, "it was unplugged"));
    opened.open((error) => {
      if (error !== null) lose(opened, error.message);
      else if (isClosed) opened.close();
      else settle();
    });
  }

  function settle(): void {
    if (!isTroubled) return;
    isTroubled = false;
    onTrouble(null);
  }

  function lose(lost: SerialPort, why: string): void {
    if (isClosed || port !== lost) return;
    port = null;
    if (lost.isOpen) lost.close();
    retry = setTimeout(() => void open(), retryMs).unref();
    if (isTroubled) return;
    isTroubled = true;
    onTrouble(`The serial console at ${path} cannot be read: ${why}. It is looked for again until it is there.`);
  }

  /** A port that was pulled out does not always say so; but then it is no longer where it was. */
  async function look(): Promise<void> {
    const watched = port;
    if (watched?.isOpen !== true) return;
    const isThere = await stat(path).then(
      () => true,
      () => false,
    );
    if (!isThere) lose(watched, "it was unplugged");
  }

  void open();
  const looking = setInterval(() => void look(), retryMs).unref();
  return {
    async close() {
      isClosed = true;
      clearInterval(looking);
      if (retry !== null) clearTimeout(retry);
      const open = port;
      if (open?.isOpen === true) await new Promise<void>((resolve) => open.close(() => resolve()));
    },
  };
}

/** Finds the boards' words in what comes over a serial line, whole or in pieces, with noise between them. */
export class ConsoleLines {
  #rest = "";

  /** The states that end in these bytes. */
  take(bytes: Uint8Array): readonly ConsoleStatus[] {
    const lines = (this.#rest + Buffer.from(bytes).toString("latin1")).split(/[\r\n]/);
    const last = lines.pop() ?? "";
    // What is longer than any line can only be noise, up to the next end of a line.
    this.#rest = last.length > consoleLineBytesMax ? last.slice(0, consoleLineBytesMax + 1) : last;
    return lines.flatMap((line) => decodeConsoleLine(line) ?? []);
  }
}
