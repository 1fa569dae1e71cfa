/** What faults come to on a bench: actions that it carries out, and what puts them right. */

import type { Bench } from "../../hardware/bench.ts";
import type { PlanAction } from "../bench/plan.ts";
import type { BenchAction, DiskCondition } from "./bench-action.ts";
import type { Fault } from "./model.ts";
import { type Parting, partingActions } from "./parting.ts";
import { resolveBoards, resolveCables, resolveThings, type Surroundings } from "./resolve.ts";

/**
 * One thing that a fault does. `undo` puts it right; `part` names what it holds in that state, so that two faults that
 * hold the same part do not put it right too early. Without `undo` nothing is left to put right.
 */
export type Effect =
  | { readonly part: string; readonly action: BenchAction; readonly undo: BenchAction }
  | { readonly part: null; readonly action: BenchAction };

/** What a fault means now, in the order in which it is to be done; and what it hits, for people. */
export type Effects = { readonly targets: readonly string[]; readonly effects: readonly Effect[] };

/** Works out a fault on a bench at the moment when it begins. */
export function effectsOf(fault: Fault, surroundings: Surroundings): Effects {
  const { bench } = surroundings;
  switch (fault.kind) {
    case "cut":
    case "flap":
      return cuts(resolveCables(fault.target, surroundings));
    case "split":
      return parted({ kind: "split", groups: fault.groups }, bench);
    case "isolate": {
      const boards = resolveBoards(fault.target, surroundings);
      if (boards.length === 0 || boards.length === bench.boards.length) return { targets: [], effects: [] };
      return parted({ kind: "isolate", boards }, bench);
    }
    case "one-way": {
      const boards = resolveBoards(fault.target, surroundings);
      if (boards.length === 0) return { targets: [], effects: [] };
      return { ...parted({ kind: "one-way-cables", boards, loses: fault.loses }, bench), targets: boards };
    }
    case "switch-off":
      return each(resolveThings(fault.target, bench.switches), (name) => [
        held(`switch ${name}`, { kind: "switchOff", switch: name }, { kind: "switchOn", switch: name }),
      ]);
    case "broker-down":
      return each(resolveThings(fault.target, bench.brokers), (broker) => [
        held(`broker ${broker}`, { kind: "stopBroker", broker, loses: fault.loses }, { kind: "startBroker", broker }),
      ]);
    case "noise": {
      const { kind: _, ...noise } = fault;
      const effect = held("noise", { kind: "setNoise", noise }, { kind: "setNoise", noise: null });
      return { targets: [], effects: [effect] };
    }
    case "add-member":
    case "remove-member": {
      const boards = resolveBoards(fault.target, surroundings);
      const kind = fault.kind === "add-member" ? "addMembers" : "removeMembers";
      return { targets: boards, effects: boards.length === 0 ? [] : [momentary({ kind, boards })] };
    }
    default:
      return each(resolveBoards(fault.target, surroundings), (board) => boardEffects(fault, board));
  }
}

type CableFaultKind = "cut" | "flap" | "split" | "isolate" | "one-way" | "switch-off" | "broker-down" | "noise";
type MembershipFaultKind = "add-member" | "remove-member";
/** A fault that does the same to each of its boards, one apart from the other. */
type BoardFault = Exclude<Fault, { readonly kind: CableFaultKind | MembershipFaultKind }>;

function boardEffects(fault: BoardFault, board: string): readonly Effect[] {
  const running = `running ${board}`;
  const disk = (condition: DiskCondition) =>
    held(
      `disk ${board}`,
      { kind: "setDisk", board, condition },
      { kind: "setDisk", board, condition: { kind: "healthy" } },
    );
  switch (fault.kind) {
    case "power-cut":
      return [held(running, { kind: "powerOff", board }, { kind: "start", board })];
    case "crash":
      return [held(running, { kind: "kill", board }, { kind: "start", board })];
    case "wipe":
    case "replace": {
      const off = held(running, { kind: "powerOff", board }, { kind: "start", board });
      return [off, momentary({ kind: "eraseCard", board })];
    }
    case "pause":
      return [held(`pause ${board}`, { kind: "pause", board }, { kind: "resume", board })];
    case "disk-stall":
      return [disk({ kind: "stalled" })];
    case "disk-slow":
      return [disk({ kind: "slow", flushUs: fault.flushUs })];
    case "disk-full":
      return [disk({ kind: "full" })];
    case "bit-rot":
      return [momentary({ kind: "flipBit", board })];
    case "clock-drift": {
      const drift = (driftPpm: number): BenchAction => ({ kind: "setClockDrift", board, driftPpm });
      return [held(`clock ${board}`, drift(fault.driftPpm), drift(0))];
    }
    case "clock-jump":
      return [momentary({ kind: "jumpClock", board, byUs: fault.byUs })];
    case "transfer-leadership":
      return [momentary({ kind: "transferLeadership", board })];
    default:
      return fault satisfies never;
  }
}

function held(part: string, action: BenchAction, undo: BenchAction): Effect {
  return { part, action, undo };
}

function momentary(action: BenchAction): Effect {
  return { part: null, action };
}

function each(targets: readonly string[], effectsOn: (target: string) => readonly Effect[]): Effects {
  return { targets, effects: targets.flatMap(effectsOn) };
}

function cuts(cables: readonly string[]): Effects {
  return each(cables, (cable) => [undone({ kind: "cut", cable, direction: "both" })]);
}

/** What it hits are the cables that are cut; a broker that withholds something is hit by nothing. */
function parted(wish: Parting, bench: Bench): Effects {
  const actions = partingActions(wish, bench);
  const cables = actions.flatMap((action) => (action.kind === "cut" ? [action.cable] : []));
  const boards = actions.flatMap((action) => (action.kind === "withhold" ? [action.from, action.to] : []));
  const targets =
    cables.length > 0 ? cables : bench.boards.map(({ name }) => name).filter((name) => boards.includes(name));
  return { targets, effects: actions.map(undone) };
}

function undone(action: PlanAction): Effect {
  switch (action.kind) {
    case "cut":
      return held(`cable ${action.cable}`, action, { kind: "heal", cable: action.cable });
    case "withhold": {
      const { from, to } = action;
      return held(`what ${from} says to ${to}`, action, { kind: "deliver", from, to });
    }
    default:
      return action satisfies never;
  }
}
