/**
 * Did every add and every append count once? Where a key is only added to, or only appended to, what was seen must
 * contain all that was acknowledged before and nothing twice. This follows from linearizability too, but it is cheap,
 * says in a learner's words what went wrong, and still works where the search for an order gives up.
 */

import { show, showName } from "./history.ts";
import type { History, Operation } from "./operations.ts";
import { shrink } from "./shrink.ts";

/** An add or append that counted twice or not at all, and who saw it. */
export type Miscount = {
  readonly kind: "lost" | "repeated" | "either";
  readonly key: string;
  readonly reason: string;
  /** The observer, and the operations that it miscounts: these alone are contradictory. */
  readonly operations: readonly Operation[];
};

/** The first miscount of each key where there is one. That there is none proves nothing by itself. */
export function findMiscounts(history: History): Miscount[] {
  const found: Miscount[] = [];
  for (const [key, all] of history.byKey) {
    const operations = all.filter(({ outcome }) => outcome !== "fail");
    const consistsOf = (op: Operation["op"]): boolean =>
      operations.some((each) => each.op === op) && operations.every((each) => each.op === op || each.op === "read");
    const miscount = consistsOf("add") ? miscountOfAdds(key, operations) : null;
    const other = miscount === null && consistsOf("append") ? miscountOfAppends(key, operations) : miscount;
    if (other !== null) found.push(other);
  }
  return found;
}

/**
 * What is seen of a number lies between two sums: both hold the adds acknowledged before the observer began; one adds
 * the rest of what could have counted by its end if that lowers the sum, the other if it raises it.
 */
function miscountOfAdds(key: string, operations: readonly Operation[]): Miscount | null {
  const adds = operations.filter(({ op }) => op === "add");
  const backwards = stepBackwards(key, adds, operations);
  if (backwards !== null) return backwards;
  if (!adds.every((add) => Number.isSafeInteger(amountOf(add)))) return null;
  const begun = new RunningSums(adds, ({ invokeLine }) => invokeLine);
  const acknowledged = new RunningSums(adds.filter(isOk), completionOf);

  for (const observer of operations) {
    if (!isOk(observer)) continue;
    const seen = observer.result ?? 0;
    if (typeof seen !== "number") continue;
    const before = acknowledged.until(observer.invokeLine);
    const possible = begun.until(completionOf(observer));
    const own = observer.op === "add" ? amountOf(observer) : 0;
    const lowest = before.up + possible.down + Math.max(own, 0);
    const highest = before.down + possible.up + Math.min(own, 0);
    if (seen >= lowest && seen <= highest) continue;
    const kind = kindOf(seen < lowest, possible);
    const bounds = lowest === highest ? `${lowest}` : `between ${lowest} and ${highest}`;
    return {
      kind,
      key,
      reason:
        `${showName(observer.process)} saw ${show(seen)} at "${showName(key)}", but all adds acknowledged before and some of those still ` +
        `open come to ${bounds}: some add ${troubles[kind]}.`,
      operations: evidenceAgainst(observer, operations, adds),
    };
  }
  return null;
}

/** The observer and the adds that it miscounts; where these are many, some operations that show it as well. */
function evidenceAgainst(
  observer: Operation,
  operations: readonly Operation[],
  adds: readonly Operation[],
): readonly Operation[] {
  const counted = countedBy(observer, operations, adds);
  return counted.length <= readableMax ? counted : shrink(operations, observer);
}

/** More operations than this nobody reads. */
const readableMax = 8;

/** The observer and all adds that it could count; if they raised the number too far since somebody saw it, only since then. */
function countedBy(
  observer: Operation,
  operations: readonly Operation[],
  adds: readonly Operation[],
): readonly Operation[] {
  const end = completionOf(observer);
  const possible = adds.filter(({ invokeLine }) => invokeLine < end);
  const earlier = operations
    .filter((each) => isOk(each) && completionOf(each) < observer.invokeLine)
    .reduce<Operation | null>((last, each) => (completionOf(each) > (last?.completeLine ?? 0) ? each : last), null);
  const since = possible.filter((add) => add !== earlier && completionOf(add) > (earlier?.invokeLine ?? 0));
  const most = since.reduce(
    (sum, add) => sum + Math.max(amountOf(add), 0),
    earlier === null ? 0 : numberSeenBy(earlier),
  );
  const suffices = earlier !== null && numberSeenBy(observer) > most;
  const shown = new Set(suffices ? [earlier, ...since, observer] : [...possible, observer]);
  return [...shown].sort((a, b) => a.invokeLine - b.invokeLine);
}

/** Where all adds raise the number, nobody sees less than somebody saw before; and an add sees more. */
function stepBackwards(key: string, adds: readonly Operation[], operations: readonly Operation[]): Miscount | null {
  if (!adds.every((add) => amountOf(add) > 0)) return null;
  const completed = operations.filter(isOk).sort((a, b) => completionOf(a) - completionOf(b));
  let next = 0;
  let highest: Operation | null = null;
  for (const observer of operations) {
    if (!isOk(observer)) continue;
    for (let earlier = completed[next]; earlier !== undefined; earlier = completed[next]) {
      if (completionOf(earlier) > observer.invokeLine) break;
      if (highest === null || numberSeenBy(earlier) > numberSeenBy(highest)) highest = earlier;
      next += 1;
    }
    if (highest === null) continue;
    const least = numberSeenBy(highest) + amountOf(observer);
    if (numberSeenBy(observer) >= least) continue;
    const reason =
      `${showName(observer.process)} saw ${numberSeenBy(observer)} at "${showName(key)}", where it must have been ${least} at least: ` +
      `${showName(highest.process)} had seen ${numberSeenBy(highest)} before, and adds only raise it. Some add was lost, or had counted twice before.`;
    return { kind: "lost", key, reason, operations: [highest, observer] };
  }
  return null;
}

