/**
 * Looking ahead for keys that are appended to (or added to) without anyone saying what came out. The next reads tell in
 * which order the appends stood; without them the search would have to keep every order of all that are open at once.
 */

import type { Action } from "./actions.ts";
import { type Configuration, isDone } from "./configuration.ts";
import type { OpenSteps } from "./open-steps.ts";
import type { Plan, Step } from "./plan.ts";
import { absent, lostNumber, lostText, type State, type Values } from "./values.ts";

/**
 * What will become of a state: it may be seen (and is this one), nobody will see it before it is set anew (so it may as
 * well be this one), or the rest of the history is impossible after it.
 */
export type Fate = { readonly kind: "seen" | "lost"; readonly state: State } | { readonly kind: "impossible" };

const impossibleFate: Fate = { kind: "impossible" };
const never = Number.POSITIVE_INFINITY;

/** Looks ahead in the history of one key. */
export class Outlook {
  readonly #values: Values;
  readonly #open: OpenSteps;
  readonly #direction: Direction;
  /** Steps that look for a certain state, and steps that make a new beginning, each by invocation. */
  readonly #lookers: readonly Step[];
  readonly #beginners: readonly Step[];
  /** For each looker: of those from it on, the definite one that completes first. */
  readonly #witnesses: readonly (Step | null)[];

  constructor(plan: Plan, open: OpenSteps) {
    this.#values = plan.values;
    this.#open = open;
    this.#direction = directionOf(plan.steps);
    this.#lookers = plan.steps.filter(({ action }) => this.#soughtBy(action) !== undefined);
    this.#beginners = plan.steps.filter(({ action }) => leftBy(action) !== null);
    this.#witnesses = witnessesOf(this.#lookers);
  }

