/** What the faults of an experiment would do to a bench, worked out for every board that a target could mean. */

import { createRandom } from "../../../device/random.ts";
import { type Bench, reachability } from "../../../hardware/bench.ts";
import type { BenchKind } from "../../bench/bench.ts";
import {
  type Impossible,
  type OneWayCables,
  type PlanAction,
  type PlanStep,
  planFault,
  stepOf,
  type Wish,
} from "../../bench/plan.ts";
import { effectsOf } from "../../experiment/actions.ts";
import type { Experiment, Fault, ScheduledFault, Target } from "../../experiment/model.ts";
import { planExperiment } from "../../experiment/plan.ts";
import { resolveCables } from "../../experiment/resolve.ts";
import { listed } from "../../report/words.ts";

/** A fault of the experiment: when it happens, and what it would do. */
export type RehearsedFault = {
  readonly fault: Fault;
  /** The line of the experiment's file. */
  readonly line: number;
  readonly spans: readonly { readonly beginUs: number; readonly endUs: number | null }[];
  /** One for each meaning that its target may have. Empty for a fault that cuts nothing. */
  readonly cases: readonly RehearsedCase[];
};

/** One meaning of a target, as boards; `null` where the fault says itself what it hits. */
export type RehearsedCase = {
  readonly boards: readonly string[] | null;
  readonly outcome: Possible | Impossible;
};

/** The bench as its file says, and as this kind of bench takes it. */
type Benches = { readonly described: Bench; readonly shown: Bench; readonly isRack: boolean };

/** `partsSomebody`: whether some board no longer hears another that it heard before. */
type Possible = { readonly kind: "possible"; readonly steps: readonly PlanStep[]; readonly partsSomebody: boolean };

type CuttingFault = Extract<Fault, { readonly kind: "cut" | "flap" | "split" | "isolate" | "one-way" }>;

/** Works every fault out, in the order of the file. */
export function rehearse(experiment: Experiment, described: Bench, kind: BenchKind): readonly RehearsedFault[] {
  const shown = kind === "simulated" || kind === "local" ? allVirtual(described) : described;
  const benches = { described, shown, isRack: kind === "rack" };
  const steps = planExperiment(experiment);
  return experiment.faults.map(({ fault, line }: ScheduledFault) => ({
    fault,
    line,
    spans: steps
      .filter(({ kind: step, occurrence }) => step === "begin" && occurrence.fault === fault)
      .map(({ occurrence: { beginUs, endUs } }) => ({ beginUs, endUs })),
    cases: isCutting(fault)
      ? meaningsOf(fault, described).map((boards) => rehearseCase(fault, boards, benches))
      : withoutPower(fault, benches),
  }));
}

function isCutting(fault: Fault): fault is CuttingFault {
  return ["cut", "flap", "split", "isolate", "one-way"].includes(fault.kind);
}

/** The simulator and benches of processes take every cutter for their own. */
function allVirtual(bench: Bench): Bench {
  return {
    ...bench,
    boards: bench.boards.map((board) => ({ ...board, address: null })),
    cutters: [
      { name: "virtual", driver: "virtual" },
      { name: "broker", driver: "broker" },
    ],
    cables: bench.cables.map((cable) => ({ ...cable, cutter: { name: "virtual", channel: null } })),
  };
}

/** The boards that a target may mean: each board for `leader` and its like, each set of so many for `minority`. */
function meaningsOf(fault: CuttingFault, bench: Bench): readonly (readonly string[] | null)[] {
  if (fault.kind === "split" || fault.target.kind === "named") return [null];
  const boards = bench.boards.map(({ name }) => name);
  switch (fault.target.kind) {
    case "leader":
    case "follower":
    case "next":
      return boards.map((board) => [board]);
    case "minority":
      return subsetsOf(boards, Math.ceil(boards.length / 2) - 1);
    case "majority":
      return subsetsOf(boards, Math.floor(boards.length / 2) + 1);
    case "all":
      return [boards];
    default:
      return fault.target satisfies never;
  }
}

