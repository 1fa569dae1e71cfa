/** A figure that was measured several times: the middle one, and how far the others lie from it. */

/** `values` in the order in which they were measured, the others worked out from them. */
export type Figure = {
  readonly median: number;
  readonly least: number;
  readonly most: number;
  readonly values: readonly number[];
};

/** The figure of some values; `null` if there are none. */
export function figureOf(values: readonly (number | null)[]): Figure | null {
  const known = values.filter((value) => value !== null);
  const sorted = known.toSorted((one, other) => one - other);
  const [least, most] = [sorted[0], sorted.at(-1)];
  if (least === undefined || most === undefined) return null;
  const upper = sorted[sorted.length >> 1] ?? most;
  const lower = sorted[(sorted.length - 1) >> 1] ?? least;
  return { median: (upper + lower) / 2, least, most, values: known };
}
