/** Parting the boards of a bench: which cables that takes, and what then is the case. */

import { type Bench, cablesToSplit, type NodeName, reachability } from "../../../hardware/bench.ts";
import { unknownName } from "../../../hardware/suggestion.ts";

/** Boards that hear each other, in the order of the bench. */
export type Group = readonly NodeName[];

/** The groups cannot be what was asked for. The message says why, and what may stand there. */
export class GroupsError extends Error {
  override readonly name = "GroupsError";
}

/**
 * The groups that a person means: one alone means all other boards for a second.
 *
 * @throws {GroupsError} if a name is no board, stands twice, or a board is missing.
 */
export function completeGroups(bench: Bench, given: readonly Group[]): readonly Group[] {
  const boards = bench.boards.map(({ name }) => name);
  const named = given.flat();
  for (const name of named)
    if (!boards.includes(name)) throw new GroupsError(capitalized(unknownName("board", name, boards)));
  const twice = named.find((name, at) => named.indexOf(name) < at);
  if (twice !== undefined) throw new GroupsError(`${twice} is in two groups: a board can only be in one.`);
  const left = boards.filter((board) => !named.includes(board));
  const groups = given.filter((group) => group.length > 0);
  if (groups.length === 1 && left.length > 0) return [...groups, left];
  if (groups.length === 0 || (groups.length === 1 && left.length === 0)) {
    throw new GroupsError('Give at least two groups, as in "pi-1,pi-2 | pi-3,pi-4,pi-5".');
  }
  if (left.length > 0) {
    const [is, it] = left.length === 1 ? ["is", "Every board"] : ["are", "Each of them"];
    throw new GroupsError(`In which group ${is} ${left.join(", ")}? ${it} must be in one.`);
  }
  return groups;
}

/** What parting the boards comes to. */
export type Partition = {
  readonly cables: readonly string[];
  /** Which boards hear each other then. */
  readonly groups: readonly Group[];
  /** Boards that hear nobody any more, though they shall hear others: the cables of the bench allow no better. */
  readonly alone: readonly NodeName[];
};

/** Works out how to part the boards into groups. */
export function planPartition(bench: Bench, wanted: readonly Group[]): Partition {
  const cables = cablesToSplit(bench, wanted);
  const groups = groupsWith(bench, new Set(cables));
  const lonely = groups.filter((group) => group.length === 1).flat();
  const alone = lonely.filter((board) => wanted.some((group) => group.length > 1 && group.includes(board)));
  return { cables, groups, alone };
}

/** Which boards hear each other while these cables are cut. */
export function groupsWith(bench: Bench, cutCables: ReadonlySet<string>): readonly Group[] {
  const { hears } = reachability(bench, { cutCables, downNodes: new Set() });
  const left = bench.boards.map(({ name }) => name);
  const groups: Group[] = [];
  for (let first = left.shift(); first !== undefined; first = left.shift()) {
    const group = [first];
    for (const member of group) {
      const joined = left.filter((other) => hears(member, other) && hears(other, member));
      for (const board of joined) left.splice(left.indexOf(board), 1);
      group.push(...joined);
    }
    groups.push(bench.boards.map(({ name }) => name).filter((name) => group.includes(name)));
  }
  return groups;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
