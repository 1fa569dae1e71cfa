/** Whole numbers that are read as one of their neighbours. */

import type { Json } from "../../device/json.ts";

/**
 * The first number in a value, however deep, beyond 2^53 - 1; `null` if there is none. There different whole numbers are
 * read as the same one: what was written is not what is kept, and a verdict on it would be worth nothing.
 */
export function largeNumberIn(value: Json | undefined): number | null {
  if (typeof value === "number") return Math.abs(value) > Number.MAX_SAFE_INTEGER ? value : null;
  if (typeof value !== "object" || value === null) return null;
  for (const part of Object.values(value)) {
    const large = largeNumberIn(part);
    if (large !== null) return large;
  }
  return null;
}
