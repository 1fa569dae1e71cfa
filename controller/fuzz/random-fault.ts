/** One random fault of a given kind: what it hits, how badly, for how long. */

import type { Random } from "../../device/random.ts";
import type { Bench } from "../../hardware/bench.ts";
import type { BrokerLoss, Fault, FaultKind, ScheduledFault, Target } from "../experiment/model.ts";

/** Every kind of fault that there is: a campaign exercises all of them. */
export const faultKinds = [
  "cut",
  "flap",
  "one-way",
  "split",
  "isolate",
  "switch-off",
  "broker-down",
  "noise",
  "power-cut",
  "crash",
  "pause",
  "disk-stall",
  "disk-slow",
  "disk-full",
  "bit-rot",
  "wipe",
  "replace",
  "clock-drift",
  "clock-jump",
  "transfer-leadership",
  "add-member",
  "remove-member",
] as const satisfies readonly FaultKind[];

export type FaultDraw = {
  readonly bench: Bench;
  /** How far clocks may drift, in parts per million. */
  readonly driftPpmMax: number;
};

/** A fault that begins at `beginUs`; a few kinds come with what takes them back later. */
export function drawFault(
  random: Random,
  kind: (typeof faultKinds)[number],
  draw: FaultDraw,
  beginUs: number,
): readonly ScheduledFault[] {
  const lastsUs = random.chance(1, 2) ? random.between(20_000, 800_000) : random.between(500_000, 6_000_000);
  const target = drawTarget(random, draw.bench);
  switch (kind) {
    case "cut":
    case "isolate":
    case "power-cut":
    case "crash":
    case "pause":
    case "disk-stall":
    case "disk-full":
    case "wipe":
    case "replace":
      return [once({ kind, target }, beginUs, lastsUs)];
    case "flap":
      return [once({ kind, target, periodUs: random.between(50_000, 1_500_000) }, beginUs, lastsUs)];
    case "one-way":
      return [once({ kind, target, loses: random.pick(["incoming", "outgoing"] as const) }, beginUs, lastsUs)];
    case "split":
      return [once({ kind, groups: drawGroups(random, draw.bench) }, beginUs, lastsUs)];
    case "switch-off":
      return [once({ kind, target: named(random.pick(draw.bench.switches).name) }, beginUs, lastsUs)];
    case "broker-down": {
      const loses = (["sessions", "retained"] as const).filter((): boolean => random.chance(1, 2));
      const broker = named(random.pick(draw.bench.brokers).name);
      return [once({ kind, target: broker, loses: loses satisfies readonly BrokerLoss[] }, beginUs, lastsUs)];
    }
    case "noise":
      return [once(drawNoise(random), beginUs, lastsUs)];
    case "disk-slow":
      return [once({ kind, target, flushUs: random.between(5_000, 300_000) }, beginUs, lastsUs)];
    case "clock-drift": {
      const edge = random.pick([-draw.driftPpmMax, draw.driftPpmMax]);
      // Half of the time as bad as it may be: the edge is where leases break.
      const driftPpm = random.chance(1, 2) ? random.between(-draw.driftPpmMax, draw.driftPpmMax + 1) : edge;
      return [once({ kind, target, driftPpm }, beginUs, lastsUs + 3_000_000)];
    }
    case "clock-jump":
      return [once({ kind, target, byUs: random.between(-120_000_000, 120_000_000) }, beginUs, null)];
    case "bit-rot":
      // What rots is found when it is read: at the next start.
      return [once({ kind, target }, beginUs, null), once({ kind: "crash", target }, beginUs + 1, lastsUs)];
    case "transfer-leadership":
      return [once({ kind, target }, beginUs, null)];
    case "add-member":
      return [once({ kind, target: { kind: "all" } }, beginUs, null)];
    case "remove-member": {
      const gone = drawMembers(random, draw.bench);
      const back = once({ kind: "add-member", target: { kind: "all" } }, beginUs + lastsUs, null);
      // Two changes in quick succession: the second must wait for the first.
      const second = once({ kind, target: drawMembers(random, draw.bench) }, beginUs + random.between(1, 4_000), null);
      return [once({ kind, target: gone }, beginUs, null), ...(random.chance(1, 2) ? [second] : []), back];
    }
    default:
      return kind satisfies never;
  }
}

/** A fault that happens once; `lastsUs` is `null` if it is over in a moment. */
export function once(fault: Fault, atUs: number, lastsUs: number | null): ScheduledFault {
  return { fault, schedule: { kind: "once", atUs }, lastsUs, line: 0 };
}

function drawTarget(random: Random, bench: Bench): Target {
  const board = named(random.pick(bench.boards).name);
  return random.pick<Target>([
    { kind: "leader" },
    { kind: "leader" },
    { kind: "leader" },
    { kind: "follower" },
    { kind: "follower" },
    { kind: "minority" },
    { kind: "majority" },
    { kind: "all" },
    board,
    board,
  ]);
}

function drawMembers(random: Random, bench: Bench): Target {
  return random.pick<Target>([
    { kind: "leader" },
    { kind: "follower" },
    { kind: "minority" },
    named(random.pick(bench.boards).name),
  ]);
}

/** The thing of that name. */
export function named(name: string): Target {
  return { kind: "named", names: [name] };
}

function drawGroups(random: Random, bench: Bench): readonly (readonly string[])[] {
  const left: string[] = [];
  const right: string[] = [];
  for (const { name } of bench.boards) (random.chance(1, 2) ? left : right).push(name);
  return [left, right].filter((group) => group.length > 0);
}

function drawNoise(random: Random): Fault {
  const ppm = (max: number): number => (random.chance(1, 2) ? random.between(0, max) : 0);
  return {
    kind: "noise",
    lossPpm: ppm(80_000),
    duplicationPpm: ppm(80_000),
    delayPpm: ppm(150_000),
    delayUsMax: random.between(10_000, 1_000_000),
  };
}
