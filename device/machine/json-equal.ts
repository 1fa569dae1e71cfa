import type { Json } from "../json.ts";

/** Whether two JSON values are the same, whatever the order of keys in objects. */
export function isEqual(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (isList(a)) return isList(b) && a.length === b.length && a.every((item, i) => isEqual(item, b[i] ?? null));
  if (isList(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && isEqual(a[key] ?? null, b[key] ?? null));
}

/** `Array.isArray` does not tell TypeScript that what it denies is no read-only list. */
function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
