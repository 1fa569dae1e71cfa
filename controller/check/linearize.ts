/**
 * Is there one order of the operations on a key that explains everything that clients saw, in which each operation takes
 * effect at one moment between its invocation and its completion?
 *
 * The search of Wing and Gong ("Testing and Verifying Concurrent Objects", 1993) with Lowe's just-in-time linearization
 * ("Testing for Linearizability", 2017): it goes along the events and keeps every configuration that could be the truth
 * so far. An operation takes effect only when one that completes now needs it, so a configuration is a state and the few
 * open operations that have taken effect. Four observations keep them few:
 *
 * - What only observes takes effect as soon as the state allows it: nothing can be gained by waiting.
 * - What a setter (a write) leaves no trace of need not be decided when it happens. Just before the latest setter, any
 *   open setter may be slipped in unseen, with those who saw its value; this is done when one of these completes.
 * - Indefinite operations that do the same are interchangeable, and having spent fewer of them is better.
 * - A configuration that can do whatever another one can makes that other superfluous.
 *
 * Keys are independent of each other (Herlihy and Wing, 1990: linearizability is local), so each is searched alone.
 */

import { withoutBit } from "./bits.ts";
import type { Budget } from "./budget.ts";
import { Antichain, type Configuration, isDone, spentByAll, withoutSpent } from "./configuration.ts";
import { type OpenStep, OpenSteps } from "./open-steps.ts";
import type { Operation } from "./operations.ts";
import { type Plan, planOf, type Step } from "./plan.ts";
import { Successors } from "./successors.ts";
import { absent, type State, unremarkable } from "./values.ts";
import { beginningsOf } from "./window.ts";

/** The verdict on one key. */
export type KeyVerdict = {
  /** The most configurations that were kept beside each other. */
  readonly frontierMax: number;
} & (
  | { readonly verdict: "valid" }
  /** Nothing explains the history up to the completion of `at`, or shortly after. */
  | { readonly verdict: "invalid"; readonly at: Operation }
  | { readonly verdict: "unknown"; readonly reason: string }
);

/**
 * The verdict on the operations of one key, given in the order of their invocations.
 *
 * @param doubted Operations of which it is believed only that they took effect between their ends, if at all.
 * @param beginning What the key holds before: nothing, or anything at all.
 */
export function linearize(
  operations: readonly Operation[],
  budget: Budget,
  doubted: ReadonlySet<Operation> = new Set(),
  beginning: "absent" | "any" = "absent",
): KeyVerdict {
  const plan = planOf(operations, doubted);
  const beginnings = beginning === "absent" ? [absent] : beginningsOf(plan);
  if (beginnings === null)
    return { verdict: "unknown", reason: "the key may begin in too many states", frontierMax: 0 };
  const search = (width: number, spends: boolean): KeyVerdict =>
    new Search(plan, budget, width, spends, beginnings).run();
  const widthMax = budget.limits.frontierMax;

  // A few configurations find the truth of most histories. If none was left out, even that they find none means something.
  for (const width of narrowWidths) {
    const narrow = search(Math.min(width, widthMax), true);
    if (narrow.verdict !== "unknown" || budget.isSpent) return narrow;
  }
  // If nothing explains the history even when each indefinite operation may take effect again and again, nothing does.
  if (plan.groups.length > 0) {
    const lenient = search(widthMax, false);
    if (lenient.verdict === "invalid") return lenient;
  }
  return search(widthMax, true);
}

const narrowWidths = [8, 32, 128];

/** How many configurations may lie on the way from one frontier to the next, for each that is kept. */
const roomFactor = 8;

class Search {
  readonly #plan: Plan;
  readonly #budget: Budget;
  readonly #width: number;
  readonly #open: OpenSteps;
  readonly #successors: Successors;
  #frontier: readonly Configuration[];
  #frontierMax: number;
  /** Configurations were left out for want of room: that no other is left proves nothing then. */
  #isIncomplete = false;

  /**
   * @param width How many configurations are kept beside each other.
   * @param spends Whether an indefinite step takes effect at most once. Without that, the search is quick and lenient.
   * @param beginnings The states in which the key may be at first.
   */
  constructor(plan: Plan, budget: Budget, width: number, spends: boolean, beginnings: readonly State[]) {
    this.#plan = plan;
    this.#budget = budget;
    this.#width = width;
    this.#open = new OpenSteps(plan);
    this.#successors = new Successors(plan, this.#open, spends);
    this.#frontier = beginnings.map((state) => ({ state, done: [0], spent: [], setAt: 0 }));
    this.#frontierMax = beginnings.length;
  }

