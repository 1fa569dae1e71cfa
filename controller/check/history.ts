/**
 * A history as its file tells it: one event a line, in real-time order. The parser refuses what it does not understand,
 * and says where, what stands there and what may stand there: a verdict on a misread history would be worth nothing.
 */

import type { Json } from "../../device/json.ts";
import { largeNumberIn } from "./large-number.ts";

/** What a client can do to a key. */
export type OperationName = "read" | "write" | "cas" | "append" | "add" | "delete";

/**
 * What happened to an operation: it began, it took effect, it surely had no effect, or nobody knows (then its process
 * never invokes again).
 */
export type EventType = "invoke" | "ok" | "fail" | "info";

/** One line of `history.jsonl`. */
export type HistoryEvent = {
  /** The client that acts. It has one operation open at a time. */
  readonly process: string;
  readonly type: EventType;
  readonly op: OperationName;
  readonly key: string;
  /**
   * What the operation was given: the value to write, `[expected, new]` of a cas, the text to append, the number to
   * add; nothing for a read or a delete. A completion may repeat it or leave it out.
   */
  readonly value?: Json | undefined;
  /**
   * What an `ok` brought back. `read`: the value, `null` if absent. `cas`: whether it swapped. `add`: the new number.
   * `append`: the new text, or nothing. `delete`: whether the key was there, or nothing. `write`: not looked at.
   */
  readonly result?: Json | undefined;
  /** When, in whole microseconds since some fixed moment. It never goes back along the history. */
  readonly atUs: number;
};

/** A history that cannot be judged because it is malformed. The message is for the person who has to mend it. */
export class HistoryError extends Error {
  override readonly name = "HistoryError";
  /** The line of the file, or the number of the event in an array; the first is 1. */
  readonly line: number;

  constructor(place: string, line: number, problem: string) {
    super(printable(`${place} ${line}: ${problem}`));
    this.line = line;
  }
}

const operationNames: ReadonlyMap<unknown, OperationName> = new Map(
  (["read", "write", "cas", "append", "add", "delete"] as const).map((name) => [name, name]),
);
const eventTypes: ReadonlyMap<unknown, EventType> = new Map(
  (["invoke", "ok", "fail", "info"] as const).map((type) => [type, type]),
);

/**
 * The event that stands in one line of a history file. Fields that it does not know are ignored.
 *
 * @param place What `line` counts, for the message: `history.jsonl, line`.
 * @throws HistoryError if the line is not an event.
 */
export function parseEvent(text: string, place: string, line: number): HistoryEvent {
  const refuse = (problem: string): HistoryError => new HistoryError(place, line, problem);
  const fields = parseObject(text, refuse);
  const problem = depthProblem(text, fields) ?? numberProblem(text, fields);
  if (problem !== null) throw refuse(problem);
  const type = eventTypes.get(fields["type"]);
  if (type === undefined) throw refuse(misfit(fields, "type", oneOf(eventTypes.values())));
  const op = operationNames.get(fields["op"]);
  if (op === undefined) throw refuse(misfit(fields, "op", oneOf(operationNames.values())));
  const process = nameIn(fields["process"]);
  if (process === null) throw refuse(misfit(fields, "process", 'the name of a client, such as "c1"'));
  const key = nameIn(fields["key"]);
  if (key === null) throw refuse(misfit(fields, "key", 'the name of a key, such as "x"'));
  const atUs = fields["atUs"];
  if (typeof atUs !== "number" || !Number.isSafeInteger(atUs)) {
    throw refuse(misfit(fields, "atUs", "a whole number of microseconds"));
  }
  return { process, type, op, key, value: fields["value"], result: fields["result"], atUs };
}

/** A short form of a value for a message or a drawing. */
export function show(value: Json | undefined, lengthMax = 40): string {
  return shortened(value === undefined ? "nothing" : JSON.stringify(value), lengthMax);
}

/** A short form of the name of a key or a client. */
export function showName(name: string): string {
  return shortened(name, 40);
}

function shortened(text: string, lengthMax: number): string {
  return printable(text.length <= lengthMax ? text : `${text.slice(0, lengthMax - 1)}…`);
}

/** The text with everything that a terminal might obey (escapes, line ends, turns of direction) written as in JSON. */
function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

type Fields = { readonly [field: string]: Json | undefined };

function parseObject(text: string, refuse: (problem: string) => HistoryError): Fields {
  let parsed: Json;
  try {
    parsed = JSON.parse(text) as Json;
  } catch {
    throw refuse(
      `${excerpt(text)} is not JSON; each line must be one whole JSON object. ` +
        "If the run was interrupted while it wrote its last line, delete that line.",
    );
  }
  if (typeof parsed !== "object" || parsed === null || isArray(parsed)) {
    throw refuse(`${excerpt(text)} is not a JSON object; an event looks like ${example}.`);
  }
  return parsed;
}

/** How deep lists and objects may stand in one another in an event; the event itself is the first. */
const depthMax = 256;

function depthProblem(text: string, fields: Fields): string | null {
  // Each list or object takes two characters at least.
  return text.length > 2 * depthMax && isDeeper(fields, depthMax)
    ? `lists and objects stand in one another more than ${depthMax} deep; so deep a value cannot be compared.`
    : null;
}

function isDeeper(value: Json | Fields | undefined, depth: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return depth === 0 || Object.values(value).some((part) => isDeeper(part, depth - 1));
}

/** Only such texts can hold a number that is too large. */
const mayBeLarge = /\d{16}|\d[eE]/;

function numberProblem(text: string, fields: Fields): string | null {
  if (!mayBeLarge.test(text)) return null;
  for (const field of ["value", "result"]) {
    const large = largeNumberIn(fields[field]);
    if (large === null) continue;
    return (
      `"${field}" holds a number beyond ${Number.MAX_SAFE_INTEGER} (it reads as ${large}), where numbers cannot be told ` +
      "from their neighbours; write such numbers as strings."
    );
  }
  return null;
}

const example = '{"process":"c1","type":"invoke","op":"write","key":"x","value":1,"atUs":1500}';

/** Names are texts; whole numbers, which other recorders use, stand for their digits. */
function nameIn(field: Json | undefined): string | null {
  if (typeof field === "string" && field !== "") return field;
  if (typeof field === "number" && Number.isSafeInteger(field)) return String(field);
  return null;
}

function misfit(fields: Fields, field: string, allowed: string): string {
  const found = fields[field];
  return found === undefined
    ? `"${field}" is missing; it must be ${allowed}.`
    : `"${field}" is ${show(found)}; it must be ${allowed}.`;
}

function oneOf(names: Iterable<string>): string {
  return [...names].map((name) => `"${name}"`).join(" or ");
}

function excerpt(text: string): string {
  return shortened(text, 60);
}

function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
