/** Operations as a small drawing that a learner can read: who did what, and what overlapped what. */

import { show, showName } from "./history.ts";
import type { Operation } from "./operations.ts";

/**
 * One line for each operation, in the order of their invocations: what it was on the left, and on the right a bar from its
 * invocation to its completion. Time is not to scale: each step to the right is the next beginning or end. A bar
 * without an end belongs to an operation of which nobody knows whether it took effect. Of many operations the last are
 * drawn.
 *
 * ```
 * c1  write x 1   ├──┤
 * c2  write x 2         ├──┤
 * c3  read x → 1              ├──┤
 * ```
 */
export function diagramOf(operations: readonly Operation[]): string {
  const sorted = operations.toSorted((a, b) => a.invokeLine - b.invokeLine).slice(-drawnMax);
  const moments = momentsOf(sorted);
  const end = moments.size * columnWidth;
  const names = sorted.map(({ process }) => showName(process));
  const nameWidth = Math.max(0, ...names.map((name) => name.length));
  const texts = sorted.map(describe);
  const textWidth = Math.max(0, ...texts.map((text) => text.length));
  const lines = sorted.map((operation, index) => {
    const start = (moments.get(operation.invokeLine) ?? 0) * columnWidth;
    const label = `${(names[index] ?? "").padEnd(nameWidth)}  ${(texts[index] ?? "").padEnd(textWidth)}`;
    return `${label}  ${" ".repeat(start)}${barOf(operation, start, end, moments)}`;
  });
  if (operations.length > drawnMax) lines.unshift(`… ${countOf(operations.length - drawnMax, "operation")} before`);
  return lines.join("\n");
}

const columnWidth = 3;
const drawnMax = 40;

/** An operation in a few words: `read x → 1`. */
export function describe({ op, key, value, result, outcome }: Operation): string {
  const given = value === undefined || op === "read" || op === "delete" ? "" : ` ${show(value, 24)}`;
  const came = outcome === "ok" && result !== undefined && op !== "write" ? ` → ${show(result, 24)}` : "";
  const unknown = outcome === "info" ? " → ?" : "";
  return `${op} ${showName(key)}${given}${came}${unknown}`;
}

/** A number of things: `1 key`, `2 keys`. */
export function countOf(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}

/** The beginnings and ends in their order, numbered from 0. */
function momentsOf(operations: readonly Operation[]): ReadonlyMap<number, number> {
  const lines = new Set<number>();
  for (const { invokeLine, completeLine, outcome } of operations) {
    lines.add(invokeLine);
    if (completeLine !== null && outcome !== "info") lines.add(completeLine);
  }
  return new Map([...lines].sort((a, b) => a - b).map((line, number) => [line, number]));
}

function barOf(
  { outcome, completeLine }: Operation,
  start: number,
  end: number,
  moments: ReadonlyMap<number, number>,
): string {
  const last = completeLine === null || outcome === "info" ? undefined : moments.get(completeLine);
  if (last === undefined) return `├${"─".repeat(Math.max(1, end - start - 1))}┈`;
  return `├${"─".repeat(last * columnWidth - start - 1)}┤`;
}
