/** The faults of an experiment, from what a person wrote to a `ScheduledFault` each. */

import type { Path, Problems } from "../../hardware/yaml-file.ts";
import { formatDurationUs, parseDurationUs } from "../../sim/duration.ts";
import type { Fault, Schedule, ScheduledFault, Target } from "./model.ts";
import type { ExperimentFile, FaultEntry } from "./schema.ts";
import { formatTarget, parseGroups, parseTarget, targetWords } from "./target.ts";

/** Shorter halves than this no cutter can do, nor would a keep-alive notice. */
const flapPeriodUsMin = 20_000;
const everyUsMin = 10_000;
const noiseDelayUsDefault = 50_000;

/** Whole parts per million of a percentage. */
export function percentToPpm(percent: number): number {
  return Math.round(percent * 10_000);
}

/** All faults of the file; what cannot happen is noted in `problems`. */
export function resolveFaults(file: ExperimentFile, durationUs: number, problems: Problems): readonly ScheduledFault[] {
  return (file.faults ?? []).map((entry, position) => {
    const path: Path = ["faults", position];
    const lastsUs = "for" in entry ? parseDurationUs(entry.for) : null;
    const schedule = resolveSchedule(entry, path, { durationUs, lastsUs }, problems);
    if ("target" in entry && Array.isArray(entry.target)) refuseWords(entry.target, [...path, "target"], problems);
    if (lastsUs === 0) problems.add([...path, "for"], `A fault that lasts ${formatDurationUs(0)} is none.`);
    return { fault: resolveFault(entry, path, problems), schedule, lastsUs, line: problems.lineOf(path) };
  });
}

/** A list holds names: `[leader, pi-1]` would mean pi-1 twice as soon as pi-1 leads. */
function refuseWords(names: readonly string[], place: Path, problems: Problems): void {
  const word = names.find((name) => targetWords.includes(name));
  if (word === undefined) return;
  problems.add(place, `"${word}" cannot stand in a list, which holds names alone; write "target: ${word}", or names.`);
}

function resolveSchedule(
  entry: FaultEntry,
  path: Path,
  { durationUs, lastsUs }: { readonly durationUs: number; readonly lastsUs: number | null },
  problems: Problems,
): Schedule {
  const atUs = entry.at === undefined ? null : parseDurationUs(entry.at);
  const everyUs = entry.every === undefined ? null : parseDurationUs(entry.every);
  const firstUs = atUs ?? everyUs;
  if (firstUs === null) {
    problems.add(path, 'When does it happen? Write "at:" and a moment, such as 5s, or "every:" and a period.');
  } else if (firstUs >= durationUs) {
    const message = `It would happen first at ${formatDurationUs(firstUs)}, and the experiment ends at ${formatDurationUs(durationUs)}.`;
    problems.add([...path, atUs === null ? "every" : "at"], message);
  }
  if (everyUs === null) {
    for (const key of ["until", "times"] as const) {
      if (entry[key] !== undefined) problems.add([...path, key], `"${key}" goes with "every", which is missing here.`);
    }
    return { kind: "once", atUs: firstUs ?? 0 };
  }
  if (everyUs < everyUsMin) {
    problems.add([...path, "every"], `So often no fault can happen: at most every ${formatDurationUs(everyUsMin)}.`);
  }
  if (lastsUs !== null && lastsUs >= everyUs) {
    const message = `It lasts ${formatDurationUs(lastsUs)} and begins again every ${formatDurationUs(everyUs)}: it would never end.`;
    problems.add([...path, "for"], message);
  }
  const untilUs = entry.until === undefined ? durationUs : Math.min(parseDurationUs(entry.until), durationUs);
  if (firstUs !== null && firstUs < durationUs && untilUs <= firstUs) {
    problems.add([...path, "until"], `It would end before it first happens, at ${formatDurationUs(firstUs)}.`);
  }
  return { kind: "repeated", firstUs: firstUs ?? 0, everyUs, untilUs, timesMax: entry.times ?? null };
}

