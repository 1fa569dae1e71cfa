/**
 * Stories: faults that follow one upon the other in an order that chance alone seldom hits on. Each is a way in which
 * clusters are known to get into trouble; when, for how long and on which boards stays random.
 */

import type { Random } from "../../device/random.ts";
import type { Bench } from "../../hardware/bench.ts";
import type { Fault, ScheduledFault, Target } from "../experiment/model.ts";
import { type FaultDraw, named, once } from "./random-fault.ts";

/** One story, beginning at about `beginUs`. */
export function drawStory(random: Random, draw: FaultDraw, beginUs: number): readonly ScheduledFault[] {
  const story = random.pick([deposedWithoutNoticing, deposedWithoutNoticing, deposedTwice, cutBetweenVotes]);
  return story(random, draw, beginUs);
}

const leader: Target = { kind: "leader" };

/** A leader with a slow clock is cut off: the others elect the next before it finds that it leads no longer (§6.4). */
function deposedWithoutNoticing(random: Random, draw: FaultDraw, beginUs: number): readonly ScheduledFault[] {
  const lastsUs = random.between(1_000_000, 3_000_000);
  return [
    once({ kind: "clock-drift", target: leader, driftPpm: -draw.driftPpmMax }, beginUs, lastsUs + 1_500_000),
    once(cutOffLeader(draw.bench), beginUs + random.between(100_000, 1_000_000), lastsUs),
  ];
}

/** A leader is cut off with entries that nobody else has; two elections later it comes back (§3.5, Figure 3.6). */
function deposedTwice(random: Random, draw: FaultDraw, beginUs: number): readonly ScheduledFault[] {
  const secondUs = beginUs + random.between(700_000, 1_800_000);
  return [
    once(cutOffLeader(draw.bench), beginUs, random.between(2_500_000, 4_000_000)),
    once({ kind: random.pick(["crash", "power-cut"] as const), target: leader }, secondUs, random.between(1, 900_000)),
  ];
}

/** Everyone loses power in the middle of an election, and comes back at once (§3.8). */
function cutBetweenVotes(random: Random, _draw: FaultDraw, beginUs: number): readonly ScheduledFault[] {
  const electionUs = beginUs + random.between(250_000, 700_000);
  return [
    once({ kind: "crash", target: leader }, beginUs, random.between(500_000, 2_000_000)),
    once({ kind: "power-cut", target: { kind: "all" } }, electionUs, random.between(1_000, 60_000)),
  ];
}

/** Behind a trunk the old leader still hears clients; on one switch it can only be isolated. */
function cutOffLeader(bench: Bench): Fault {
  const isSwitch = (node: string): boolean => bench.switches.some(({ name }) => name === node);
  const trunk = bench.cables.find(({ ends }) => isSwitch(ends[0].node) && isSwitch(ends[1].node));
  return trunk === undefined ? { kind: "isolate", target: leader } : { kind: "cut", target: named(trunk.name) };
}
