/**
 * What an operation does to the one key it is about, knowing how it ended: the sequential specification against which a
 * history is judged.
 */

import { isPair, type Operation } from "./operations.ts";
import { absent, lostNumber, lostText, type State, type Values } from "./values.ts";

/** An operation as a step of one key: in which states it is possible, and which state it leaves behind. */
export type Action =
  /** Saw this state: a read, a delete that found nothing, a cas from a value to itself. */
  | { readonly kind: "equals"; readonly state: State }
  /** Saw any other state: a cas that did not swap. */
  | { readonly kind: "differs"; readonly state: State }
  /** Leaves this state behind, whatever was there before: a write, or a delete that does not say what it found. */
  | { readonly kind: "set"; readonly state: State }
  /** A cas that swapped. */
  | { readonly kind: "swap"; readonly from: State; readonly to: State }
  /** A delete that found something. */
  | { readonly kind: "remove" }
  /** An add; `result` is `null` where nobody knows what came out. */
  | { readonly kind: "add"; readonly amount: number; readonly result: number | null }
  /** An append; `result` is `null` where nobody knows what came out. */
  | { readonly kind: "append"; readonly text: string; readonly result: string | null };

/** What `next` says of an action in a state in which it cannot have happened. */
export const impossible = -1;

/** The state after `action` in `state`, or `impossible`. */
export function next(action: Action, state: State, values: Values): State {
  if (!isPossible(action, state, values)) return impossible;
  switch (action.kind) {
    case "equals":
    case "differs":
      return state;
    case "set":
      return action.state;
    case "swap":
      return action.to;
    case "remove":
      return absent;
    case "add":
      return state === lostNumber ? lostNumber : values.stateOf(numberIn(state, values) + action.amount);
    case "append":
      return state === lostText ? lostText : values.stateOf(action.result ?? textIn(state, values) + action.text);
    default:
      return action satisfies never;
  }
}

/** Whether `action` can happen in `state`, and end as it did. */
export function isPossible(action: Action, state: State, values: Values): boolean {
  switch (action.kind) {
    case "equals":
      return state === action.state;
    case "differs":
      return state !== action.state;
    case "set":
      return true;
    case "swap":
      return state === action.from;
    case "remove":
      return state !== absent;
    case "add": {
      if (state === lostNumber) return action.result === null;
      const before = numberIn(state, values);
      return !Number.isNaN(before) && (action.result === null || before + action.amount === action.result);
    }
    case "append": {
      if (state === lostText) return action.result === null;
      if (state !== absent && typeof values.valueOf(state) !== "string") return false;
      return action.result === null || isConcatenation(action.result, textIn(state, values), action.text);
    }
    default:
      return action satisfies never;
  }
}

/** An absent key counts as 0; what is no number cannot be added to. */
function numberIn(state: State, values: Values): number {
  const value = state === absent ? 0 : values.valueOf(state);
  return typeof value === "number" ? value : Number.NaN;
}

/** An absent key counts as the empty text. */
function textIn(state: State, values: Values): string {
  const value = values.valueOf(state);
  return typeof value === "string" ? value : "";
}

function isConcatenation(whole: string, first: string, second: string): boolean {
  return whole.length === first.length + second.length && whole.startsWith(first) && whole.endsWith(second);
}

/**
 * The action of an operation, or `null` if it constrains nothing and changes nothing: it failed, or it is a read (or a
 * cas from a value to itself) of which nobody knows what it saw.
 *
 * @param known Whether what came back is known, and to be believed.
 */
export function actionOf({ op, value, result, outcome }: Operation, known: boolean, values: Values): Action | null {
  if (outcome === "fail") return null;
  switch (op) {
    case "read":
      return known ? { kind: "equals", state: values.stateOf(result ?? null) } : null;
    case "write":
      return { kind: "set", state: values.stateOf(value ?? null) };
    case "delete":
      if (known && result === true) return { kind: "remove" };
      return { kind: known && result === false ? "equals" : "set", state: absent };
    case "cas": {
      if (!isPair(value)) return null;
      const from = values.stateOf(value[0]);
      const to = values.stateOf(value[1]);
      if (known && result === false) return { kind: "differs", state: from };
      if (from !== to) return { kind: "swap", from, to };
      return known ? { kind: "equals", state: from } : null;
    }
    case "add":
      if (typeof value !== "number") return null;
      return { kind: "add", amount: value, result: known && typeof result === "number" ? result : null };
    case "append":
      if (typeof value !== "string") return null;
      return { kind: "append", text: value, result: known && typeof result === "string" ? result : null };
    default:
      return op satisfies never;
  }
}
