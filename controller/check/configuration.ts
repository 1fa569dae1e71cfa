/**
 * How far one possible order of events has come: the unit of the search. Several orders that came equally far are one
 * configuration, and one that leaves every possibility of another open makes that other superfluous.
 */

import { type Bits, hasBit } from "./bits.ts";
import type { Step } from "./plan.ts";
import type { State } from "./values.ts";

/** One way in which the history up to here can have happened. */
export type Configuration = {
  readonly state: State;
  /** The open slots whose steps have taken effect. */
  readonly done: Bits;
  /** The indefinite steps that took effect, by group: sorted, one number for each. */
  readonly spent: readonly number[];
  /**
   * The line at which the latest setter took effect, 0 if none did. Just before it, what was invoked by then may still
   * be slipped in unseen.
   */
  readonly setAt: number;
};

/** The definite steps now open, by slot. */
export type Slots = readonly (Step | null)[];

/** A set of configurations of which none can do whatever another one can: of two such, only the better one stays. */
export class Antichain {
  readonly #slots: Slots;
  readonly #byState = new Map<State, Configuration[]>();
  /** Where there are too many to compare them all, at least none is kept twice. */
  #names: Set<string> | null = null;
  #size = 0;

  constructor(slots: Slots) {
    this.#slots = slots;
  }

  /** Takes a configuration in, unless one that is as good is there. Says whether it did. */
  add(candidate: Configuration): boolean {
    const rivals = this.#byState.get(candidate.state);
    if (rivals === undefined) {
      this.#byState.set(candidate.state, [candidate]);
      this.#size += 1;
      return true;
    }
    if (rivals.length > compareMax && this.#isRepeated(candidate)) return false;
    const first = Math.max(0, rivals.length - compareMax);
    for (let i = rivals.length - 1; i >= first; i -= 1) {
      const rival = rivals[i];
      if (rival !== undefined && dominates(rival, candidate, this.#slots)) return false;
    }
    let kept = first;
    for (let i = first; i < rivals.length; i += 1) {
      const rival = rivals[i];
      if (rival === undefined || dominates(candidate, rival, this.#slots)) continue;
      rivals[kept] = rival;
      kept += 1;
    }
    this.#size += kept + 1 - rivals.length;
    rivals.length = kept;
    rivals.push(candidate);
    return true;
  }

  get size(): number {
    return this.#size;
  }

  /** All that are there. */
  members(): Configuration[] {
    return [...this.#byState.values()].flat();
  }

  #isRepeated(candidate: Configuration): boolean {
    const name = nameOf(candidate);
    this.#names ??= new Set();
    if (this.#names.has(name)) return true;
    this.#names.add(name);
    return false;
  }
}

/** With how many others of the same state a configuration is compared. */
const compareMax = 128;

/**
 * Whether `a` can do whatever `b` (in the same state) can do: it has spent no more, can hide whatever `b` can hide, and
 * of the open steps it has done what `b` has done, but for two differences. It may have more observers done: they only
 * constrain. And it need not have done what it can still hide, or need never do.
 */
function dominates(a: Configuration, b: Configuration, slots: Slots): boolean {
  if (a.setAt < b.setAt || !isPartOf(a.spent, b.spent)) return false;
  const words = Math.max(a.done.length, b.done.length);
  for (let word = 0; word < words; word += 1) {
    const inA = a.done[word] ?? 0;
    let differing = inA ^ (b.done[word] ?? 0);
    while (differing !== 0) {
      const lowest = 31 - Math.clz32(differing & -differing);
      const step = slots[word * 32 + lowest];
      const advantage =
        ((inA >>> lowest) & 1) === 1
          ? step?.role === "observer"
          : step?.optional === true || (step?.hideable === true && step.invoke < a.setAt);
      if (!advantage) return false;
      differing &= differing - 1;
    }
  }
  return true;
}

/** Whether the sorted list `a` is part of the sorted list `b`, each repeated number counted. */
function isPartOf(a: readonly number[], b: readonly number[]): boolean {
  if (a.length === 0) return true;
  if (a.length > b.length) return false;
  let found = 0;
  for (const number of b) if (number === a[found]) found += 1;
  return found === a.length;
}

/** How often `group` was spent. */
export function timesSpent(spent: readonly number[], group: number): number {
  let times = 0;
  for (const number of spent) if (number === group) times += 1;
  return times;
}

/** `spent` and `group` once more. */
export function withSpent(spent: readonly number[], group: number): readonly number[] {
  const place = spent.findLastIndex((number) => number <= group) + 1;
  return [...spent.slice(0, place), group, ...spent.slice(place)];
}

/** What all configurations have spent, as a sorted list. */
export function spentByAll(configurations: readonly Configuration[]): readonly number[] {
  let common = configurations[0]?.spent ?? [];
  for (const { spent } of configurations) {
    if (common.length === 0) break;
    if (spent !== common) common = common.filter(counted(spent));
  }
  return common;
}

/** `spent` without what stands in `common`, which is part of it. */
export function withoutSpent(spent: readonly number[], common: readonly number[]): readonly number[] {
  const isCommon = counted(common);
  return spent.filter((number) => !isCommon(number));
}

/** Says of each number in a sorted list, in order, whether it still has a partner in the sorted list `others`. */
function counted(others: readonly number[]): (number: number) => boolean {
  let place = 0;
  return (number) => {
    while ((others[place] ?? Number.POSITIVE_INFINITY) < number) place += 1;
    if (others[place] !== number) return false;
    place += 1;
    return true;
  };
}

/** A text that two configurations share only if they are the same. */
function nameOf({ state, done, spent, setAt }: Configuration): string {
  return `${state} ${setAt} ${done.join(",")} ${spent.join(",")}`;
}

/** Whether the step in this slot has taken effect. */
export function isDone(configuration: Configuration, slot: number): boolean {
  return hasBit(configuration.done, slot);
}
