/**
 * The entries of appends, a line of JSON each:
 *
 *     {"term":2,"command":{"client":"c1","session":4,"request":2,...}}
 *     {"term":2,"empty":true}
 *     {"term":2,"configuration":{"voters":["pi-1","pi-2","pi-3"],...}}
 *     {"term":2,"text":"any other text"}
 *
 * Their indexes follow from the append's `prevIndex`. A command's text is what the log holds: it is written as it is
 * and cut out again by its place, never parsed. Texts that are no JSON object in one line travel as `text`.
 */

import { crc32cOfText } from "../crc32c.ts";
import { toAsciiJson } from "../json.ts";
import type { Append, Entry, LogIndex, Term } from "../raft/types.ts";
import { Fields, parseObject } from "./fields.ts";

/** Entries as they stand in a payload: their lines, each with a line feed before it, and the checksum of those. */
export type EntryBlock = { readonly lines: string; readonly checksum: number };

/** The block of an append's entries, of which there must be one at least. */
export function blockOf({ entries, prevIndex }: Append): EntryBlock {
  const [first] = entries;
  const last = entries.at(-1);
  if (first?.index !== prevIndex + 1 || last?.index !== prevIndex + entries.length) {
    throw new RangeError(`The entries ${first?.index} to ${last?.index} do not follow on ${prevIndex} without a gap.`);
  }
  const known = recent.find((block) => block.first === first && block.last === last && block.count === entries.length);
  if (known !== undefined) return known;
  // Joined rather than added up: a text in one piece is read faster, character by character.
  const lines = entries.map(lineOf).join("");
  const block = { first, last, count: entries.length, lines, checksum: crc32cOfText(lines, 0) };
  recent.push(block);
  if (recent.length > recentMax) recent.shift();
  return block;
}

/** Hands out the entries that stand behind a payload's first line, append after append. */
export class EntryLines {
  readonly #text: string;
  /** Where the line feed before the next line stands. */
  #position: number;
  /** What the last command's line began with: most begin alike, so this saves reading it again. */
  #opening = "";
  #openingTerm: Term = 0;
  #problem: string | null = null;

  /** `firstLineEnd` is where the first line feed stands in `text`; -1: nowhere. */
  constructor(text: string, firstLineEnd: number) {
    this.#text = text;
    this.#position = firstLineEnd === -1 ? text.length : firstLineEnd;
  }

  /** The first line that is not what it must be; `null` if all were right. */
  get problem(): string | null {
    return this.#problem;
  }

  get isAtEnd(): boolean {
    return this.#position === this.#text.length;
  }

  /** The next `count` entries. Terms grow along a log, from `prevTerm` to at most the `term` of the leader. */
  take(count: number, prevIndex: LogIndex, prevTerm: Term, term: Term): readonly Entry[] {
    const entries: Entry[] = [];
    let termMin = prevTerm;
    for (let index = prevIndex + 1; index <= prevIndex + count; index += 1) {
      const entry = this.#next(index);
      if (entry === null) return entries;
      if (entry.term < termMin || entry.term > term) return this.#fail(index, `a term from ${termMin} to ${term}`);
      termMin = entry.term;
      entries.push(entry);
    }
    return entries;
  }

  #next(index: LogIndex): Entry | null {
    if (this.isAtEnd || !Number.isSafeInteger(index)) {
      this.#fail(index, "there");
      return null;
    }
    const start = this.#position + 1;
    const feed = this.#text.indexOf("\n", start);
    const end = feed === -1 ? this.#text.length : feed;
    this.#position = end;
    return this.#command(index, start, end) ?? this.#other(index, this.#text.slice(start, end));
  }

  /** The entry of a line that holds a command as it is, `null` if it is another line. */
  #command(index: LogIndex, start: number, end: number): Entry | null {
    const text = this.#text;
    if (this.#opening === "" || !text.startsWith(this.#opening, start)) {
      commandOpening.lastIndex = start;
      const [opening, digits] = commandOpening.exec(text) ?? [];
      if (opening === undefined) return null;
      this.#opening = opening;
      this.#openingTerm = Number(digits);
    }
    const dataStart = start + this.#opening.length;
    // An object inside an object: the line ends with two braces.
    if (end - dataStart < 3 || text.charCodeAt(dataStart) !== openBrace) return null;
    if (text.charCodeAt(end - 1) !== closeBrace || text.charCodeAt(end - 2) !== closeBrace) return null;
    // The slice shares the payload's memory, which lives as long as any entry that came with it.
    return { kind: "command", index, term: this.#openingTerm, data: text.slice(dataStart, end - 1) };
  }

  #other(index: LogIndex, line: string): Entry | null {
    const fields = new Fields(parseObject(line) ?? {}, null, `entry ${index}`);
    const entry = readOther(fields, index);
    if (fields.problem === null) return entry;
    this.#problem ??= fields.problem;
    return null;
  }

  #fail(index: LogIndex, expected: string): readonly Entry[] {
    this.#problem ??= `entry ${index} must be ${expected}`;
    return [];
  }
}

/**
 * The blocks written last: a leader sends the same entries to every follower. Entries between the same two of one log are
 * the same, so the ends tell a block.
 */
const recent: (EntryBlock & { readonly first: Entry; readonly last: Entry; readonly count: number })[] = [];
const recentMax = 4;

const commandOpening = /\{"term":(\d{1,16}),"command":/y;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** A text that may stand in a line as it is. */
const objectInOneLine = /^\{[\x20-\x7e]*\}$/;

function lineOf(entry: Entry): string {
  switch (entry.kind) {
    case "command":
      return objectInOneLine.test(entry.data)
        ? `\n{"term":${entry.term},"command":${entry.data}}`
        : `\n${toAsciiJson({ term: entry.term, text: entry.data })}`;
    case "empty":
      return `\n{"term":${entry.term},"empty":true}`;
    case "configuration":
      return `\n${toAsciiJson({ term: entry.term, configuration: entry.configuration })}`;
  }
}

function readOther(fields: Fields, index: LogIndex): Entry {
  const term = fields.whole("term");
  if (fields.has("text")) return { kind: "command", index, term, data: fields.asciiText("text") };
  if (fields.has("configuration")) {
    return { kind: "configuration", index, term, configuration: fields.configuration("configuration") };
  }
  if (!fields.has("empty")) fields.fail("command", "a JSON object");
  return { kind: "empty", index, term };
}
