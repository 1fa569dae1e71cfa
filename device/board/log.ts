/** A board's log: a line of JSON on standard output for each thing that its owner may want to know. */

import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from "pino";
import type { BoardConfiguration } from "./configuration.ts";

/** Where a board tells what it does; `log.child({ boot })` says of each line which boot it is of. */
export type Log = Logger;

const standardOutput = 1;

/**
 * Opens the log of a board. Each line is written before the call ends, so that the last one before an exit, which says
 * why, is never lost.
 */
export function createLog(
  level: BoardConfiguration["logLevel"],
  board: string,
  stream: DestinationStream = openStream(),
): Log {
  const formatters = { level: (label: string) => ({ level: label }) };
  return pino({ level, base: { board }, timestamp: stdTimeFunctions.isoTime, formatters }, stream);
}

function openStream(): DestinationStream {
  const stream = destination({ dest: standardOutput, sync: true });
  // Nobody to read it, or no room for it: the board goes on without its log.
  stream.on("error", () => {});
  return stream;
}
