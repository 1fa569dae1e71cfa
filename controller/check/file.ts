/** Histories from files: read in pieces, so that a file may be larger than memory for text would allow. */

import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { performance } from "node:perf_hooks";
import { type CheckOptions, judge, type Verdict } from "./check.ts";
import { parseEvent } from "./history.ts";
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
  let line = 0;
  for await (const text of linesOf(pieces)) {
    line += 1;
    if (text.trim() !== "") builder.add(parseEvent(text, place, line), line);
  }
  return builder.finish();
}

async function* linesOf(pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of pieces) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  yield rest + decoder.decode();
}
