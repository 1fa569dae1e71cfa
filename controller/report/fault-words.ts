/** Faults in words: as a label, and as sentences on their beginning and their end. */

import { formatDurationUs } from "../../sim/duration.ts";
import type { FaultSpan } from "../experiment/chronicle.ts";
import { listed } from "./words.ts";

/** A fault of an experiment, or what a hand did. */
type AnyFault = FaultSpan["fault"];

/** A fault in a few words, for a label: `cut pi-3`. */
export function faultLabel(fault: AnyFault, targets: readonly string[]): string {
  const what = faultWords[fault.kind];
  return targets.length === 0
    ? what
    : `${what} ${targets.length > 3 ? `${targets.length} of them` : targets.join(", ")}`;
}

const faultWords: { readonly [Kind in AnyFault["kind"]]: string } = {
  hand: "pulled by hand:",
  cut: "cut",
  flap: "flapping",
  "one-way": "one-way",
  split: "split:",
  isolate: "isolated:",
  "switch-off": "off:",
  "broker-down": "gone:",
  noise: "noise",
  "power-cut": "no power:",
  crash: "killed:",
  pause: "paused:",
  "disk-stall": "disk stalls:",
  "disk-slow": "slow disk:",
  "disk-full": "disk full:",
  "bit-rot": "bit rot:",
  wipe: "wiped:",
  replace: "replaced:",
  "clock-drift": "clock drifts:",
  "clock-jump": "clock jumps:",
  "transfer-leadership": "hand over to",
  "add-member": "join:",
  "remove-member": "leave:",
};

/** What a fault does, as a sentence. */
export function faultSentence(fault: AnyFault, targets: readonly string[]): string {
  const names = listed(targets);
  const verb = (one: string, several: string): string => (targets.length === 1 ? one : several);
  switch (fault.kind) {
    case "hand":
      return `a hand pulls the cable ${names}.`;
    case "cut":
      return `${verb("cable", "cables")} ${names} ${verb("is", "are")} cut.`;
    case "flap":
      return `${verb("cable", "cables")} ${names} ${verb("opens and closes", "open and close")} every ${formatDurationUs(fault.periodUs)}.`;
    case "one-way":
      return `${names} ${fault.loses === "incoming" ? "can speak but not hear" : "can hear but not speak"}.`;
    case "split":
      return `the bench is split: ${fault.groups.map((group) => group.join(", ")).join(" | ")}.`;
    case "isolate":
      return `${verb("cable", "cables")} ${names} ${verb("is", "are")} cut, to part some boards from the others.`;
    case "switch-off":
      return `${names} ${verb("has", "have")} no power.`;
    case "broker-down":
      return `${names} ${verb("crashes", "crash")}: who listens there hears nothing.`;
    case "noise":
      return "messages get lost, come twice or too late.";
    case "power-cut":
      return `${names} ${verb("loses its", "lose their")} power, and what was not flushed.`;
    case "crash":
      return `the ${verb("process", "processes")} of ${names} ${verb("is", "are")} killed.`;
    case "pause":
      return `${names} ${verb("stands", "stand")} still.`;
    case "disk-stall":
      return `the ${verb("disk", "disks")} of ${names} ${verb("takes", "take")} no more writes.`;
    case "disk-slow":
      return `a flush takes ${formatDurationUs(fault.flushUs)} on ${names}.`;
    case "disk-full":
      return `the ${verb("disk", "disks")} of ${names} ${verb("is", "are")} full.`;
    case "bit-rot":
      return `a bit turns over on the ${verb("card", "cards")} of ${names}.`;
    case "wipe":
      return `${names} ${verb("restarts", "restart")} with an empty card.`;
    case "replace":
      return `${names} ${verb("is", "are")} taken away, to come back with an empty card.`;
    case "clock-drift":
      return `the ${verb("clock", "clocks")} of ${names} ${verb("runs", "run")} ${Math.abs(fault.driftPpm) / 10_000} % too ${fault.driftPpm < 0 ? "slow" : "fast"}.`;
    case "clock-jump":
      return `the ${verb("clock", "clocks")} of ${names} ${verb("jumps", "jump")} by ${formatDurationUs(fault.byUs)}.`;
    case "transfer-leadership":
      return `the leader is asked to hand over to ${names}.`;
    case "add-member":
      return `${names} ${verb("is", "are")} to join the cluster.`;
    case "remove-member":
      return `${names} ${verb("is", "are")} to leave the cluster.`;
    default:
      return fault satisfies never;
  }
}

/** That it is over, as a sentence. */
export function healSentence(fault: AnyFault, targets: readonly string[]): string {
  const names = listed(targets);
  const verb = (one: string, several: string): string => (targets.length === 1 ? one : several);
  switch (fault.kind) {
    case "hand":
      return `a hand plugs the cable ${names} in again.`;
    case "cut":
    case "flap":
    case "isolate":
      return `${verb("cable", "cables")} ${names} ${verb("is", "are")} whole again.`;
    case "split":
      return "the bench is whole again.";
    case "noise":
      return "the network is quiet again.";
    case "power-cut":
    case "crash":
    case "replace":
    case "wipe":
      return `${names} ${verb("starts", "start")} again.`;
    case "disk-stall":
    case "disk-slow":
    case "disk-full":
      return `the ${verb("disk", "disks")} of ${names} ${verb("works", "work")} again.`;
    case "clock-drift":
      return `the ${verb("clock", "clocks")} of ${names} ${verb("runs", "run")} true again.`;
    case "broker-down":
    case "switch-off":
    case "pause":
    case "one-way":
      return `${names} ${verb("is", "are")} back.`;
    default:
      return `${names}: that is over.`;
  }
}
