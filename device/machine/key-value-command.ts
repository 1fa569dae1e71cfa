/** What may be asked of the machine `kv`: its commands and queries, their limits, and what is wrong with the others. */

import { type Json, toAsciiJson } from "../json.ts";
import { isList, isObject } from "./json-shape.ts";

/** What changes the state, and what it answers. */
export type KeyValueCommand =
  /** Answers `null`. */
  | { readonly op: "write"; readonly key: string; readonly value: Json }
  /** Compare and swap: if the value equals the first of the pair, the second takes its place. Answers whether it did. */
  | { readonly op: "cas"; readonly key: string; readonly value: readonly [expected: Json, next: Json] }
  /** Lengthens a string. Answers `null`. */
  | { readonly op: "append"; readonly key: string; readonly value: string }
  /** Adds to a number. Answers the sum. */
  | { readonly op: "add"; readonly key: string; readonly value: number }
  /** Answers whether the key was there. */
  | { readonly op: "delete"; readonly key: string };

/** What can be asked about the state. */
export type KeyValueQuery =
  /** Answers the value. */
  | { readonly op: "read"; readonly key: string }
  /**
   * Answers `{ value, version }`. The version is the index of the entry that last put the value, so it grows with every
   * change, also over a removal; it is 0 while the key is absent.
   */
  | { readonly op: "get"; readonly key: string };

/** The bounds of the machine. All boards of a cluster must have the same: what is refused is part of the state. */
export type KeyValueLimits = {
  /** The longest key, in bytes of ASCII JSON, quotes included. */
  readonly keySizeBytesMax: number;
  /** The largest value, in bytes of ASCII JSON. */
  readonly valueSizeBytesMax: number;
  /** How deep lists and objects may stand in each other in a value: work on values is recursive, and stacks differ. */
  readonly valueDepthMax: number;
  readonly keysMax: number;
};

/** The limits of a cluster that states none. */
export const keyValueLimits: KeyValueLimits = {
  keySizeBytesMax: 256,
  valueSizeBytesMax: 65_536,
  valueDepthMax: 32,
  keysMax: 65_536,
};

/** What is wrong with a command whatever the state, or `null` if it is a `KeyValueCommand` within the limits. */
export function faultOfCommand(command: Json, limits: KeyValueLimits): string | null {
  if (!isObject(command)) return "A command is an object with an op and a key.";
  const { op, key, value } = command;
  const fault = faultOfKey(key, limits);
  if (fault !== null) return fault;
  switch (op) {
    case "write":
      return value === undefined ? "A write needs a value." : faultOfValue(value, limits);
    case "cas": {
      const [expected, next, ...more] = isList(value) ? value : [];
      if (expected === undefined || next === undefined || more.length > 0) return "A cas needs [expected, next].";
      return faultOfValue(expected, limits) ?? faultOfValue(next, limits);
    }
    case "append":
      return typeof value === "string" ? faultOfValue(value, limits) : "An append needs a string.";
    case "add":
      return typeof value === "number" && isExact(value) ? null : `An add needs a number up to ${exactRange}.`;
    case "delete":
      return null;
    default:
      return "The op of a command is write, cas, append, add or delete.";
  }
}

/** What is wrong with a query, or `null` if it is a `KeyValueQuery`. */
export function faultOfQuery(query: Json, limits: KeyValueLimits): string | null {
  if (!isObject(query)) return "A query is an object with an op and a key.";
  const { op, key } = query;
  return op === "read" || op === "get" ? faultOfKey(key, limits) : "The op of a query is read or get.";
}

/** Why a value may not be stored, or `null` if it may. */
export function faultOfValue(value: Json, limits: KeyValueLimits): string | null {
  if (isDeeperThan(limits.valueDepthMax, value)) {
    return `The value has more than ${limits.valueDepthMax} lists and objects in each other.`;
  }
  if (sizeBytesExceeds(value, limits.valueSizeBytesMax)) {
    return `The value has more than ${limits.valueSizeBytesMax} bytes.`;
  }
  return null;
}

/** Whether a number lies where no whole number loses digits. */
export function isExact(value: number): boolean {
  return Math.abs(value) <= Number.MAX_SAFE_INTEGER;
}

/** The numbers for which `isExact` holds, in words. */
export const exactRange = "2^53 - 1, plus or minus";

function faultOfKey(key: Json | undefined, limits: KeyValueLimits): string | null {
  if (typeof key !== "string") return "The key is not a string.";
  return sizeBytesExceeds(key, limits.keySizeBytesMax)
    ? `The key has more than ${limits.keySizeBytesMax} bytes.`
    : null;
}

function isDeeperThan(depthMax: number, value: Json): boolean {
  if (typeof value !== "object" || value === null) return false;
  return depthMax === 0 || Object.values(value).some((inner: Json) => isDeeperThan(depthMax - 1, inner));
}

/** Whether the ASCII JSON of a value is longer than `limit`; most values tell without being written out. */
function sizeBytesExceeds(value: Json, limit: number): boolean {
  if (typeof value === "string" && value.length * escapedCharacterBytes + quotesBytes <= limit) return false;
  if (typeof value === "number" && numberBytesMax <= limit) return false;
  return toAsciiJson(value).length > limit;
}

/** `\u00e9`: the most that one character becomes. */
const escapedCharacterBytes = 6;
const quotesBytes = 2;

/** `-1.2345678901234567e-300`: no number is longer. */
const numberBytesMax = 24;
