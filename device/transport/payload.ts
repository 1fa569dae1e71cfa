/** What the payloads of all topics but Raft's have in common: one JSON object that says its version and its origin. */

import { type Decoded, dropped } from "./decoded.ts";
import { Fields, parseObject } from "./fields.ts";
import { wireVersion } from "./topics.ts";

/** The fields of a payload that is one JSON object of our version. `sizeMax` is in characters of `text`. */
export function openPayload(text: string, sizeMax: number): Decoded<Fields> {
  if (text.length > sizeMax) return tooLong(text, sizeMax);
  const object = parseObject(text);
  if (object === null) return dropped("malformed", "the payload must be one JSON object");
  const { v } = object;
  if (v === wireVersion) return { ok: true, value: new Fields(object) };
  return v === undefined
    ? dropped("malformed", `"v", the version, is missing: this board speaks ${wireVersion}`)
    : dropped("version", `"v", the version, must be ${wireVersion}`);
}

/** Drops a payload that is longer than its kind may be. */
export function tooLong(text: string, sizeMax: number): Decoded<never> {
  return dropped("oversized", `${text.length} bytes are more than the ${sizeMax} that such a payload may have`);
}

/** Drops a payload that says another sender than its topic. */
export function notFrom(expected: string, said: string): Decoded<never> {
  return dropped("foreign", `"from" is ${JSON.stringify(said)} on a topic of ${expected}`);
}

/** `value`, unless a field that was read for it was not what it must be. */
export function judged<Value>(fields: Fields, value: Value): Decoded<Value> {
  return fields.problem === null ? { ok: true, value } : dropped("malformed", fields.problem);
}
