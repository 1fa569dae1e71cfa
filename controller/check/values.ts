/** The states that a key can be in, as small whole numbers: equal values have equal numbers, so states compare fast. */

import type { Json } from "../../device/json.ts";

/** The number of a state. */
export type State = number;

/** The key is not there; a stored `null` cannot be told from it. */
export const absent: State = 0;

/** Some value which no operation of the history could tell from any other that nobody looks for. */
export const unremarkable: State = 1;

/** A text of which it is known that nobody will see what it is (see `outlook.ts`). */
export const lostText: State = 2;

/** A number of which it is known that nobody will see what it is. */
export const lostNumber: State = 3;

/** Numbers the values of one key. */
export class Values {
  readonly #primitives = new Map<Json, State>();
  readonly #structures = new Map<string, State>();
  readonly #values: Json[] = [null, null, null, null];

  constructor() {
    this.#primitives.set(null, absent);
  }

  /** The number of this value. */
  stateOf(value: Json): State {
    return typeof value === "object" && value !== null
      ? this.#number(this.#structures, canonicalText(value), value)
      : this.#number(this.#primitives, value, value);
  }

  /** The value behind a number; `null` for the four special ones. */
  valueOf(state: State): Json {
    return this.#values[state] ?? null;
  }

  /** How many there are. */
  get size(): number {
    return this.#values.length;
  }

  #number<Key>(numbers: Map<Key, State>, key: Key, value: Json): State {
    let state = numbers.get(key);
    if (state === undefined) {
      state = this.#values.length;
      numbers.set(key, state);
      this.#values.push(value);
    }
    return state;
  }
}

/** One text for each JSON value: equal values, equal texts, in whatever order their fields stand. */
function canonicalText(value: Json): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (isArray(value)) return `[${value.map(canonicalText).join(",")}]`;
  const fields = Object.keys(value).sort();
  return `{${fields.map((field) => `${JSON.stringify(field)}:${canonicalText(value[field] ?? null)}`).join(",")}}`;
}

/** `Array.isArray` does not tell TypeScript that what it denies is no read-only list. */
function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
