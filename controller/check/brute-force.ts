/**
 * A checker that is too simple to be wrong, for tests: it tries every order of the operations that real time allows, with
 * every choice of indefinite ones, and works on plain JSON values. Only for a handful of operations.
 */

import type { Json } from "../../device/json.ts";
import { isEqual } from "../../device/machine/json-equal.ts";
import { isPair, type Operation } from "./operations.ts";

/** Whether some order of these operations on one key explains what their clients saw. */
export function isLinearizable(operations: readonly Operation[]): boolean {
  return canGoOn(
    operations.filter(({ outcome }) => outcome !== "fail"),
    null,
  );
}

/** Whether the operations that are `left` can follow, in some order, where the key holds `state`. */
function canGoOn(left: readonly Operation[], state: Json): boolean {
  if (left.every(({ outcome }) => outcome === "info")) return true;
  const firstEnd = Math.min(...left.map(endOf));
  return left.some((operation) => {
    if (operation.invokeLine > firstEnd) return false;
    const after = outcomeOf(operation, state);
    if (after === null) return false;
    return canGoOn(
      left.filter((other) => other !== operation),
      after.state,
    );
  });
}

function endOf({ outcome, completeLine }: Operation): number {
  return outcome === "ok" ? (completeLine ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
}

/** What is there after the operation, or `null` if it cannot have ended as it did. */
function outcomeOf({ op, value, result, outcome }: Operation, state: Json): { readonly state: Json } | null {
  const unknown = outcome === "info";
  const agrees = (actual: Json): boolean => unknown || result === undefined || isEqual(result, actual);
  switch (op) {
    case "read":
      return agrees(state) ? { state } : null;
    case "write":
      return { state: value ?? null };
    case "delete":
      return agrees(state !== null) || result === null ? { state: null } : null;
    case "cas": {
      if (!isPair(value)) return null;
      const swaps = isEqual(state, value[0]);
      return agrees(swaps) ? { state: swaps ? value[1] : state } : null;
    }
    case "add": {
      const before = state ?? 0;
      if (typeof before !== "number" || typeof value !== "number") return null;
      return agrees(before + value) ? { state: before + value } : null;
    }
    case "append": {
      const before = state ?? "";
      if (typeof before !== "string" || typeof value !== "string") return null;
      return agrees(before + value) || result === null ? { state: before + value } : null;
    }
    default:
      return op satisfies never;
  }
}
