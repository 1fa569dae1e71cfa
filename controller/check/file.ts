/** Histories from files: read in pieces, so that a file may be larger than memory for text would allow. */

import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { performance } from "node:perf_hooks";
import { type CheckOptions, judge, type Verdict } from "./check.ts";
import { HistoryError, parseEvent } from "./history.ts";
import { type History, HistoryBuilder } from "./operations.ts";

/**
 * The verdict on a history file.
 *
 * @throws HistoryError if the file is no history, naming the line; the error of `node:fs` if it cannot be read.
 */
export async function checkHistoryFile(path: string, options: CheckOptions = {}): Promise<Verdict> {
  const history = await readHistory(createReadStream(path), basename(path));
  return judge(history, { nowMs: () => performance.now(), ...options });
}

/**
 * The history in the pieces of a file, one event a line. Empty lines, a byte order mark and carriage returns are let
 * pass.
 *
 * @param name The name of the file, for messages.
 * @throws HistoryError if it is no history.
 */
export async function readHistory(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  name: string,
): Promise<History> {
  const place = `${name}, line`;
  const builder = new HistoryBuilder(place);
  let line = 1;
  for await (const block of wholeLines(pieces, lineBytesMax)) {
    if (block === null) {
      throw new HistoryError(place, line, `it is longer than ${lineBytesMax >> 20} MiB; an event is one short line.`);
    }
    for (const text of textOf(block, place, line).split("\n")) {
      if (text.trim() !== "") builder.add(parseEvent(text, place, line), line);
      line += 1;
    }
  }
  return builder.finish();
}

/** How long a line may be: far more than an event takes. */
const lineBytesMax = 16 << 20;

const lineFeed = 0x0a;

/**
 * The same bytes cut at ends of lines, of which the last one of each block is left out; `null` in the place of a block
 * whose first line is longer than `bytesMax`, and then no more.
 */
async function* wholeLines(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  bytesMax: number,
): AsyncGenerator<Uint8Array | null> {
  let begun: Uint8Array[] = [];
  let begunBytes = 0;
  for await (const piece of pieces) {
    const end = piece.lastIndexOf(lineFeed);
    const first = end < 0 ? piece.length : piece.indexOf(lineFeed);
    if (begunBytes + first > bytesMax) {
      yield null;
      return;
    }
    if (end >= 0) {
      yield joined([...begun, piece.subarray(0, end)]);
      begun = [];
      begunBytes = 0;
    }
    begun.push(piece.slice(end + 1));
    begunBytes += piece.length - (end + 1);
  }
  yield begunBytes > bytesMax ? null : joined(begun);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let start = 0;
  for (const part of parts) {
    whole.set(part, start);
    start += part.length;
  }
  return whole;
}

/** The text of a block of lines, the first of which is `line`. @throws HistoryError at the first that is not UTF-8. */
function textOf(block: Uint8Array, place: string, line: number): string {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    return decoder.decode(block);
  } catch {
    throw new HistoryError(place, line + linesBeforeFault(block), "it is not UTF-8; write the file in that encoding.");
  }
}

/** How many lines of the block are UTF-8 before the first that is not. */
function linesBeforeFault(block: Uint8Array): number {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let lines = 0;
  for (let start = 0, end = block.indexOf(lineFeed); end >= 0; end = block.indexOf(lineFeed, start)) {
    try {
      decoder.decode(block.subarray(start, end));
    } catch {
      return lines;
    }
    lines += 1;
    start = end + 1;
  }
  return lines;
}
