/** Cables of a rack as boards and brokers show them: for a person who pulls one and should not have to say so too. */

import type { Bench, Cable } from "../../../hardware/bench.ts";
import type { CircuitState } from "../../cutters/cutter.ts";

/** What is heard of boards. */
export type BoardsHeard = {
  /** Whether the brokers have the board; `null` if nothing was heard of it yet. */
  isOnline(board: string): boolean | null;
  /** Whether an interface has its carrier, as the board said last; `null` if it has said nothing. */
  hasCarrier(board: string, networkInterface: string): boolean | null;
};

/**
 * Whether a cable is whole, or `null` where nobody can tell. A board with one cable is heard of over it; of one with
 * several its own word counts, which reaches us over another.
 */
export function circuitSeen(cable: Cable, bench: Bench, heard: BoardsHeard): CircuitState | null {
  const end = cable.ends.find(({ node }) => bench.boards.some(({ name }) => name === node));
  if (end === undefined) return null;
  const plugged = bench.cables.filter(({ ends }) => ends.some(({ node }) => node === end.node));
  const isWhole = plugged.length === 1 ? heard.isOnline(end.node) : heard.hasCarrier(end.node, end.port);
  return isWhole === null ? null : isWhole ? "whole" : "both";
}