const troubles = {
  lost: "was lost",
  repeated: "counted more than once",
  either: "was lost or counted more than once",
} as const;

/** Whether too low (or else too high) means that an add was lost: only where all adds go the same way can one tell. */
function kindOf(isTooLow: boolean, possible: { readonly up: number; readonly down: number }): Miscount["kind"] {
  if (possible.up > 0 && possible.down < 0) return "either";
  return isTooLow === possible.up > 0 ? "lost" : "repeated";
}

/** The sums of positive and of negative amounts up to a line. */
class RunningSums {
  readonly #lines: number[] = [];
  readonly #sums: { readonly up: number; readonly down: number }[] = [{ up: 0, down: 0 }];

  constructor(adds: readonly Operation[], lineOf: (add: Operation) => number) {
    let up = 0;
    let down = 0;
    for (const add of adds.toSorted((a, b) => lineOf(a) - lineOf(b))) {
      up += Math.max(amountOf(add), 0);
      down += Math.min(amountOf(add), 0);
      this.#lines.push(lineOf(add));
      this.#sums.push({ up, down });
    }
  }

  /** The sums of those before `line`. */
  until(line: number): { readonly up: number; readonly down: number } {
    return this.#sums[countBelow(this.#lines, line)] ?? { up: 0, down: 0 };
  }
}

/**
 * If no appended text is the beginning of another, the longest text that was seen falls apart into them in one way only,
 * and every other text that is its beginning holds the first few of them.
 */
function miscountOfAppends(key: string, operations: readonly Operation[]): Miscount | null {
  const appends = operations.filter(({ op }) => op === "append");
  const byText = new Map(appends.map((append) => [textOf(append), append]));
  if (byText.size !== appends.length || !isPrefixFree([...byText.keys()])) return null;
  const observers = operations.filter(
    (each) => isOk(each) && typeof (each.result ?? "") === "string" && isObserver(each),
  );
  const longest = observers.reduce<Operation | null>(
    (best, each) => (best === null || seenBy(each).length > seenBy(best).length ? each : best),
    null,
  );
  if (longest === null) return null;

  const ends = new Map<Operation, number>();
  for (const { append, end } of pieces(seenBy(longest), byText)) {
    if (append === null) return null;
    if (ends.has(append)) {
      const reason = `${showName(longest.process)} saw ${show(textOf(append))} twice at "${showName(key)}"; it was appended once.`;
      return { kind: "repeated", key, reason, operations: [append, longest] };
    }
    ends.set(append, end);
  }
  return lostAppend(key, observers, appends, ends, seenBy(longest));
}

function lostAppend(
  key: string,
  observers: readonly Operation[],
  appends: readonly Operation[],
  ends: ReadonlyMap<Operation, number>,
  longest: string,
): Miscount | null {
  const acknowledged = appends.filter(isOk).sort((a, b) => completionOf(a) - completionOf(b));
  let next = 0;
  let last: Operation | null = null;
  for (const observer of observers) {
    for (let append = acknowledged[next]; append !== undefined; append = acknowledged[next]) {
      if (completionOf(append) > observer.invokeLine) break;
      if (last === null || endOf(append, ends) > endOf(last, ends)) last = append;
      next += 1;
    }
    const seen = seenBy(observer);
    if (last === null || seen.length >= endOf(last, ends) || !longest.startsWith(seen)) continue;
    const reason =
      `${showName(observer.process)} did not see ${show(textOf(last))} at "${showName(key)}", though it had been appended, ` +
      `and acknowledged to ${showName(last.process)}, before.`;
    return { kind: "lost", key, reason, operations: [last, observer] };
  }
  return null;
}

function endOf(append: Operation, ends: ReadonlyMap<Operation, number>): number {
  return ends.get(append) ?? Number.POSITIVE_INFINITY;
}

/** The appends of which a text consists; `null` where it cannot be told. */
function* pieces(
  text: string,
  byText: ReadonlyMap<string, Operation>,
): Generator<{ readonly append: Operation | null; readonly end: number }> {
  const lengths = [...new Set([...byText.keys()].map((piece) => piece.length))];
  let start = 0;
  while (start < text.length) {
    let append: Operation | null = null;
    for (const length of lengths) append ??= byText.get(text.slice(start, start + length)) ?? null;
    start = append === null ? text.length : start + textOf(append).length;
    yield { append, end: start };
  }
}

function isPrefixFree(texts: readonly string[]): boolean {
  const sorted = texts.toSorted();
  return sorted.every((text, index) => text !== "" && !(sorted[index + 1] ?? "").startsWith(text));
}

/** An append that says nothing saw nothing. */
function isObserver({ op, result }: Operation): boolean {
  return op === "read" || typeof result === "string";
}

function seenBy({ result }: Operation): string {
  return typeof result === "string" ? result : "";
}

function numberSeenBy({ result }: Operation): number {
  return typeof result === "number" ? result : 0;
}

function isOk({ outcome }: Operation): boolean {
  return outcome === "ok";
}

function completionOf({ completeLine }: Operation): number {
  return completeLine ?? Number.POSITIVE_INFINITY;
}

function amountOf({ value }: Operation): number {
  return typeof value === "number" ? value : 0;
}

function textOf({ value }: Operation): string {
  return typeof value === "string" ? value : "";
}

/** How many of the sorted numbers lie below `limit`. */
function countBelow(sorted: readonly number[], limit: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? limit) < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