/** More sets than these nobody reads. */
const subsetsMax = 40;

/** The sets of `size` boards, at most `subsetsMax` of them, those that stand first. */
function subsetsOf(boards: readonly string[], size: number): readonly (readonly string[])[] {
  let sets: (readonly string[])[] = [[]];
  for (const [at, board] of boards.entries()) {
    const grown = sets.filter((set) => set.length < size).map((set) => [...set, board]);
    // What can no longer be filled up is dropped, so that the list stays short.
    sets = [...sets, ...grown].filter((set) => set.length + boards.length - at - 1 >= size).slice(0, 5_000);
  }
  return sets.filter((set) => set.length === size).slice(0, subsetsMax);
}

function rehearseCase(fault: CuttingFault, boards: readonly string[] | null, benches: Benches): RehearsedCase {
  const meant = boards === null ? fault : withTarget(fault, { kind: "named", names: boards });
  const actions = actionsOf(meant, benches);
  if ("kind" in actions) return { boards, outcome: actions };
  const steps = actions.map((action) => stepOf(action, benches.shown));
  return { boards, outcome: { kind: "possible", steps, partsSomebody: partsSomebody(actions, benches.described) } };
}

function partsSomebody(actions: readonly PlanAction[], bench: Bench): boolean {
  if (actions.some(({ kind }) => kind === "withhold")) return true;
  const cables = actions.flatMap((action) => (action.kind === "cut" ? [action.cable] : []));
  const before = reachability(bench, { cutCables: new Set(), downNodes: new Set() });
  const after = reachability(bench, { cutCables: new Set(cables), downNodes: new Set() });
  return bench.boards.some(({ name }) => after.boardsThatHear(name).length < before.boardsThatHear(name).length);
}

/** Of a rack: that some boards have nothing that could take their power, for a fault that needs it. */
function withoutPower(fault: Fault, { described, isRack }: Benches): readonly RehearsedCase[] {
  if (!isRack || fault.kind !== "power-cut") return [];
  const isMeant = (name: string) => fault.target.kind !== "named" || fault.target.names.includes(name);
  const names = described.boards.filter(({ name, power }) => isMeant(name) && power === null).map(({ name }) => name);
  if (names.length === 0) return [];
  const why = [`Nothing can take the power of ${listed(names)}.`];
  const suggestions = ['Say under each board what feeds it, as in "power: poe:3".'];
  return [{ boards: null, outcome: { kind: "impossible", why, suggestions } }];
}

function withTarget(fault: CuttingFault, target: Target): CuttingFault {
  return fault.kind === "split" ? fault : { ...fault, target };
}

/** What the bench would be told: of a rack by the planner, which may refuse; elsewhere as a run there is told. */
function actionsOf(fault: CuttingFault, { described, isRack }: Benches): readonly PlanAction[] | Impossible {
  const boards = described.boards.map(({ name }) => name);
  const view = { boards, leader: null, voters: boards };
  const surroundings = { bench: described, view, random: createRandom(0), times: 0 };
  if (isRack) {
    return planFault(
      wishOf(fault, (target) => resolveCables(target, surroundings)),
      described,
    );
  }
  return effectsOf(fault, surroundings).effects.flatMap(({ action }): readonly PlanAction[] =>
    action.kind === "cut" ? [action] : action.kind === "withhold" ? [{ ...action, kind: "withhold" }] : [],
  );
}

function wishOf(fault: CuttingFault, cablesOf: (target: Target) => readonly string[]): Wish | OneWayCables {
  switch (fault.kind) {
    case "cut":
    case "flap":
      return { kind: "cut", cables: cablesOf(fault.target) };
    case "split":
      return { kind: "split", groups: fault.groups };
    case "isolate":
      return { kind: "isolate", boards: namesOf(fault.target) };
    case "one-way":
      return { kind: "one-way-cables", boards: namesOf(fault.target), loses: fault.loses };
    default:
      return fault satisfies never;
  }
}

function namesOf(target: Target): readonly string[] {
  return target.kind === "named" ? target.names : [];
}
