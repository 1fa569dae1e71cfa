/**
 * An experiment on a simulated bench, from power-on to the last demand: faults by plan while clients work, every
 * invariant checked after every step, then everything (or a random sufficient part) healed, then liveness demanded.
 */

import type { RaftOptions } from "../../device/raft/index.ts";
import { createRandom } from "../../device/random.ts";
import { type ReplicaOptions, replicaOptionsOf } from "../../device/replica/options.ts";
import type { Bench } from "../../hardware/bench.ts";
import type { DiskTiming } from "../../sim/disk.ts";
import type { HistoryEvent } from "../../sim/history.ts";
import type { Laws } from "../../sim/laws.ts";
import { chooseSufficientPart, demandLiveness, healPart, type LivenessFailure } from "../../sim/liveness.ts";
import type { NetworkOptions } from "../../sim/network-types.ts";
import { World } from "../../sim/world.ts";
import { carryOut, viewOf } from "../bench/simulated.ts";
import { createConductor } from "./conductor.ts";
import { expectsLie } from "./expectations.ts";
import type { Experiment, FaultKind } from "./model.ts";
import { planExperiment, type Step } from "./plan.ts";
import type { RunEvent, SimulatedRun } from "./run-result.ts";

/** What a simulated bench allows beyond what experiments say. */
export type SimulationSettings = {
  readonly seed: string | number;
  /** The laws that boards follow; a mutant's instead of the lawful. */
  readonly laws?: Laws;
  /** At the end heal a random sufficient part and leave the rest broken, and never take away a majority's memory. */
  readonly adversarial?: boolean;
  readonly network?: Partial<NetworkOptions>;
  readonly disk?: DiskTiming;
  readonly replica?: Partial<ReplicaOptions>;
  readonly raft?: Partial<RaftOptions>;
  /** Receives events as they happen. */
  readonly tell?: (event: RunEvent) => void;
  /** Asked now and then with the virtual time; `false` ends the run there. */
  readonly goOn?: (atUs: number) => boolean;
};

/**
 * Runs an experiment, up to the first broken rule of Raft; to its end if it expects clients to be lied to, since a broken
 * rule alone is no lie yet. The same experiment, bench and settings give the same run, to the byte. */
export function simulate(experiment: Experiment, bench: Bench, settings: SimulationSettings): SimulatedRun {
  const seconds = simulateBySeconds(experiment, bench, settings);
  for (;;) {
    const next = seconds.next();
    if (next.done === true) return next.value;
  }
}

/** The same run, with a pause after each second of virtual time: for those who must also see to something else. */
export function* simulateBySeconds(
  experiment: Experiment,
  bench: Bench,
  settings: SimulationSettings,
): Generator<void, SimulatedRun, void> {
  const history: HistoryEvent[] = [];
  const faults: Partial<Record<FaultKind, number>> = {};
  const random = createRandom(settings.seed).fork("faults");
  const conductor = createConductor(bench, random.fork("targets"));
  const options = { sparesQuorum: settings.adversarial ?? false };
  const replica = {
    ...replicaOptionsOf({ timing: bench.timing, raft: experiment.raft, rejoinAfterDamage: true }),
    ...settings.replica,
  };
  const world = new World({
    bench,
    seed: settings.seed,
    replica: { ...replica, raft: { ...replica.raft, ...settings.raft } },
    workload: experiment.workload,
    record: (event) => history.push(event),
    stopsAtViolation: !expectsLie(experiment.expect),
    ...(settings.laws === undefined ? {} : { laws: settings.laws }),
    ...(settings.network === undefined ? {} : { network: settings.network }),
    ...(settings.disk === undefined ? {} : { disk: settings.disk }),
    ...(settings.tell === undefined ? {} : { tell: settings.tell }),
  });

  function perform(step: Step): void {
    const { fault } = step.occurrence;
    const { actions, ...hit } = conductor.perform(step, viewOf(world));
    const { targets } = hit;
    const hits = targets.length > 0 || fault.kind === "noise";
    if (step.kind === "begin" && hits) faults[fault.kind] = (faults[fault.kind] ?? 0) + 1;
    const told = { atUs: world.nowUs, kind: "step", step: step.kind, fault, ...hit } as const;
    settings.tell?.({ ...told, isWhole: conductor.isWhole() });
    for (const action of actions) carryOut(world, action, options);
  }

  /** Lets time pass, as far as nobody minds. */
  function* passUntil(untilUs: number): Generator<void, boolean, void> {
    while (world.nowUs < untilUs) {
      yield;
      if (world.isStopped || settings.goOn?.(world.nowUs) === false) return false;
      world.runUntil(Math.min(untilUs, world.nowUs + askEveryUs));
    }
    return !world.isStopped;
  }

  world.powerOn();
  for (const client of world.clients) client.startWork();
  let goesOn = true;
  for (const step of planExperiment(experiment)) {
    goesOn = goesOn && (yield* passUntil(step.atUs));
    if (goesOn) perform(step);
  }
  goesOn = goesOn && (yield* passUntil(experiment.durationUs));

  let liveness: LivenessFailure | null = null;
  if (goesOn) {
    if (!options.sparesQuorum) for (const action of conductor.endAll()) carryOut(world, action, options);
    const part = options.sparesQuorum ? chooseSufficientPart(world, random.fork("part")) : world.boards;
    if (part !== null) {
      healPart(world, part);
      liveness = demandLiveness(world, part);
    }
  }
  return {
    kind: "simulated",
    seed: settings.seed,
    fingerprint: world.fingerprint,
    durationUs: world.nowUs,
    events: world.queue.happened,
    history,
    violation: world.violation,
    liveness: world.isStopped ? null : liveness,
    elections: world.invariants.elections,
    faults,
    network: world.network.counters,
    interrupted: !goesOn && !world.isStopped,
  };
}

const askEveryUs = 1_000_000;
