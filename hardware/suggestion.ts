/** The name that somebody probably meant. */

/**
 * The one of `known` that `typed` most resembles, or `null` if none does: at most one change (a letter added, left out,
 * replaced, or two neighbours swapped) for every three letters typed.
 */
export function closest(typed: string, known: Iterable<string>): string | null {
  let best: string | null = null;
  let fewest = Math.floor(Math.max(typed.length, 3) / 3) + 1;
  for (const name of known) {
    if (Math.abs(name.length - typed.length) >= fewest) continue;
    const changes = editDistance(typed.toLowerCase(), name.toLowerCase());
    if (changes < fewest) {
      best = name;
      fewest = changes;
    }
  }
  return best;
}

/** ` Did you mean "broker"?`, with the space before it, or nothing if nothing known resembles `typed`. */
export function suggestion(typed: string, known: Iterable<string>): string {
  const name = closest(typed, known);
  return name === null ? "" : ` Did you mean "${name}"?`;
}

/** What to say of a name that stands for nothing: `there is no broker "brokr"; the brokers are ...`. */
export function unknownName(what: string, typed: string, known: readonly string[]): string {
  const all = known.length === 0 ? "none are declared" : `known: ${known.join(", ")}`;
  return `there is no ${what} "${typed}" (${all}).${suggestion(typed, known)}`;
}

/** How many letters must be added, left out, replaced or swapped with a neighbour (optimal string alignment). */
function editDistance(one: string, other: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let row = 1; row <= one.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const same = one[row - 1] === other[column - 1];
      let changes = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      if (swapped) changes = Math.min(changes, (beforeLast[column - 2] ?? 0) + 1);
      current.push(changes);
    }
    beforeLast = last;
    last = current;
  }
  return last[other.length] ?? 0;
}
