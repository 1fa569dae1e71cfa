/** The boundary where JSON that somebody sent becomes our own types: every field is checked, none is trusted. */

import type { Json } from "../json.ts";
import type { Configuration } from "../raft/types.ts";
import { namePattern } from "./topics.ts";

/** An object as JSON has it. */
export type JsonObject = { readonly [key: string]: Json };

/** How deep a value may be nested that a client sends or gets. Deeper ones would end the recursion that writes them. */
export const valueDepthMax = 100;

/** How many members a list of members may hold. */
export const membersMax = 256;

/** The identity of a member: a board's name, or that and the hexadecimal number of its incarnation. */
export const memberPattern: RegExp = /^[a-z][a-z0-9-]{0,31}(?:\.[0-9a-f]{1,16})?$/;

/**
 * Reads the fields of an object, and of objects within it. A field that is not what it must be gives a harmless value
 * and is remembered as the `problem`, so that a whole message is read first and judged once.
 */
export class Fields {
  readonly #object: JsonObject;
  readonly #parent: Fields | null;
  /** What it is called in its parent. */
  readonly #place: string;
  #problem: string | null = null;

  constructor(object: JsonObject, parent: Fields | null = null, place = "") {
    this.#object = object;
    this.#parent = parent;
    this.#place = place;
  }

  /** The first field that was read and not what it must be, with what it must be; `null` if all were right. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Says of the field `name` that it must be something else than it is. */
  fail(name: string, expected: string): void {
    const path = this.#place === "" ? name : `${this.#place}.${name}`;
    if (this.#parent !== null) this.#parent.fail(path, expected);
    else this.#problem ??= `"${path}" must be ${expected}`;
  }

  has(name: string): boolean {
    return this.#object[name] !== undefined;
  }

  isNull(name: string): boolean {
    return this.#object[name] === null;
  }

  /** A number that counts something: a term, an index, a size. */
  whole(name: string): number {
    const value = this.#object[name];
    if (isWhole(value)) return value;
    this.fail(name, "a whole number from 0 on");
    return 0;
  }

  wholeOrNull(name: string): number | null {
    return this.#object[name] === null ? null : this.whole(name);
  }

  /** A time or an amount that need not be whole; not negative. */
  amount(name: string): number {
    const value = this.#object[name];
    if (typeof value === "number" && value >= 0 && value <= Number.MAX_SAFE_INTEGER) return value;
    this.fail(name, "a number from 0 on");
    return 0;
  }

  boolean(name: string): boolean {
    const value = this.#object[name];
    if (typeof value === "boolean") return value;
    this.fail(name, "true or false");
    return false;
  }

  text(name: string, lengthMax: number): string {
    const value = this.#object[name];
    if (typeof value === "string" && value.length <= lengthMax) return value;
    this.fail(name, `a text of at most ${lengthMax} characters`);
    return "";
  }

  /** A text whose length is its size in bytes. */
  asciiText(name: string): string {
    const value = this.#object[name];
    if (typeof value === "string" && isAscii(value)) return value;
    this.fail(name, "a text of ASCII characters");
    return "";
  }

  matching(name: string, pattern: RegExp, expected: string): string {
    const value = this.#object[name];
    if (typeof value === "string" && pattern.test(value)) return value;
    this.fail(name, expected);
    return "";
  }

  /** The name of a board or a broker. */
  name(name: string): string {
    return this.matching(name, namePattern, "a name: lower-case letters, digits and hyphens");
  }

  oneOf<Word extends string>(name: string, words: readonly Word[]): Word {
    const value = this.#object[name];
    for (const word of words) if (word === value) return word;
    this.fail(name, words.map((word) => `"${word}"`).join(" or "));
    return words[0] as Word;
  }

  member(name: string): string {
    return this.matching(name, memberPattern, "a member: a board's name, or that, a dot and a hexadecimal number");
  }

  memberOrNull(name: string): string | null {
    return this.#object[name] === null ? null : this.member(name);
  }

  members(name: string): readonly string[] {
    const value = this.#object[name];
    if (Array.isArray(value) && value.length <= membersMax && value.every(isMember)) return value;
    this.fail(name, `a list of at most ${membersMax} members`);
    return [];
  }

  /** Members in order, each once, as in a configuration. */
  sortedMembers(name: string): readonly string[] {
    const members = this.members(name);
    if (members.some((member, at) => at > 0 && member <= (members[at - 1] ?? ""))) {
      this.fail(name, "sorted, each member once");
    }
    return members;
  }

  configuration(name: string): Configuration {
    const fields = this.object(name);
    return {
      voters: fields.sortedMembers("voters"),
      votersOutgoing: fields.sortedMembers("votersOutgoing"),
      learners: fields.sortedMembers("learners"),
      learnersNext: fields.sortedMembers("learnersNext"),
      autoLeave: fields.boolean("autoLeave"),
    };
  }

  /** Any JSON value that can be written again as it was read. */
  value(name: string): Json {
    const value = this.#object[name];
    if (value !== undefined && isWritable(value, valueDepthMax)) return value;
    this.fail(name, `a value nested at most ${valueDepthMax} deep, with numbers that a double can hold`);
    return null;
  }

  object(name: string): Fields {
    const value = this.#object[name];
    if (isObject(value)) return new Fields(value, this, name);
    this.fail(name, "an object");
    return new Fields({}, this, name);
  }

  /** From `countMin` objects on, mostly one. */
  objects(name: string, countMax: number, countMin = 1): readonly Fields[] {
    const value = this.#object[name];
    if (Array.isArray(value) && value.length >= countMin && value.length <= countMax && value.every(isObject)) {
      return value.map((item, at) => new Fields(item, this, `${name}[${at}]`));
    }
    this.fail(name, `a list of ${countMin} to ${countMax} objects`);
    return [];
  }
}

/** The object that a text is as JSON, `null` if it is none. */
export function parseObject(text: string): JsonObject | null {
  try {
    const value: Json = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

/** A whole number from 0 on. */
export function isWhole(value: Json | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isMember(value: Json): value is string {
  return typeof value === "string" && memberPattern.test(value);
}

function isAscii(text: string): boolean {
  return !/[\u0080-\uffff]/.test(text);
}

function isWritable(value: Json, depthMax: number): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null) return true;
  if (depthMax === 0) return false;
  for (const item of Object.values(value)) if (!isWritable(item, depthMax - 1)) return false;
  return true;
}
