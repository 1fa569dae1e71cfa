/** Writes an experiment as its file would say it: for those that were drawn, so that people can read and change them. */

import { stringify } from "yaml";
import { formatDurationUs } from "../../sim/duration.ts";
import { formatPromise } from "./expectations.ts";
import type { Experiment, Fault, ScheduledFault, Target } from "./model.ts";
import { formatTarget } from "./target.ts";

/** The text of an experiment's file; `parseExperiment` reads it as the same experiment. */
export function formatExperiment(experiment: Experiment): string {
  const { name, description, bench, durationUs, seed, workload, raft, faults, expect } = experiment;
  const { timeoutUs, retryAfterUs, ...work } = workload;
  const { clockDriftPpmMax, snapshotAfterEntries, trailingEntries, leaseReads } = raft;
  const file = {
    name,
    ...(description === "" ? {} : { description }),
    ...(bench === null ? {} : { bench }),
    duration: formatDurationUs(durationUs),
    ...(seed === null ? {} : { seed }),
    workload: { ...work, timeout: formatDurationUs(timeoutUs), retryAfter: formatDurationUs(retryAfterUs) },
    raft: {
      leaseReads,
      ...(leaseReads && clockDriftPpmMax !== null ? { clockDriftPercentMax: percent(clockDriftPpmMax) } : {}),
      ...(snapshotAfterEntries === null ? {} : { snapshotAfterEntries }),
      ...(trailingEntries === null ? {} : { trailingEntries }),
    },
    faults: faults.map(faultEntry),
    expect: expect.map(({ promise, outcome }) =>
      outcome === "broken" ? { fails: formatPromise(promise) } : formatPromise(promise),
    ),
  };
  return stringify(file, { lineWidth: 120 });
}

/**
 * The experiment without what only a program can ask for: whoever is wiped for a while is called replaced in a file,
 * leadership goes to one board that does not have it, a split parts something, and what flaps opens more than once.
 */
export function asWritable(experiment: Experiment): Experiment {
  return { ...experiment, faults: experiment.faults.flatMap(writable) };
}

function writable(scheduled: ScheduledFault): readonly ScheduledFault[] {
  const { fault, lastsUs } = scheduled;
  switch (fault.kind) {
    case "wipe":
      return [lastsUs === null ? scheduled : { ...scheduled, fault: { ...fault, kind: "replace" } }];
    case "transfer-leadership":
      return [
        fault.target.kind === "named" ? scheduled : { ...scheduled, fault: { ...fault, target: { kind: "follower" } } },
      ];
    case "split":
      return fault.groups.length < 2 ? [] : [scheduled];
    case "flap":
      if (lastsUs === null || fault.periodUs <= lastsUs) return [scheduled];
      return [
        {
          ...scheduled,
          fault: { kind: "cut", target: fault.target },
          lastsUs: Math.min(lastsUs, Math.ceil(fault.periodUs / 2)),
        },
      ];
    default:
      return [scheduled];
  }
}

function faultEntry({ fault, schedule, lastsUs }: ScheduledFault) {
  const when =
    schedule.kind === "once"
      ? { at: formatDurationUs(schedule.atUs) }
      : {
          at: formatDurationUs(schedule.firstUs),
          every: formatDurationUs(schedule.everyUs),
          until: formatDurationUs(schedule.untilUs),
          ...(schedule.timesMax === null ? {} : { times: schedule.timesMax }),
        };
  return { ...what(fault), ...when, ...(lastsUs === null ? {} : { for: formatDurationUs(lastsUs) }) };
}

/** What the fault is, in the words of the file. */
function what(fault: Fault) {
  switch (fault.kind) {
    case "split":
      return { fault: fault.kind, groups: fault.groups.map((group) => group.join(", ")).join(" | ") };
    case "noise":
      return {
        fault: fault.kind,
        lossPercent: percent(fault.lossPpm),
        duplicationPercent: percent(fault.duplicationPpm),
        delayPercent: percent(fault.delayPpm),
        delayMax: formatDurationUs(fault.delayUsMax),
      };
    case "flap":
      return { fault: fault.kind, ...at(fault.target), period: formatDurationUs(fault.periodUs) };
    case "one-way":
    case "broker-down":
      return { fault: fault.kind, ...at(fault.target), loses: fault.loses };
    case "disk-slow":
      return { fault: fault.kind, ...at(fault.target), flush: formatDurationUs(fault.flushUs) };
    case "clock-drift":
      return { fault: fault.kind, ...at(fault.target), driftPercent: percent(fault.driftPpm) };
    case "clock-jump":
      return { fault: fault.kind, ...at(fault.target), by: formatDurationUs(fault.byUs) };
    default:
      return { fault: fault.kind, ...at(fault.target) };
  }
}

function at(target: Target) {
  return { target: target.kind === "named" && target.names.length > 1 ? target.names : formatTarget(target) };
}

function percent(ppm: number): number {
  return ppm / 10_000;
}
