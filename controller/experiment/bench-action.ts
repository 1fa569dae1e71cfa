/** What a bench is told to do to itself, one thing at a time and by name: what every kind of bench carries out. */

import type { BrokerLoss, NoiseSettings } from "./model.ts";

/** Doing what is so already changes nothing. */
export type BenchAction =
  /** Of one direction only where the bench can do that: what comes from the cable's first or second end is lost. */
  | { readonly kind: "cut"; readonly cable: string; readonly direction: "both" | "fromFirstEnd" | "fromSecondEnd" }
  | { readonly kind: "heal"; readonly cable: string }
  /** What a board says to another is withheld by the broker of the other's inbox, one way; and no longer. */
  | { readonly kind: "withhold" | "deliver"; readonly from: string; readonly to: string }
  | { readonly kind: "switchOff" | "switchOn"; readonly switch: string }
  | { readonly kind: "stopBroker"; readonly broker: string; readonly loses: readonly BrokerLoss[] }
  | { readonly kind: "startBroker"; readonly broker: string }
  | { readonly kind: "setNoise"; readonly noise: NoiseSettings | null }
  /** `start` gives power and starts the process, whichever of them is missing. */
  | { readonly kind: "powerOff" | "kill" | "start" | "pause" | "resume"; readonly board: string }
  | { readonly kind: "setDisk"; readonly board: string; readonly condition: DiskCondition }
  | { readonly kind: "flipBit"; readonly board: string }
  /** Only while the board has no power. */
  | { readonly kind: "eraseCard"; readonly board: string }
  | { readonly kind: "setClockDrift"; readonly board: string; readonly driftPpm: number }
  | { readonly kind: "jumpClock"; readonly board: string; readonly byUs: number }
  | { readonly kind: "transferLeadership"; readonly board: string }
  /** All in one change of the configuration. */
  | { readonly kind: "addMembers" | "removeMembers"; readonly boards: readonly string[] };

export type DiskCondition =
  | { readonly kind: "healthy" | "stalled" | "full" }
  | { readonly kind: "slow"; readonly flushUs: number };
