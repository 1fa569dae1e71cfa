/** Carries a plan out, step by step: from steps to actions for a bench, and the account of what is broken. */

import type { Random } from "../../device/random.ts";
import type { Bench } from "../../hardware/bench.ts";
import { type Effect, effectsOf } from "./actions.ts";
import type { BenchAction } from "./bench-action.ts";
import type { Occurrence, Step } from "./plan.ts";
import type { ClusterView } from "./resolve.ts";

/** What a step comes to. */
export type Performed = {
  /** To be carried out in this order. */
  readonly actions: readonly BenchAction[];
  /** What the fault hits: boards, cables, brokers or switches. Empty if nothing on the bench is what the target says. */
  readonly targets: readonly string[];
  /** What brokers withhold from the fault's beginning to its end; missing where they withhold nothing. */
  readonly withholds?: readonly Pair[];
};

/** What `from` says to `to`. */
export type Pair = { readonly from: string; readonly to: string };

export type Conductor = {
  /** Takes the plan's steps in their order. A fault keeps its targets from its beginning to its end. */
  perform(step: Step, view: ClusterView): Performed;
  /** Puts right whatever is broken: for the end of a run, or when a person stops it. */
  endAll(): readonly BenchAction[];
  /** Whether no fault is in force. */
  isWhole(): boolean;
};

type HeldEffect = Extract<Effect, { readonly part: string }>;

/** A fault in force. Of a flapping cable the effects are now in force, now not; all others have them all the time. */
type InForce = { readonly targets: readonly string[]; readonly effects: readonly HeldEffect[]; holds: boolean };

/** A conductor for one run; `random` decides what `a follower` and the like mean. */
export function createConductor(bench: Bench, random: Random): Conductor {
  const inForce = new Map<number, InForce>();
  /** For each part, the effects that hold it, the one that acts on it last. */
  const holds = new Map<string, HeldEffect[]>();

  function hold(effect: HeldEffect): BenchAction {
    const others = holds.get(effect.part);
    if (others === undefined) holds.set(effect.part, [effect]);
    else others.push(effect);
    return effect.action;
  }

  /** Lets go of a part: to what an earlier fault that still lasts does to it or, if there is none, to how it was. */
  function release(effect: HeldEffect): readonly BenchAction[] {
    const all = holds.get(effect.part) ?? [];
    const wasActing = all.at(-1) === effect;
    const left = all.filter((other) => other !== effect);
    if (left.length === 0) holds.delete(effect.part);
    else holds.set(effect.part, left);
    const acting = left.at(-1);
    if (acting === undefined) return [effect.undo];
    return wasActing ? [acting.action] : [];
  }

  function begin(occurrence: Occurrence, view: ClusterView): Performed {
    const { targets, effects } = effectsOf(occurrence.fault, { bench, view, random, times: occurrence.times });
    const lasting = effects.filter((effect): effect is HeldEffect => effect.part !== null);
    const actions = effects.map((effect) => (effect.part === null ? effect.action : hold(effect)));
    if (occurrence.endUs === null) actions.push(...lasting.flatMap(release));
    else inForce.set(occurrence.id, { targets, effects: lasting, holds: true });
    const withholds = actions.flatMap((action) =>
      action.kind === "withhold" ? [{ from: action.from, to: action.to }] : [],
    );
    return { actions, targets, ...(withholds.length === 0 ? {} : { withholds }) };
  }

  function turn(fault: InForce): readonly BenchAction[] {
    fault.holds = !fault.holds;
    return fault.holds ? fault.effects.map(hold) : fault.effects.flatMap(release);
  }

  function end(id: number, fault: InForce): readonly BenchAction[] {
    inForce.delete(id);
    return fault.holds ? fault.effects.flatMap(release) : [];
  }

  return {
    perform({ kind, occurrence }, view) {
      if (kind === "begin") return begin(occurrence, view);
      const fault = inForce.get(occurrence.id);
      if (fault === undefined) return { actions: [], targets: [] };
      return { actions: kind === "turn" ? turn(fault) : end(occurrence.id, fault), targets: fault.targets };
    },
    endAll: () => [...inForce].flatMap(([id, fault]) => end(id, fault)),
    isWhole: () => inForce.size === 0,
  };
}
