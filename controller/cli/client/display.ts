/** How `adrift watch` shows the boards: as a table that is drawn over in place, or one line for each change. */

import { painter } from "../../report/paint.ts";
import type { Stream } from "../shell.ts";
import type { BoardLine } from "./board-roll.ts";
import { sentenceOf, tableOf } from "./board-table.ts";

/** Shown the boards again and again, it writes what is new. */
export type Display = {
  show(lines: readonly BoardLine[]): void;
  /** Something happened, in a sentence. */
  tell(sentence: string): void;
  /** Leaves what was shown last. */
  end(): void;
};

/** Draws the table over the one before. All of it goes to the terminal in one write, so nothing flickers. */
export function liveTable(out: Stream): Display {
  const paint = painter(out.isColoured);
  let drawn: readonly string[] = [];
  const told: string[] = [];
  return {
    tell(sentence) {
      told.push(`${timeOfDay()} ${sentence}`.slice(0, out.columns));
      if (told.length > toldMax) told.shift();
    },
    show(lines) {
      const story = told.length === 0 ? [] : ["", ...told, ""];
      const table = [...tableOf(lines, paint, out.columns), ...story, paint("dim", footOf(lines))];
      if (isSame(table, drawn)) return;
      const back = drawn.length === 0 ? "" : `\u001b[${drawn.length}A`;
      const rest = table.length < drawn.length ? "\u001b[J" : "";
      out.write(`${back}${table.map((line) => `\r${line}\u001b[K\n`).join("")}${rest}`);
      drawn = table;
    },
    end() {
      // The last line says how to end.
      if (drawn.length > 0) out.write("\u001b[1A\r\u001b[K");
    },
  };
}

/** A sentence whenever a board's role, term, leader or presence changes, with the time of day. */
export function changesInWords(out: Stream): Display {
  return {
    ...changes(out, sentenceOf, (line) => `${timeOfDay()} ${sentenceOf(line)}\n`),
    tell: (sentence) => out.write(`${timeOfDay()} ${sentence}\n`),
  };
}

/** One JSON object whenever anything about a board changes but the time since it was seen. */
export function jsonLines(out: Stream): Display {
  const noteOf = (line: BoardLine): string => JSON.stringify({ ...line, lastSeenMs: null });
  const boards = changes(out, noteOf, (line) => {
    const { board, presence, brokers, status } = line;
    return `${JSON.stringify({ at: new Date().toISOString(), board, presence, brokers, status })}\n`;
  });
  return { ...boards, tell: (story) => out.write(`${JSON.stringify({ at: new Date().toISOString(), story })}\n`) };
}

/** A terminal shows so many sentences below the table, the newest last. */
const toldMax = 8;

function timeOfDay(): string {
  return new Date().toTimeString().slice(0, 8);
}

function changes(
  out: Stream,
  noteOf: (line: BoardLine) => string,
  textOf: (line: BoardLine) => string,
): Omit<Display, "tell"> {
  const notes = new Map<string, string>();
  return {
    show(lines) {
      for (const line of lines) {
        const note = noteOf(line);
        if (notes.get(line.board) === note) continue;
        notes.set(line.board, note);
        out.write(textOf(line));
      }
    },
    end: () => undefined,
  };
}

function footOf(lines: readonly BoardLine[]): string {
  return lines.length === 0 ? "No board has said anything yet. q ends." : "q ends";
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((line, at) => line === other[at]);
}
