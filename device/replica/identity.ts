/** Boards and the identities under which they take part in consensus (see `MemberId`). */

import type { MemberId } from "../raft/index.ts";

/** The name of a board. */
export type BoardId = string;

/** The board behind an identity. Board names hold no dot. */
export function boardOf(member: MemberId): BoardId {
  const dot = member.indexOf(".");
  return dot === -1 ? member : member.slice(0, dot);
}

/** A new identity for a board that lost its disk. `incarnation` is drawn at random, so that no two are alike. */
export function reborn(board: BoardId, incarnation: number): MemberId {
  return `${board}.${incarnation.toString(16).padStart(8, "0")}`;
}

/** Whether this is an identity that a board took because it had lost its disk. */
export function isReborn(member: MemberId): boolean {
  return member.includes(".");
}
