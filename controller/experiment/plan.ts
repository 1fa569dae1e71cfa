/**
 * Which fault begins and ends when: an experiment laid out along time, before anything is known of a bench or a leader.
 *
 * Pure: the same experiment gives the same plan. Targets stay words; `resolve.ts` finds out what they mean at the moment
 * when a fault begins.
 */

import type { Experiment, Fault, ScheduledFault } from "./model.ts";

/** One time that a fault happens. */
export type Occurrence = {
  /** Its place among all occurrences of the experiment, in the order of their beginnings. */
  readonly id: number;
  readonly fault: Fault;
  /** How many times this fault has happened before. */
  readonly times: number;
  readonly beginUs: number;
  /** `null`: it happens in a moment and leaves nothing to end. */
  readonly endUs: number | null;
  /** The line of the experiment's file where the fault stands. */
  readonly line: number;
};

/** What is to be done at a moment. A flapping cable opens with `begin`, and each `turn` closes or opens it again. */
export type Step = {
  readonly atUs: number;
  readonly kind: "begin" | "turn" | "end";
  readonly occurrence: Occurrence;
};

/**
 * All steps in the order of time; at one moment first what ends, then what turns, then what begins, each in the order of
 * the file. What would last beyond the experiment ends with it.
 */
export function planExperiment(experiment: Experiment): readonly Step[] {
  const occurrences = experiment.faults
    .flatMap((scheduled) => occurrencesOf(scheduled, experiment.durationUs))
    .toSorted((one, other) => one.beginUs - other.beginUs)
    .map((occurrence, id): Occurrence => ({ ...occurrence, id }));
  // Sorting is stable, so what the occurrences' order decides stays decided.
  return occurrences
    .flatMap(stepsOf)
    .toSorted((one, other) => one.atUs - other.atUs || rank[one.kind] - rank[other.kind]);
}

/** How many steps the plan has, without making it. */
export function countSteps(experiment: Experiment): number {
  let steps = 0;
  for (const { fault, schedule, lastsUs } of experiment.faults) {
    const turns = fault.kind === "flap" && lastsUs !== null ? Math.ceil(lastsUs / halfOf(fault.periodUs)) : 0;
    steps += countTimes(schedule, experiment.durationUs) * (turns + (lastsUs === null ? 1 : 2));
  }
  return steps;
}

const rank = { end: 0, turn: 1, begin: 2 } as const;

function occurrencesOf({ fault, schedule, lastsUs, line }: ScheduledFault, durationUs: number) {
  return Array.from({ length: countTimes(schedule, durationUs) }, (_, times) => {
    const beginUs = schedule.kind === "once" ? schedule.atUs : schedule.firstUs + times * schedule.everyUs;
    const endUs = lastsUs === null ? null : Math.min(beginUs + lastsUs, durationUs);
    return { fault, times, beginUs, endUs, line };
  });
}

function countTimes(schedule: ScheduledFault["schedule"], durationUs: number): number {
  if (schedule.kind === "once") return schedule.atUs < durationUs ? 1 : 0;
  const endUs = Math.min(schedule.untilUs, durationUs);
  const fitting = Math.max(0, Math.ceil((endUs - schedule.firstUs) / Math.max(schedule.everyUs, 1)));
  return Math.min(fitting, schedule.timesMax ?? fitting);
}

function stepsOf(occurrence: Occurrence): readonly Step[] {
  const { fault, beginUs, endUs } = occurrence;
  const steps: Step[] = [{ atUs: beginUs, kind: "begin", occurrence }];
  if (endUs === null) return steps;
  if (fault.kind === "flap") {
    const halfUs = halfOf(fault.periodUs);
    for (let atUs = beginUs + halfUs; atUs < endUs; atUs += halfUs) steps.push({ atUs, kind: "turn", occurrence });
  }
  steps.push({ atUs: endUs, kind: "end", occurrence });
  return steps;
}

function halfOf(periodUs: number): number {
  return Math.max(1, Math.floor(periodUs / 2));
}
