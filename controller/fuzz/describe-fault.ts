/** Faults of a scenario in words, one line each: what a person reads when a seed fails. */

import { formatDurationUs } from "../../sim/duration.ts";
import type { Fault, ScheduledFault } from "../experiment/model.ts";
import { formatTarget } from "../experiment/target.ts";
import type { Scenario } from "./scenario.ts";

/** The faults with these numbers, in the order in which they begin. */
export function describeFaults({ experiment }: Scenario, numbers: readonly number[]): readonly string[] {
  return experiment.faults.filter(({ line }) => numbers.includes(line)).map(describeFault);
}

/** One fault: when, what, for how long. */
function describeFault({ fault, schedule, lastsUs }: ScheduledFault): string {
  const atUs = schedule.kind === "once" ? schedule.atUs : schedule.firstUs;
  const lasts = lastsUs === null ? "" : ` for ${formatDurationUs(lastsUs)}`;
  return `at ${formatDurationUs(atUs)}: ${whatOf(fault)}${lasts}`;
}

function whatOf(fault: Fault): string {
  switch (fault.kind) {
    case "split":
      return `split ${fault.groups.map((group) => group.join(", ")).join(" | ")}`;
    case "noise":
      return `noise: ${fault.lossPpm} ppm lost, ${fault.duplicationPpm} ppm twice, ${fault.delayPpm} ppm late by up to ${formatDurationUs(fault.delayUsMax)}`;
    case "flap":
      return `flap ${formatTarget(fault.target)} every ${formatDurationUs(fault.periodUs)}`;
    case "one-way":
      return `one-way ${formatTarget(fault.target)}, losing what is ${fault.loses}`;
    case "disk-slow":
      return `disk-slow ${formatTarget(fault.target)}, ${formatDurationUs(fault.flushUs)} a flush`;
    case "clock-drift":
      return `clock-drift ${formatTarget(fault.target)} by ${fault.driftPpm} ppm`;
    case "clock-jump":
      return `clock-jump ${formatTarget(fault.target)} by ${formatDurationUs(fault.byUs)}`;
    default:
      return `${fault.kind} ${formatTarget(fault.target)}`;
  }
}
