/** Which board is updated next, and whether the others can do without it: from what boards say of themselves. */

import { boardOf } from "../../device/replica/identity.ts";
import type { BoardStatus } from "../../device/transport/envelope.ts";

/** What each board answered; who did not answer is missing. */
export type Look = ReadonlyMap<string, BoardStatus>;

/** The board that leads in the latest term of which anybody tells. */
export type Leader = { readonly board: string; readonly status: BoardStatus };

/** Who leads; `null`: nobody says so. */
export function leaderOf(look: Look): Leader | null {
  const leaders = [...look].filter(([, { role }]) => role === "leader").map(([board, status]) => ({ board, status }));
  return leaders.toSorted((one, other) => other.status.term - one.status.term)[0] ?? null;
}

/** Whether a board leads, or follows whoever does, in the leader's term. */
export function isInAgreement(board: string, look: Look): boolean {
  const leader = leaderOf(look);
  const status = look.get(board);
  if (leader === null || status === undefined || status.term !== leader.status.term) return false;
  if (leader.board === board) return true;
  return status.role === "follower" && status.leader === leader.status.member;
}

/** Whether a board is in agreement, and has applied all up to here. */
export function hasCaughtUp(board: string, look: Look, commitIndex: number): boolean {
  return isInAgreement(board, look) && (look.get(board)?.appliedIndex ?? 0) >= commitIndex;
}

/**
 * Why this board may not be taken down now: without it no majority would be there that agrees on a leader, or, as long as it
 * leads, could. `null`: it may.
 */
export function whyNotWithout(board: string, look: Look): string | null {
  const leader = leaderOf(look);
  if (leader === null) return "Nobody leads.";
  const voters = leader.status.voters.map(boardOf);
  const majority = Math.floor(voters.length / 2) + 1;
  const others = voters.filter((voter) => voter !== board);
  const missing = others.filter((voter) => !isInAgreement(voter, look));
  if (others.length - missing.length >= majority) return null;
  const need = `Without ${board} at least ${majority} of ${voters.length} boards must agree on a leader`;
  return missing.length === 0
    ? `${need}, and there are only ${others.length} others: this cluster stands still while any of its boards is down.`
    : `${need}, and ${missing.join(", ")} ${missing.length === 1 ? "does" : "do"} not.`;
}

/** The boards in the order in which they are updated: first who takes no part anyway, then followers, then the leader. */
export function inOrder(boards: readonly string[], look: Look): readonly string[] {
  const leader = leaderOf(look)?.board ?? null;
  const rank = (board: string): number => {
    if (board === leader) return 2;
    return isInAgreement(board, look) ? 1 : 0;
  };
  return boards.toSorted((one, other) => rank(one) - rank(other));
}

/** Who shall lead in the place of a board: the voter that has the most of the log, those with the new program first. */
export function successorOf(board: string, look: Look, updated: ReadonlySet<string>): string | null {
  const voters = leaderOf(look)?.status.voters.map(boardOf) ?? [];
  const able = voters.filter((voter) => voter !== board && isInAgreement(voter, look));
  const lastIndex = (name: string): number => look.get(name)?.lastIndex ?? 0;
  const rank = (one: string, other: string): number =>
    Number(updated.has(other)) - Number(updated.has(one)) || lastIndex(other) - lastIndex(one);
  return able.toSorted(rank)[0] ?? null;
}
