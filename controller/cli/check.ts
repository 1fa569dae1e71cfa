/** `adrift check`: the verdict on a history, from wherever it comes. */

import { createReadStream, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { type History, judge, readHistory, type Verdict } from "../check/index.ts";
import { painter } from "../report/paint.ts";
import { outcomesText, verdictWord, wrapped } from "../report/text.ts";
import { count, grouped, seconds } from "../report/words.ts";
import { unreadable } from "./files.ts";
import { createProgressBar } from "./progress.ts";
import { type ExitStatus, type Shell, UsageError } from "./shell.ts";
import { statusOf } from "./status.ts";

/** Prints the verdict on the history in a file, or in standard input if `-` is given. */
export async function check(shell: Shell, given: string, options: { readonly json?: true }): Promise<ExitStatus> {
  const history = await read(shell, given);
  const verdict = judgeWatched(history, shell);
  shell.out.write(options.json === true ? `${JSON.stringify(verdict, null, 2)}\n` : textOf(verdict, shell));
  return statusOf(verdict.verdict);
}

async function read(shell: Shell, given: string): Promise<History> {
  if (given === "-") return readHistory(shell.input, "standard input");
  if (given === "") throw new UsageError("The name of the history is empty: give a file, or - for standard input.");
  const path = resolve(shell.folder, given);
  const bar = createProgressBar(shell.err, "reading");
  try {
    const sizeBytes = statSync(path).size;
    const pieces = createReadStream(path);
    return await readHistory(
      watched(pieces, (readBytes) => bar.show(readBytes / sizeBytes, `${grouped(readBytes / 1_000_000)} MB`)),
      basename(given),
    );
  } catch (error) {
    throw isOfFileSystem(error) ? unreadable(given, error) : error;
  } finally {
    bar.clear();
  }
}

async function* watched(
  pieces: AsyncIterable<Uint8Array>,
  show: (readBytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let readBytes = 0;
  for await (const piece of pieces) {
    readBytes += piece.length;
    show(readBytes);
    yield piece;
  }
}

/** The checker asks for the time as it goes on; that is when a person is told that it does. */
function judgeWatched(history: History, shell: Shell): Verdict {
  const bar = createProgressBar(shell.err, "checking");
  const startedMs = performance.now();
  const operations = count(history.operations.length, "operation");
  try {
    return judge(history, {
      nowMs: () => {
        const nowMs = performance.now();
        bar.show(null, `${operations}, ${Math.round((nowMs - startedMs) / 1_000)} s`);
        return nowMs;
      },
    });
  } finally {
    bar.clear();
  }
}

function isOfFileSystem(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}

function textOf(verdict: Verdict, { out }: Shell): string {
  const paint = painter(out.isColoured);
  const { statistics, progress, diagram } = verdict;
  const marks = { valid: paint("green", "✓"), invalid: paint("red", "✗"), unknown: paint("yellow", "?") };
  const lines = [
    `${verdictWord(verdict.verdict, paint)}  ${count(statistics.operations, "operation")} of ` +
      `${count(statistics.processes, "process", "processes")} on ${count(statistics.keys, "key")}: ` +
      outcomesText(statistics),
    "",
    ...verdict.checks.flatMap((each) => [
      `${marks[each.verdict]} ${each.name}`,
      ...wrapped(each.reason, out.columns - 5).map((line) => `    ${line}`),
    ]),
  ];
  if (progress.longestStallAtUs !== null) {
    const stall = `the longest time without an answer: ${seconds(progress.longestStallUs)}, from ${seconds(progress.longestStallAtUs)}`;
    lines.push(`  ${stall}`);
  }
  if (diagram !== "") lines.push("", ...diagram.split("\n").map((line) => `  ${line}`));
  return `${lines.join("\n")}\n`;
}
