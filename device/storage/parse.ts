/** The boundary where JSON read from a disk becomes our own types again: checked, never trusted. */

import type { Configuration, HardState } from "../raft/types.ts";

/** The configuration that `value` is, or `null` if it is none. */
export function parseConfiguration(value: unknown): Configuration | null {
  if (!isObject(value)) return null;
  const { voters, votersOutgoing, learners, learnersNext, autoLeave } = value;
  const listed = isTextList(voters) && isTextList(votersOutgoing) && isTextList(learners) && isTextList(learnersNext);
  return listed && typeof autoLeave === "boolean"
    ? { voters, votersOutgoing, learners, learnersNext, autoLeave }
    : null;
}

/** The hard state that `value` is, or `null` if it is none. */
export function parseHardState(value: unknown): HardState | null {
  if (!isObject(value)) return null;
  const { term, votedFor } = value;
  return isWhole(term) && (votedFor === null || isText(votedFor)) ? { term, votedFor } : null;
}

/** The value of a JSON text, or `undefined` if it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}

/** A JSON object, not a list. */
export function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A JSON string. */
export function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** A whole number from 0 on: a term, an index, a size. */
export function isWhole(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText);
}
