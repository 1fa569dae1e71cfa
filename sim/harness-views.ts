/** What can be seen of a simulated bench from outside: the boards' logs, whether they agree, and all of it in words. */

import type { Json } from "../device/json.ts";
import { decodeCommand } from "../device/machine/log-command.ts";
import type { Entry } from "../device/raft/index.ts";
import { boardOf } from "../device/replica/identity.ts";
import type { SimBoard } from "./sim-board.ts";
import type { World } from "./world.ts";

/** One entry of a board's log. */
export type LoggedEntry = {
  readonly index: number;
  readonly term: number;
  /** Whether this board knows it to be committed. */
  readonly committed: boolean;
  /**
   * A client's command, the opening of a client's session, a change of members, or the empty entry with which each
   * leader begins.
   */
  readonly kind: "command" | "session" | "configuration" | "empty";
  /** What a client commanded, such as `{ op: "write", key: "x", value: 1 }`; otherwise `null`. */
  readonly command: Json;
};

/** The entries that a board's log holds after its snapshot; none while its process is gone. */
export function logOf(board: SimBoard): readonly LoggedEntry[] {
  const raft = board.replica?.raft;
  if (raft === undefined || raft === null) return [];
  const entries: LoggedEntry[] = [];
  for (let index = raft.snapshotIndex + 1; index <= raft.lastIndex; index += 1) {
    const entry = raft.entryAt(index);
    if (entry !== null) entries.push(logged(entry, index <= raft.commitIndex));
  }
  return entries;
}

function logged(entry: Entry, committed: boolean): LoggedEntry {
  const { index, term, kind } = entry;
  if (kind !== "command") return { index, term, committed, kind, command: null };
  const decoded = decodeCommand(entry.data);
  return decoded?.kind === "command"
    ? { index, term, committed, kind, command: decoded.command }
    : { index, term, committed, kind: "session", command: null };
}

/** Whether these boards' logs end at the same entry, all of it is applied, and their states are the same to the byte. */
export function agree(boards: readonly SimBoard[]): boolean {
  const [first] = boards.map(({ replica }) => replica);
  const end = first?.raft?.lastIndex;
  const isThere = boards.every(({ replica }) => {
    const raft = replica?.raft;
    return raft?.lastIndex === end && raft?.appliedIndex === end && raft?.lastTerm === first?.raft?.lastTerm;
  });
  if (end === undefined || !isThere) return false;
  const state = first?.machines?.snapshot();
  return boards.every(({ replica }) => replica?.machines?.snapshot() === state);
}

/** Whether these boards and no others are voters, nobody learns, and that is committed. */
export function areMembers(world: World, names: readonly string[]): boolean {
  const raft = world.leader?.replica?.raft;
  if (raft === undefined || raft === null || raft.configurationIndex > raft.commitIndex) return false;
  const { voters, votersOutgoing, learners } = raft.configuration;
  const boards = voters.map(boardOf);
  const isSame = boards.length === names.length && names.every((name) => boards.includes(name));
  return isSame && votersOutgoing.length + learners.length === 0;
}

/** Whether somebody leads and has committed something in its term, and everybody has all connections to brokers. */
export function isReady(world: World): boolean {
  const raft = world.leader?.replica?.raft;
  if (raft === undefined || raft === null || raft.termAt(raft.commitIndex) !== raft.term) return false;
  const { boards, clients, bench, network } = world;
  const inboxes = new Set(bench.boards.map(({ inbox }) => inbox));
  return bench.brokers.every(({ name }, broker) => {
    const isConnected = (endpoint: number): boolean => network.isConnected(endpoint, broker);
    const hasBoards = !inboxes.has(name) || boards.every((_, board) => isConnected(board));
    return hasBoards && clients.every((_, client) => isConnected(boards.length + client));
  });
}

/** All boards in a few words each, for people who wonder what happened. */
export function describe(world: World): string {
  return world.boards
    .map((board) => {
      const { status } = board;
      if (status === null) return `${board.name} is ${board.state}`;
      const { role, term, leader, commitIndex, appliedIndex, lastIndex } = status;
      const state = board.state === "running" ? "" : `${board.state}, `;
      const follows = role === "leader" || leader === null ? "" : ` of ${leader}`;
      return `${board.name}: ${state}${role}${follows} in term ${term}, log to ${lastIndex}, committed ${commitIndex}, applied ${appliedIndex}`;
    })
    .join("; ");
}
