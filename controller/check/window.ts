/**
 * Some operations of a key, whatever it held before them. A long history need not be gone through from its beginning to
 * show that a few operations in its middle contradict each other.
 */

import type { Plan } from "./plan.ts";
import { absent, type State, unremarkable } from "./values.ts";

/**
 * The states in which a key need be thought to begin, if it may begin in any; `null` if these are no few that can be
 * told.
 *
 * The first step that looks for a certain state finds it there, or finds what a setter left. In the first case, what
 * need not have happened before might as well not have; so it is enough to begin with each state that is looked for.
 * In the second case any other state will do.
 */
export function beginningsOf({ steps, values }: Plan): readonly State[] | null {
  const states = new Set<State>([absent, unremarkable]);
  for (const { action, optional, group } of steps) {
    if (optional || group >= 0) continue;
    switch (action.kind) {
      case "set":
      case "remove":
        break;
      case "equals":
        states.add(action.state);
        break;
      case "swap":
        states.add(action.from);
        break;
      case "differs":
        // What need not have happened may be what made the difference.
        return null;
      case "add": {
        if (action.result === null) return null;
        const before = action.result - action.amount;
        // Sums of fractions are not exact: more than one number may have been there before.
        if (![action.amount, action.result, before].every(Number.isSafeInteger)) return null;
        states.add(values.stateOf(before));
        break;
      }
      case "append":
        if (action.result === null) return null;
        states.add(values.stateOf(action.result.slice(0, Math.max(0, action.result.length - action.text.length))));
        break;
      default:
        return action satisfies never;
    }
  }
  return [...states];
}
