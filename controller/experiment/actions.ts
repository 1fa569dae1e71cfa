/** What a bench is told to do to itself, one thing at a time and by name: what every kind of bench carries out. */

import { type Bench, cablesToSplit } from "../../hardware/bench.ts";
import type { BrokerLoss, Fault, NoiseSettings } from "./model.ts";
import { resolveBoards, resolveCables, resolveThings, type Surroundings } from "./resolve.ts";

/** Doing what is so already changes nothing. */
export type BenchAction =
  /** Of one direction only where the bench can do that: what comes from the cable's first or second end is lost. */
  | { readonly kind: "cut"; readonly cable: string; readonly direction: "both" | "fromFirstEnd" | "fromSecondEnd" }
  | { readonly kind: "heal"; readonly cable: string }
  /** What a board says to another is withheld by the broker of the other's inbox, one way; and no longer. */
  | { readonly kind: "withhold" | "deliver"; readonly from: string; readonly to: string }
  | { readonly kind: "switchOff" | "switchOn"; readonly switch: string }
  | { readonly kind: "stopBroker"; readonly broker: string; readonly loses: readonly BrokerLoss[] }
  | { readonly kind: "startBroker"; readonly broker: string }
  | { readonly kind: "setNoise"; readonly noise: NoiseSettings | null }
  /** `start` gives power and starts the process, whichever of them is missing. */
  | { readonly kind: "powerOff" | "kill" | "start" | "pause" | "resume"; readonly board: string }
  | { readonly kind: "setDisk"; readonly board: string; readonly condition: DiskCondition }
  | { readonly kind: "flipBit"; readonly board: string }
  /** Only while the board has no power. */
  | { readonly kind: "eraseCard"; readonly board: string }
  | { readonly kind: "setClockDrift"; readonly board: string; readonly driftPpm: number }
  | { readonly kind: "jumpClock"; readonly board: string; readonly byUs: number }
  | { readonly kind: "transferLeadership"; readonly board: string }
  /** All in one change of the configuration. */
  | { readonly kind: "addMembers" | "removeMembers"; readonly boards: readonly string[] };

export type DiskCondition =
  | { readonly kind: "healthy" | "stalled" | "full" }
  | { readonly kind: "slow"; readonly flushUs: number };

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
      return cuts(cablesToSplit(bench, fault.groups));
    case "isolate": {
      const here = resolveBoards(fault.target, surroundings);
      const there = bench.boards.map((board) => board.name).filter((name) => !here.includes(name));
      return cuts(here.length === 0 || there.length === 0 ? [] : cablesToSplit(bench, [here, there]));
    }
    case "one-way":
      return each(resolveBoards(fault.target, surroundings), (board) => oneWayCuts(bench, board, fault.loses));
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
  return each(cables, (cable) => [
    held(`cable ${cable}`, { kind: "cut", cable, direction: "both" }, { kind: "heal", cable }),
  ]);
}

/** What a board sends comes from its own end of a cable, what it hears from the other. */
function oneWayCuts(bench: Bench, board: string, loses: "incoming" | "outgoing"): readonly Effect[] {
  return bench.cables
    .filter((cable) => cable.ends.some((end) => end.node === board))
    .map(({ name: cable, ends }) => {
      const isFirst = ends[0].node === board;
      const direction = isFirst === (loses === "outgoing") ? "fromFirstEnd" : "fromSecondEnd";
      return held(`cable ${cable}`, { kind: "cut", cable, direction }, { kind: "heal", cable });
    });
}
