/**
 * Random experiments: each seed gives a bench, a workload, settings and faults. Swarm testing (Groce et al., 2012): a
 * seed draws a few kinds of faults and leaves out the others, since what happens all the time hides what needs quiet.
 */

import type { RaftOptions } from "../../device/raft/index.ts";
import { createRandom, type Random } from "../../device/random.ts";
import { defaultReplicaOptions, type ReplicaOptions } from "../../device/replica/options.ts";
import type { Bench } from "../../hardware/bench.ts";
import { type DiskTiming, goodDiskTiming } from "../../sim/disk.ts";
import type { NetworkOptions } from "../../sim/network-types.ts";
import { defaultWorkload, type Mix, type Workload } from "../../sim/workload.ts";
import type { Experiment, ScheduledFault } from "../experiment/model.ts";
import { drawFault, type FaultDraw, faultKinds } from "./random-fault.ts";
import { drawStory } from "./story.ts";

/** Everything that a seed decides. */
export type Scenario = {
  readonly seed: number;
  readonly bench: Bench;
  readonly experiment: Experiment;
  readonly network: Partial<NetworkOptions>;
  readonly disk: DiskTiming;
  readonly replica: Partial<ReplicaOptions>;
  readonly raft: Partial<RaftOptions>;
};

/** The benches that scenarios are drawn on, the first the most often. */
export type Benches = {
  readonly fiveBoards: Bench;
  readonly threeBoards: Bench;
  readonly twoSwitches: Bench;
  readonly inboxPerBoard: Bench;
};

/** The scenario of a seed: the same on every machine. */
export function drawScenario(seed: number, benches: Benches): Scenario {
  const random = createRandom(`scenario ${seed}`);
  const bench = drawBench(random.fork("bench"), benches);
  const settings = random.fork("settings");
  const lease = settings.chance(1, 4);
  // Without leases no clock is trusted, so clocks may be as bad as they like.
  const clockDriftMaxPpm = lease ? 250_000 : 450_000;
  const durationUs = settings.between(8, 31) * second;
  const draw: FaultDraw = { bench, driftPpmMax: clockDriftMaxPpm };
  return {
    seed,
    bench,
    experiment: {
      name: `seed-${seed}`,
      description: "Drawn at random.",
      bench: null,
      durationUs,
      seed,
      workload: drawWorkload(random.fork("workload"), lease),
      raft: {
        leaseReads: lease,
        clockDriftPpmMax: clockDriftMaxPpm,
        snapshotAfterEntries: settings.pick([25, 60, 200, 10_000]),
        trailingEntries: settings.pick([1, 5, 20, 100]),
      },
      faults: drawFaults(random.fork("faults"), draw, durationUs),
      expect: [],
    },
    network: {
      persistentSessions: settings.chance(1, 4),
      staleReplay: settings.chance(1, 4),
      ...(settings.chance(1, 6) ? { hopUsMin: 1_000, hopUsMax: 25_000 } : {}),
    },
    disk: settings.chance(1, 4) ? slowCard : goodDiskTiming,
    replica: drawReplica(settings),
    raft: drawRaft(settings),
  };
}

const second = 1_000_000;

/** Something like an SD card on a bad day, without its worst moments: those are faults of their own. */
const slowCard: DiskTiming = { flushUs: [1_000, 40_000], changeUs: [2_000, 80_000], readUs: [200, 2_000] };

function drawBench(random: Random, benches: Benches): Bench {
  const { fiveBoards, threeBoards, twoSwitches, inboxPerBoard } = benches;
  const often = [fiveBoards, fiveBoards, fiveBoards];
  return random.pick([...often, threeBoards, twoSwitches, twoSwitches, inboxPerBoard, inboxPerBoard]);
}

function drawWorkload(random: Random, lease: boolean): Workload {
  const clients = random.between(2, 8);
  const keys = random.between(1, 4);
  const mix = random.pick(mixes);
  const timeoutUs = random.pick([1, 2, 5]) * second;
  return {
    ...defaultWorkload,
    clients,
    keys,
    mix,
    readMode: lease ? "lease" : "linearizable",
    // Which of many additions of unknown outcome took effect is a subset-sum problem: so not too many of them.
    timeoutUs: mix === mostlyAdditions ? 5 * second : timeoutUs,
    retryAfterUs: random.pick([100_000, 300_000, 500_000]),
  };
}

const mostlyAdditions: Mix = { read: 4, write: 1, cas: 1, append: 0, add: 14, delete: 0 };

const mixes: readonly Mix[] = [
  { read: 10, write: 4, cas: 2, append: 1, add: 3, delete: 0 },
  mostlyAdditions,
  { read: 10, write: 10, cas: 0, append: 0, add: 0, delete: 0 },
  { read: 8, write: 4, cas: 6, append: 2, add: 0, delete: 2 },
];

function drawReplica(random: Random): Partial<ReplicaOptions> {
  return {
    storage: { segmentBytesMax: random.pick([2 * 1024, 16 * 1024, 1024 * 1024]) },
    sessions: random.chance(1, 8) ? { timeToLiveMs: 25_000, sessionsMax: 6 } : {},
    snapshotAfterBytes: defaultReplicaOptions.snapshotAfterBytes,
  };
}

function drawRaft(random: Random): Partial<RaftOptions> {
  return {
    appendEntriesMax: random.pick([1, 2, 8, 512]),
    inFlightAppendsMax: random.pick([1, 4, 16]),
    snapshotChunkBytes: random.pick([256, 4_096, 65_536]),
  };
}

function drawFaults(random: Random, draw: FaultDraw, durationUs: number): readonly ScheduledFault[] {
  const kinds = faultKinds.filter(() => random.chance(1, 4));
  if (kinds.length === 0) kinds.push(random.pick(faultKinds));
  const count = random.between(1, 5) * random.between(1, 5);
  // Faults that come one upon the other find what single ones do not.
  const isClustered = random.chance(1, 2);
  const centers = [1, 2, 3].map(() => random.between(second / 2, durationUs - 3 * second));
  const faults: ScheduledFault[] = [];
  for (let number = 0; number < count; number += 1) {
    const beginUs = isClustered
      ? random.pick(centers) + random.between(0, 2 * second)
      : random.between(second / 2, durationUs - second);
    faults.push(...drawFault(random.fork(`fault ${number}`), random.pick(kinds), draw, beginUs));
  }
  if (random.chance(1, 3)) {
    faults.push(...drawStory(random.fork("story"), draw, random.between(second, durationUs - 5 * second)));
  }
  return faults
    .toSorted((one, other) => beginOf(one) - beginOf(other))
    .map((fault, place) => ({ ...fault, line: place + 1 }));
}

/** When a fault begins, the first time. */
export function beginOf({ schedule }: ScheduledFault): number {
  return schedule.kind === "once" ? schedule.atUs : schedule.firstUs;
}
