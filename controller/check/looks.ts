/** Until when a state of a key matters: once nobody looks for it any more, it is as good as any other. */

import type { Action } from "./actions.ts";
import { absent, type State } from "./values.ts";

/** What a step does, and when. */
export type TimedAction = {
  readonly action: Action;
  /** The lines of its invocation and completion. */
  readonly invoke: number;
  readonly complete: number;
  /** It need not have happened. */
  readonly optional: boolean;
};

/** The last looks of the steps on one key. */
export class Looks {
  /** The last line at which a step completes that looks for this state, by state. */
  readonly #at = new Map<State, number>();
  /** The same for steps that are possible in many states, though not in all. */
  #atMany = 0;
  /** The states in which one of these is not possible; `null` if there is no telling. */
  #avoided: Set<State> | null = new Set();

  constructor(steps: readonly TimedAction[]) {
    const swaps: TimedAction[] = [];
    for (const step of steps) {
      const { action, complete, optional } = step;
      if (action.kind === "swap" && optional) swaps.push(step);
      else if (action.kind === "swap") this.#look(action.from, complete);
      else if (action.kind === "equals" || action.kind === "differs") this.#look(action.state, complete);
      if (action.kind === "set" || action.kind === "swap" || action.kind === "equals") continue;
      this.#atMany = Math.max(this.#atMany, complete);
      if (action.kind === "differs") this.#avoided?.add(action.state);
      else if (action.kind === "remove") this.#avoided?.add(absent);
      else this.#avoided = null;
    }
    this.#followSwaps(swaps);
  }

  /** The last line at which it makes a difference whether the key holds this state or any that nobody looks for. */
  lastAt(state: State): number {
    return this.#at.get(state) ?? 0;
  }

  /** The last line at which it makes a difference that `action` took effect; afterwards it might as well not have. */
  usefulUntil(action: Action): number {
    if (action.kind === "set") return Math.max(this.lastAt(action.state), this.#atMany);
    if (action.kind !== "swap") return Number.POSITIVE_INFINITY;
    const leaves = this.#avoided === null || this.#avoided.has(action.from);
    return leaves ? Math.max(this.lastAt(action.to), this.#atMany) : this.lastAt(action.to);
  }

  /** A swap that need not have happened looks for a state only as long as somebody looks for what it makes of it. */
  #followSwaps(swaps: readonly TimedAction[]): void {
    let changed = true;
    while (changed) {
      changed = false;
      for (const { action, invoke, complete } of swaps.toReversed()) {
        if (action.kind !== "swap") continue;
        const useful = this.usefulUntil(action);
        if (useful > invoke && this.#look(action.from, Math.min(useful, complete))) changed = true;
      }
    }
  }

  #look(state: State, line: number): boolean {
    if (line <= this.lastAt(state)) return false;
    this.#at.set(state, line);
    return true;
  }
}