  run(): KeyVerdict {
    for (const event of this.#plan.events) {
      const step = this.#plan.steps[event >= 0 ? event : ~event];
      if (step === undefined) continue;
      if (event >= 0) this.#invoke(step);
      else this.#complete(step);
      const frontierMax = this.#frontierMax;
      if (this.#budget.isSpent) return { verdict: "unknown", reason: this.#budget.reason, frontierMax };
      if (this.#plan.values.size - this.#plan.valuesNamed > this.#budget.limits.valuesMax) {
        const reason = `more than ${this.#budget.limits.valuesMax} values that nobody saw would have to be thought of`;
        return { verdict: "unknown", reason, frontierMax };
      }
      if (this.#frontier.length > 0) continue;
      if (!this.#isIncomplete) return { verdict: "invalid", at: step.operation, frontierMax };
      const reason = `more than ${this.#width} configurations would have to be kept beside each other`;
      return { verdict: "unknown", reason, frontierMax };
    }
    return { verdict: "valid", frontierMax: this.#frontierMax };
  }

  #invoke(step: Step): void {
    if (step.group >= 0) {
      this.#open.openIndefinite(step);
      return;
    }
    this.#open.open(step);
    if (step.role === "observer") this.#frontier = this.#frontier.map((each) => this.#successors.seen(each));
  }

  /** Keeps what is possible if `step` has taken effect by now. */
  #complete(step: Step): void {
    this.#open.forgetUseless(step.complete);
    const slot = this.#open.slotOf(step);
    const explained = this.#explanations({ step, slot });
    this.#open.close(step);
    const spentBefore = spentByAll(explained);
    for (const group of spentBefore) this.#open.spend(group);
    this.#frontier = explained.map(({ state, done, spent, setAt }) => ({
      state: state !== absent && this.#plan.lastLookAt(state) <= step.complete ? unremarkable : state,
      done: withoutBit(done, slot),
      spent: spentBefore.length === 0 ? spent : withoutSpent(spent, spentBefore),
      setAt,
    }));
  }

  /** The ways in which `target`, which completes now, can have taken effect by now. */
  #explanations(target: OpenStep): readonly Configuration[] {
    return this.#onlyExplanation(target) ?? this.#allExplanations(target);
  }

  /** The short way, where there is but one configuration and nothing to choose; `null` where there is. */
  #onlyExplanation(target: OpenStep): readonly Configuration[] | null {
    const [only, ...others] = this.#frontier;
    if (only === undefined || others.length > 0 || target.step.optional) return null;
    if (isDone(only, target.slot)) return this.#frontier;
    if (target.step.invoke < only.setAt || !this.#open.isAlone(target.step)) return null;
    return this.#budget.take() ? this.#successors.onward(only, target) : [];
  }

  #allExplanations(target: OpenStep): readonly Configuration[] {
    const found = new Antichain(this.#open.slots);
    const reached = new Antichain(this.#open.slots);
    const waiting: Configuration[] = [];
    for (const configuration of this.#frontier) {
      if (isDone(configuration, target.slot)) found.add(configuration);
      else if (reached.add(configuration)) waiting.push(configuration);
    }
    for (const configuration of waiting) {
      if (target.step.optional) found.add(configuration);
      for (const hidden of this.#successors.hiding(configuration, target)) found.add(hidden);
    }
    const isFull = (): boolean => found.size + reached.size > this.#width * roomFactor;
    let round: readonly Configuration[] = waiting;
    while (round.length > 0) {
      const following: Configuration[] = [];
      for (const configuration of round) {
        if (!this.#budget.take()) return [];
        if (isFull()) {
          this.#isIncomplete = true;
          break;
        }
        for (const successor of this.#successors.onward(configuration, target)) {
          if (isDone(successor, target.slot)) found.add(successor);
          else if (reached.add(successor)) following.push(successor);
        }
      }
      if (following.length > 0 && (found.size >= this.#width || isFull())) {
        this.#isIncomplete = true;
        break;
      }
      round = this.#withinWidth(following);
    }
    const members = this.#withinWidth(found.members());
    this.#frontierMax = Math.max(this.#frontierMax, members.length);
    return members;
  }

  /** As many as there is room for, best first: the fewer indefinite steps were spent, the more can still happen. */
  #withinWidth(configurations: Configuration[]): readonly Configuration[] {
    if (configurations.length <= this.#width) return configurations;
    this.#isIncomplete = true;
    return configurations.sort((a, b) => a.spent.length - b.spent.length).slice(0, this.#width);
  }
}
