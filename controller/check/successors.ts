/** What can come next: the ways in which a configuration goes on when an operation completes. */

import { type Action, isPossible, next } from "./actions.ts";
import { type Bits, withBit } from "./bits.ts";
import { type Configuration, isDone, withSpent } from "./configuration.ts";
import type { OpenStep, OpenSteps } from "./open-steps.ts";
import { type Fate, Outlook } from "./outlook.ts";
import type { Plan } from "./plan.ts";
import type { State } from "./values.ts";

const never = Number.POSITIVE_INFINITY;

/** Finds successors among the steps of one key that can now take effect. */
export class Successors {
  readonly #plan: Plan;
  readonly #open: OpenSteps;
  readonly #outlook: Outlook | null;
  readonly #spends: boolean;

  /** @param spends Whether an indefinite step takes effect at most once. */
  constructor(plan: Plan, open: OpenSteps, spends: boolean) {
    this.#plan = plan;
    this.#open = open;
    this.#outlook = plan.growsUnseen ? new Outlook(plan, open) : null;
    this.#spends = spends;
  }

  /** Where `step` took effect unseen just before the latest setter: alone, or with the setter whose value it saw. */
  hiding(start: Configuration, { step, slot }: OpenStep): Configuration[] {
    const found: Configuration[] = [];
    if (step.invoke >= start.setAt) return found;
    if (step.hideable) {
      const hidden = { ...start, done: withBit(start.done, slot) };
      found.push(step.action.kind === "set" ? this.#seenBefore(start.setAt, step.action.state, hidden) : hidden);
    }
    if (step.role !== "observer") return found;
    for (const setter of this.#open.setters) {
      const { action, invoke } = setter.step;
      if (action.kind !== "set" || invoke >= start.setAt || isDone(start, setter.slot)) continue;
      if (!this.#isPossible(step.action, action.state)) continue;
      found.push(this.#seenBefore(start.setAt, action.state, { ...start, done: withBit(start.done, setter.slot) }));
    }
    for (const group of this.#open.setterGroups) {
      const { action } = this.#open.group(group);
      if (action.kind !== "set" || !this.#isPossible(step.action, action.state)) continue;
      if (!this.#open.isAvailable(group, start, start.setAt)) continue;
      found.push(this.#seenBefore(start.setAt, action.state, { ...start, spent: this.#spending(start, group) }));
    }
    return found;
  }

  /** What can take effect next after `from`, on the way to `target`, which completes now. */
  onward(from: Configuration, target: OpenStep): Configuration[] {
    const found: Configuration[] = [];
    const now = target.step.complete;
    if (target.step.role !== "observer") {
      const isWanted = !target.step.optional || this.#plan.avoids;
      this.#add(found, from, target.step.action, withBit(from.done, target.slot), from.spent, now, isWanted);
    }
    if (target.step.role === "setter" && !this.#isWaitedFor(from)) return found;
    for (const { step, slot } of this.#open.changers) {
      if (slot === target.slot || isDone(from, slot)) continue;
      this.#add(found, from, step.action, withBit(from.done, slot), from.spent, now, !step.hideable);
    }
    for (const groups of this.#changerGroups(from.state)) {
      for (const group of groups) {
        const { action } = this.#open.group(group);
        if (!this.#isPossible(action, from.state) || !this.#open.isAvailable(group, from, never)) continue;
        this.#add(found, from, action, from.done, this.#spending(from, group), now, this.#plan.avoids);
      }
    }
    for (const { step, slot } of this.#open.setters) {
      if (slot === target.slot || isDone(from, slot) || !this.#isUseful(step.action, from, target)) continue;
      this.#add(found, from, step.action, withBit(from.done, slot), from.spent, now, true);
    }
    for (const group of this.#open.setterGroups) {
      const { action } = this.#open.group(group);
      if (!this.#open.isAvailable(group, from, never) || !this.#isUseful(action, from, target)) continue;
      this.#add(found, from, action, from.done, this.#spending(from, group), now, true);
    }
    return found;
  }

  /** `configuration` after every open observer that can has seen its state. */
  seen(configuration: Configuration): Configuration {
    let done = configuration.done;
    for (const { step, slot } of this.#open.observers) {
      if (!isDone(configuration, slot) && this.#isPossible(step.action, configuration.state))
        done = withBit(done, slot);
    }
    return done === configuration.done ? configuration : { ...configuration, done };
  }

  /** The same with a state that was there, unseen otherwise, just before line `setAt`. */
  #seenBefore(setAt: number, state: State, configuration: Configuration): Configuration {
    let done = configuration.done;
    for (const { step, slot } of this.#open.observers) {
      if (step.invoke >= setAt || isDone(configuration, slot)) continue;
      if (this.#isPossible(step.action, state)) done = withBit(done, slot);
    }
    return { ...configuration, done };
  }

  /**
   * Adds to `found` what `action` makes of `from`, unless that is impossible, leads nowhere, or to nothing that is wanted.
   *
   * @param done The steps that have taken effect then, and `spent` the indefinite ones.
   */
  #add(
    found: Configuration[],
    from: Configuration,
    action: Action,
    done: Bits,
    spent: readonly number[],
    now: number,
    isWanted: boolean,
  ): void {
    if (!this.#isPossible(action, from.state)) return;
    const setAt = action.kind === "set" ? now : from.setAt;
    const fate = this.#fateOf(from.state, action, { state: from.state, done, spent, setAt }, now);
    if (fate.kind === "impossible") return;
    const reached = { state: fate.state, done, spent, setAt };
    const after = this.seen(reached);
    // What nobody wanted and nobody sees can as well be hidden later, when its own completion asks for it.
    if (fate.kind === "seen" || isWanted || after !== reached) found.push(after);
  }

  #fateOf(before: State, action: Action, configuration: Configuration, now: number): Fate {
    if (this.#outlook === null) return { kind: "seen", state: next(action, before, this.#plan.values) };
    if (action.kind === "append" && action.result === null) {
      return this.#outlook.fateOf(before, action.text, configuration, now);
    }
    return this.#outlook.fateOf(next(action, before, this.#plan.values), null, configuration, now);
  }

  /** Whether some open step depends on the state: otherwise nothing need happen before the step that completes. */
  #isWaitedFor(from: Configuration): boolean {
    for (const { slot } of this.#open.observers) if (!isDone(from, slot)) return true;
    for (const { step, slot } of this.#open.changers) if (!step.optional && !isDone(from, slot)) return true;
    return false;
  }

  /** Whether this setter could now let something happen that is not possible in every state. */
  #isUseful(setter: Action, from: Configuration, target: OpenStep): boolean {
    if (setter.kind !== "set") return false;
    const { state } = setter;
    if (target.step.role === "observer" && this.#isPossible(target.step.action, state)) return true;
    for (const { step, slot } of this.#open.changers) {
      if (!isDone(from, slot) && this.#isPossible(step.action, state)) return true;
    }
    for (const groups of this.#changerGroups(state)) {
      for (const group of groups) {
        if (this.#open.isAvailable(group, from, never) && this.#isPossible(this.#open.group(group).action, state))
          return true;
      }
    }
    return false;
  }

  /** The groups of changers that may be possible in `state`. */
  #changerGroups(state: State): readonly (readonly number[])[] {
    const swaps = this.#open.swapGroups.get(state);
    return swaps === undefined ? [this.#open.growthGroups] : [swaps, this.#open.growthGroups];
  }

  #spending({ spent }: Configuration, group: number): readonly number[] {
    return this.#spends ? withSpent(spent, group) : spent;
  }

  #isPossible(action: Action, state: State): boolean {
    return isPossible(action, state, this.#plan.values);
  }
}
