/** Keys and values as they are typed. What would be kept as something else than was typed is refused. */

import type { Json } from "../../../device/json.ts";
import { largeNumberIn } from "../../check/large-number.ts";
import { UsageError } from "../shell.ts";

/**
 * A value: JSON, or the text itself where it is none or is meant as text.
 *
 * @throws {UsageError} if it would not be kept as it was typed.
 */
export function typedValue(typed: string, isText: boolean): Json {
  const text = typedText(typed);
  if (isText) return text;
  const value = jsonOr(text);
  const large = largeNumberIn(value);
  if (large === null) return value;
  throw new UsageError(
    `${text} holds a number beyond ${Number.MAX_SAFE_INTEGER}, which would be kept as ${large}: write such numbers as ` +
      "strings, or say --text.",
  );
}

/** A number to be added. @throws {UsageError} if it is none, or is read as one of its neighbours. */
export function typedNumber(typed: string): number {
  const number = typed.trim() === "" ? Number.NaN : Number(typed);
  if (!Number.isFinite(number)) throw new UsageError(`${JSON.stringify(typed)} is no number that can be added.`);
  if (largeNumberIn(number) === null) return number;
  throw new UsageError(
    `${typed} is beyond ${Number.MAX_SAFE_INTEGER}, where sums are not exact, and would be added as ${number}.`,
  );
}

/** A key or a text. @throws {UsageError} if bytes of it were lost on the way here. */
export function typedText(typed: string): string {
  if (!typed.includes(replacementCharacter)) return typed;
  throw new UsageError(
    `${JSON.stringify(typed)} holds bytes that are not UTF-8, or U+FFFD, which stands for such bytes: type it in UTF-8, ` +
      'or as JSON ("\\ufffd" for that character).',
  );
}

/** What Node makes of bytes in an argument that are not UTF-8. */
const replacementCharacter = "\ufffd";

function jsonOr(text: string): Json {
  try {
    const value: Json = JSON.parse(text);
    return value;
  } catch {
    return text;
  }
}