  /**
   * The fate, at line `now`, of the state that there would be if `grown` were appended to the text `before`; or of the
   * state `before` itself if `grown` is `null`. To append even the empty text makes a text of an absent key.
   *
   * The next look that nobody can avoid is that of the witness: of those invoked from now on, the one that completes
   * first. If the state cannot grow into anything that some step up to there looks for, it must be set anew before; if
   * that is not possible either, this leads nowhere.
   */
  fateOf(before: State, grown: string | null, configuration: Configuration, now: number): Fate {
    const value = before === absent && grown !== null ? "" : this.#values.valueOf(before);
    if (typeof value !== "string" && typeof value !== "number") return { kind: "seen", state: before };
    const next = firstAfter(this.#lookers, now);
    const witness = this.#witnesses[next] ?? null;
    const until = witness?.complete ?? never;

    const seenAs = this.#soughtIn(configuration, value, grown ?? "", next, until);
    if (seenAs !== undefined) {
      if (grown === null || typeof value !== "string" || typeof seenAs !== "string")
        return { kind: "seen", state: before };
      // A slice of the text that somebody saw shares its memory; joining the two parts would take as much again.
      return { kind: "seen", state: this.#values.stateOf(seenAs.slice(0, value.length + grown.length)) };
    }
    const mayBeLost =
      witness === null || this.#canBegin(configuration, this.#soughtBy(witness.action) ?? null, now, until);
    return mayBeLost ? { kind: "lost", state: typeof value === "string" ? lostText : lostNumber } : impossibleFate;
  }

  /** Some value sought up to line `until` that the state could grow into; `undefined` if there is none. */
  #soughtIn(configuration: Configuration, value: Value, grown: string, next: number, until: number): Value | undefined {
    for (const action of this.#openActions(configuration)) {
      const sought = this.#soughtBy(action);
      if (sought !== undefined && this.#canBecome(value, grown, sought)) return sought;
    }
    for (let i = next; i < this.#lookers.length; i += 1) {
      const looker = this.#lookers[i];
      if (looker === undefined || looker.invoke > until) return undefined;
      const sought = this.#soughtBy(looker.action);
      if (sought !== undefined && this.#canBecome(value, grown, sought)) return sought;
    }
    return undefined;
  }

  /** Whether some step up to line `until` makes a new beginning from which `target` can be reached. */
  #canBegin(configuration: Configuration, target: Value, now: number, until: number): boolean {
    for (const action of this.#openActions(configuration)) if (this.#leadsTo(action, target)) return true;
    for (let i = firstAfter(this.#beginners, now); i < this.#beginners.length; i += 1) {
      const beginner = this.#beginners[i];
      if (beginner === undefined || beginner.invoke > until) return false;
      if (this.#leadsTo(beginner.action, target)) return true;
    }
    return false;
  }

  #leadsTo(action: Action, target: Value): boolean {
    const left = leftBy(action);
    return left !== null && this.#canBecome(this.#values.valueOf(left), "", target);
  }

  /** What can still take effect by now and might look for a state, or leave a new one. */
  #openActions(configuration: Configuration): readonly Action[] {
    const actions: Action[] = [];
    for (let slot = 0; slot < this.#open.slots.length; slot += 1) {
      const step = this.#open.slots[slot];
      if (step !== null && step !== undefined && !isDone(configuration, slot)) actions.push(step.action);
    }
    for (const group of this.#open.setterGroups) {
      if (this.#open.isAvailable(group, configuration, never)) actions.push(this.#open.group(group).action);
    }
    for (const groups of this.#open.swapGroups.values()) {
      for (const group of groups) {
        if (this.#open.isAvailable(group, configuration, never)) actions.push(this.#open.group(group).action);
      }
    }
    return actions;
  }

  /** The value that an action looks for, `undefined` if none in particular. */
  #soughtBy(action: Action): Value | undefined {
    if (action.kind === "equals" || action.kind === "differs") return this.#values.valueOf(action.state);
    if (action.kind === "swap") return this.#values.valueOf(action.from);
    if (action.kind === "append" && action.result !== null) {
      return action.result.slice(0, Math.max(0, action.result.length - action.text.length));
    }
    if (action.kind === "add" && action.result !== null) return action.result - action.amount;
    return undefined;
  }

  /** Whether appends and adds alone could make `after` of `before` and `grown`; when in doubt, they could. */
  #canBecome(before: Value, grown: string, after: Value): boolean {
    if (before === null) return after === null || typeof after !== "object";
    if (typeof before === "string") {
      return typeof after === "string" && after.startsWith(grown, before.length) && after.startsWith(before);
    }
    if (typeof before === "number" && typeof after === "number") {
      if (this.#direction === "up") return before <= after + tolerance(after);
      if (this.#direction === "down") return before >= after - tolerance(after);
      return true;
    }
    return typeof before === typeof after;
  }
}

type Value = ReturnType<Values["valueOf"]>;
type Direction = "up" | "down" | "both";

/** Whether adds only raise the number, only lower it, or both. */
function directionOf(steps: readonly Step[]): Direction {
  let up = false;
  let down = false;
  for (const { action } of steps) {
    if (action.kind !== "add") continue;
    if (action.amount > 0) up = true;
    if (action.amount < 0) down = true;
  }
  if (up && down) return "both";
  return down ? "down" : "up";
}

/** Sums of fractions are not exact: what was before an add is known only about. */
function tolerance(value: number): number {
  return Number.isInteger(value) ? 0 : Math.abs(value) * 1e-9 + 1e-9;
}

/** The state that an action leaves behind whatever it built on, `null` if there is none. */
function leftBy(action: Action): State | null {
  if (action.kind === "set") return action.state;
  if (action.kind === "swap") return action.to;
  return action.kind === "remove" ? absent : null;
}

function witnessesOf(lookers: readonly Step[]): readonly (Step | null)[] {
  const witnesses: (Step | null)[] = [];
  let first: Step | null = null;
  for (const looker of lookers.toReversed()) {
    const mustHappen = looker.group < 0 && !looker.optional && looker.action.kind !== "differs";
    if (mustHappen && (first === null || looker.complete < first.complete)) first = looker;
    witnesses.push(first);
  }
  return witnesses.reverse();
}

/** The index of the first step invoked after line `now`. */
function firstAfter(steps: readonly Step[], now: number): number {
  let low = 0;
  let high = steps.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((steps[middle]?.invoke ?? 0) > now) high = middle;
    else low = middle + 1;
  }
  return low;
}