function resolveFault(entry: FaultEntry, path: Path, problems: Problems): Fault {
  switch (entry.fault) {
    case "cut":
    case "isolate":
    case "power-cut":
    case "crash":
    case "pause":
    case "disk-stall":
    case "disk-full":
    case "bit-rot":
    case "wipe":
    case "replace":
    case "add-member":
    case "remove-member":
      return { kind: entry.fault, target: parseTarget(entry.target) };
    case "switch-off":
      return { kind: entry.fault, target: thingTarget(entry.target, "switches", path, problems) };
    case "broker-down": {
      const loses = entry.loses ?? ["sessions", "retained"];
      return { kind: entry.fault, target: thingTarget(entry.target, "brokers", path, problems), loses };
    }
    case "transfer-leadership":
      return { kind: entry.fault, target: successor(entry.target, path, problems) };
    case "one-way":
      return { kind: entry.fault, target: parseTarget(entry.target), loses: entry.loses };
    case "flap": {
      const periodUs = parseDurationUs(entry.period);
      if (periodUs < flapPeriodUsMin || periodUs > parseDurationUs(entry.for)) {
        const message = `The period must be at least ${formatDurationUs(flapPeriodUsMin)} and at most what "for" says.`;
        problems.add([...path, "period"], message);
      }
      return { kind: entry.fault, target: parseTarget(entry.target), periodUs };
    }
    case "split":
      return { kind: entry.fault, groups: splitGroups(entry.groups, path, problems) };
    case "noise":
      return {
        kind: entry.fault,
        lossPpm: percentToPpm(entry.lossPercent ?? 0),
        duplicationPpm: percentToPpm(entry.duplicationPercent ?? 0),
        delayPpm: percentToPpm(entry.delayPercent ?? 0),
        delayUsMax: entry.delayMax === undefined ? noiseDelayUsDefault : parseDurationUs(entry.delayMax),
      };
    case "disk-slow":
      return { kind: entry.fault, target: parseTarget(entry.target), flushUs: parseDurationUs(entry.flush) };
    case "clock-drift":
      return { kind: entry.fault, target: parseTarget(entry.target), driftPpm: percentToPpm(entry.driftPercent) };
    case "clock-jump":
      return { kind: entry.fault, target: parseTarget(entry.target), byUs: parseDurationUs(entry.by) };
    default:
      return entry satisfies never;
  }
}

/** A target that is no board, so that the words for boards make no sense. */
function thingTarget(written: string | string[], things: string, path: Path, problems: Problems): Target {
  const target = parseTarget(written);
  if (target.kind !== "named" && target.kind !== "all") {
    const message = `"${formatTarget(target)}" means boards; here the names of ${things} may stand, or all.`;
    problems.add([...path, "target"], message);
  }
  return target;
}

/** To whom a leader may hand over: one board that does not lead. */
function successor(written: string | string[] | undefined, path: Path, problems: Problems): Target {
  const target = written === undefined ? ({ kind: "follower" } as const) : parseTarget(written);
  const isOne =
    target.kind === "named" ? target.names.length === 1 : target.kind === "follower" || target.kind === "next";
  if (!isOne) {
    const message = `Leadership goes to one board: "a follower", "the next board" or a name, not "${formatTarget(target)}".`;
    problems.add([...path, "target"], message);
  }
  return target;
}

function splitGroups(
  written: string | (string | string[])[],
  path: Path,
  problems: Problems,
): readonly (readonly string[])[] {
  const groups = parseGroups(written);
  const place = [...path, "groups"];
  if (groups.length < 2 || groups.some((group) => group.length === 0)) {
    problems.add(
      place,
      'A split needs two groups at least, none of them empty, such as "pi-1, pi-2 | pi-3, pi-4, pi-5".',
    );
  }
  const names = groups.flat();
  for (const name of new Set(names.filter((each, position) => names.indexOf(each) !== position))) {
    problems.add(place, `${name} stands in the groups twice.`);
  }
  return groups;
}
