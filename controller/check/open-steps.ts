/** The steps that could take effect at the present event: the definite ones now open, and the indefinite ones. */

import type { Action } from "./actions.ts";
import { type Configuration, timesSpent } from "./configuration.ts";
import type { Group, Plan, Step } from "./plan.ts";
import type { State } from "./values.ts";

/** An open step and its slot: its place in the `done` of configurations. */
export type OpenStep = { readonly step: Step; readonly slot: number };

/** Follows the events of one key. */
export class OpenSteps {
  /** The definite steps now open, by slot. */
  readonly slots: (Step | null)[] = [];
  /** The same by role. */
  readonly observers: OpenStep[] = [];
  readonly setters: OpenStep[] = [];
  readonly changers: OpenStep[] = [];

  /** Groups of indefinite steps that may still be of use: setters, cas by what they expect, appends and adds. */
  setterGroups: number[] = [];
  readonly swapGroups = new Map<State, number[]>();
  readonly growthGroups: number[] = [];

  readonly #plan: Plan;
  /** For each group: the lines at which its steps were invoked, and how many of them every configuration has spent. */
  readonly #invoked: readonly number[][];
  readonly #spentByAll: number[];

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#invoked = plan.groups.map(() => []);
    this.#spentByAll = plan.groups.map(() => 0);
  }

  /** Takes in a definite step and gives it a slot, free in all configurations. */
  open(step: Step): number {
    let slot = this.slots.indexOf(null);
    if (slot < 0) slot = this.slots.length;
    this.slots[slot] = step;
    this.#withRole(step.role).push({ step, slot });
    return slot;
  }

  /** The slot of an open step. */
  slotOf(step: Step): number {
    return this.slots.indexOf(step);
  }

  /** Gives the slot of a definite step free. */
  close(step: Step): void {
    this.slots[this.slotOf(step)] = null;
    const open = this.#withRole(step.role);
    open.splice(
      open.findIndex((entry) => entry.step === step),
      1,
    );
  }

  /** Whether no step but observers and this one could take effect now. */
  isAlone({ role }: Step): boolean {
    const changing = this.setters.length + this.changers.length - (role === "observer" ? 0 : 1);
    const groups = this.setterGroups.length + this.swapGroups.size + this.growthGroups.length;
    return changing === 0 && groups === 0;
  }

  /** Takes in an indefinite step. */
  openIndefinite({ group, invoke }: Step): void {
    this.#invoked[group]?.push(invoke);
    const groups = this.#groupsLike(this.group(group).action);
    if (groups.includes(group)) return;
    groups.push(group);
    // Large steps first: what is found early spends little.
    groups.sort((a, b) => this.#size(b) - this.#size(a));
  }

  /** Forgets setters that can be of no use from `line` on. */
  forgetUseless(line: number): void {
    if (this.setterGroups.length === 0) return;
    this.setterGroups = this.setterGroups.filter((group) => {
      const left = (this.#invoked[group]?.length ?? 0) - (this.#spentByAll[group] ?? 0);
      return left > 0 && this.group(group).usefulUntil >= line;
    });
  }

  /** Every configuration has spent one of `group` more; it need not stand in each. */
  spend(group: number): void {
    this.#spentByAll[group] = (this.#spentByAll[group] ?? 0) + 1;
  }

  /** Whether a step of this group that was invoked before `line` can still take effect. */
  isAvailable(group: number, { spent }: Configuration, line: number): boolean {
    const times = (this.#spentByAll[group] ?? 0) + timesSpent(spent, group);
    const invoke = this.#invoked[group]?.[times];
    return invoke !== undefined && invoke < line;
  }

  group(number: number): Group {
    const group = this.#plan.groups[number];
    if (group === undefined) throw new RangeError(`There is no group ${number} among ${this.#plan.groups.length}.`);
    return group;
  }

  #size(group: number): number {
    const { action } = this.group(group);
    return action.kind === "add" ? Math.abs(action.amount) : 0;
  }

  #withRole(role: Step["role"]): OpenStep[] {
    switch (role) {
      case "observer":
        return this.observers;
      case "setter":
        return this.setters;
      case "changer":
        return this.changers;
      default:
        return role satisfies never;
    }
  }

  #groupsLike(action: Action): number[] {
    if (action.kind === "set") return this.setterGroups;
    if (action.kind !== "swap") return this.growthGroups;
    let groups = this.swapGroups.get(action.from);
    if (groups === undefined) {
      groups = [];
      this.swapGroups.set(action.from, groups);
    }
    return groups;
  }
}
