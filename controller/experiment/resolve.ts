/** What the words of a target mean on a bench, at the moment when a fault begins. */

import type { Random } from "../../device/random.ts";
import type { Bench } from "../../hardware/bench.ts";
import type { Target } from "./model.ts";

/** What must be known of a cluster to find a target: of a simulated one from inside, of a real one from its status. */
export type ClusterView = {
  /** The boards whose process runs, in the order of the bench. */
  readonly boards: readonly string[];
  /** The board that leads or, between two leaders, the one that led last; `null` before the first. */
  readonly leader: string | null;
  /** The boards that vote. */
  readonly voters: readonly string[];
};

/** Where and when a target is looked for. */
export type Surroundings = {
  readonly bench: Bench;
  readonly view: ClusterView;
  readonly random: Random;
  /** How many times the fault has happened before. */
  readonly times: number;
};

/** The boards that a target means now, in the order of the bench; none if there is no such board at the moment. */
export function resolveBoards(target: Target, { bench, view, random, times }: Surroundings): readonly string[] {
  const all = bench.boards.map((board) => board.name);
  const inOrder = (names: readonly string[]) => all.filter((name) => names.includes(name));
  const voters = inOrder(view.voters);
  switch (target.kind) {
    case "leader":
      return view.leader === null ? [] : inOrder([view.leader]);
    case "follower": {
      const followers = voters.filter((name) => name !== view.leader && view.boards.includes(name));
      return followers.length === 0 ? [] : [random.pick(followers)];
    }
    case "minority":
      return inOrder(sample(voters, Math.ceil(voters.length / 2) - 1, random));
    case "majority":
      return inOrder(sample(voters, Math.floor(voters.length / 2) + 1, random));
    case "all":
      return all;
    case "next":
      return inOrder([all[times % all.length] ?? ""]);
    case "named":
      return inOrder(target.names);
    default:
      return target satisfies never;
  }
}

/**
 * The cables that a target means now: those of its names that are cables, and of all other names, and of boards that the
 * target means otherwise, every cable that is plugged in there.
 */
export function resolveCables(target: Target, surroundings: Surroundings): readonly string[] {
  const { cables } = surroundings.bench;
  const names = target.kind === "named" ? target.names : resolveBoards(target, surroundings);
  const wanted = new Set<string>();
  for (const name of names) {
    if (cables.some((cable) => cable.name === name)) wanted.add(name);
    else for (const cable of cables) if (cable.ends.some((end) => end.node === name)) wanted.add(cable.name);
  }
  return cables.map((cable) => cable.name).filter((name) => wanted.has(name));
}

/** The brokers or switches among `things` that a target means: all, or those it names. */
export function resolveThings(target: Target, things: readonly { readonly name: string }[]): readonly string[] {
  const names = things.map((thing) => thing.name);
  return target.kind === "named" ? names.filter((name) => target.names.includes(name)) : names;
}

/** So many of `items`, each set of them as likely as any other. */
function sample(items: readonly string[], count: number, random: Random): readonly string[] {
  const left = [...items];
  const drawn: string[] = [];
  while (drawn.length < count && left.length > 0) drawn.push(...left.splice(random.between(0, left.length), 1));
  return drawn;
}
