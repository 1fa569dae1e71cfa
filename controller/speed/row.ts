/** A row of the table: one thing that was measured, at each contestant. */

import { type Figure, figureOf } from "./figure.ts";

/** What is measured. */
export type Unit = "operations a second" | "milliseconds" | "megabytes";

/** `ratio`: ours by theirs; `null` without a peer. */
export type Row = {
  readonly what: string;
  /** How many operations were under way at once; `null` where that is no matter. */
  readonly inFlight: number | null;
  readonly unit: Unit;
  readonly adrift: Figure | null;
  readonly peer: Figure | null;
  readonly ratio: number | null;
};

/** The values of each contestant, in its rounds. */
export type Values = readonly [adrift: readonly (number | null)[], peer: readonly (number | null)[]];

/** The row of some values. */
export function rowOf(what: string, inFlight: number | null, unit: Unit, [ours, theirs]: Values): Row {
  const [adrift, peer] = [figureOf(ours), figureOf(theirs)];
  const ratio = adrift === null || peer === null || peer.median === 0 ? null : adrift.median / peer.median;
  return { what, inFlight, unit, adrift, peer, ratio };
}
