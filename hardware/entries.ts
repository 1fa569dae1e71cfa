/** Lists of a bench file whose items are a bare name or a mapping with a name: each item with its place in the file. */

import type { Path } from "./yaml-file.ts";

export type Named = { readonly name: string };

/** An item and where it stands, for the messages. */
export type Placed<Entry> = { readonly entry: Entry; readonly path: Path };

/** A machine that needs at least one cable: a board, or a broker's own machine. */
export type Host = Named & {
  readonly path: Path;
  /** The switch to which its own cable should lead, if the file says one. */
  readonly switch: string | undefined;
};

/** The items of `list`, which stands in the file under `key`. */
export function placed<Entry extends Named>(
  key: string,
  list: readonly (string | Entry)[],
  fromName: (name: string) => Entry,
): readonly Placed<Entry>[] {
  return list.map((item, position) => ({
    entry: typeof item === "string" ? fromName(item) : item,
    path: [key, position],
  }));
}

/** The items whose name an earlier item has already. */
export function repeated<Entry extends Named>(items: readonly Placed<Entry>[]): readonly Placed<Entry>[] {
  const seen = new Set<string>();
  return items.filter(({ entry }) => {
    const again = seen.has(entry.name);
    seen.add(entry.name);
    return again;
  });
}
