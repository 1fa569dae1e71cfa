/** An experiment as the rest of Adrift sees it: times in whole microseconds, defaults filled in, words parsed. */

import type { Workload } from "../../sim/workload.ts";
import type { Expectation } from "./expectations.ts";

/** A workload, faults, and what is expected. It runs unchanged on every kind of bench. */
export type Experiment = {
  readonly name: string;
  readonly description: string;
  /** The ready bench that it is written for, if it needs a certain one. */
  readonly bench: string | null;
  /** How long clients work. Whatever is still broken at the end is healed then. */
  readonly durationUs: number;
  /** The seed of a simulated run, if it shall always be the same. */
  readonly seed: number | null;
  readonly workload: ExperimentWorkload;
  readonly raft: RaftSettings;
  readonly faults: readonly ScheduledFault[];
  readonly expect: readonly Expectation[];
};

/** What the clients do, and how long one waits for an answer before it repeats a request. */
export type ExperimentWorkload = Workload & { readonly retryAfterUs: number };

/** What an experiment may set about consensus; `null`: as it comes. */
export type RaftSettings = {
  /** Answer lease reads by the leader's clock alone (§6.4.1). */
  readonly leaseReads: boolean;
  /** With lease reads: how far from true time every clock is trusted to run, in parts per million. */
  readonly clockDriftPpmMax: number | null;
  /** After how many entries a board takes a snapshot, and how many entries before it are kept. */
  readonly snapshotAfterEntries: number | null;
  readonly trailingEntries: number | null;
};

/** A fault, when it happens, and for how long. */
export type ScheduledFault = {
  readonly fault: Fault;
  readonly schedule: Schedule;
  /** How long it lasts each time; `null`: it happens in a moment and is over. */
  readonly lastsUs: number | null;
  /** The line of the file where it stands, for messages. */
  readonly line: number;
};

export type Schedule =
  | { readonly kind: "once"; readonly atUs: number }
  | {
      readonly kind: "repeated";
      readonly firstUs: number;
      readonly everyUs: number;
      /** No further one begins at this moment or later. */
      readonly untilUs: number;
      readonly timesMax: number | null;
    };

/** What a fault hits, as written: worked out only when the fault happens (`resolve.ts`). */
export type Target =
  | { readonly kind: "leader" }
  /** Some board that votes and does not lead. */
  | { readonly kind: "follower" }
  /** As many voters as the cluster can bear to lose; or one more than it can. */
  | { readonly kind: "minority" }
  | { readonly kind: "majority" }
  | { readonly kind: "all" }
  /** The boards of the bench one after the other, each time the fault happens the next. */
  | { readonly kind: "next" }
  /** By name: boards, brokers, switches or cables, as the fault demands. */
  | { readonly kind: "named"; readonly names: readonly string[] };

/** Everything that an experiment does to a bench. */
export type Fault =
  /** Opens cables; of a board or a broker's machine all that are plugged in there. */
  | { readonly kind: "cut"; readonly target: Target }
  /** The same, again and again: open for half of the period, whole for the other half. */
  | { readonly kind: "flap"; readonly target: Target; readonly periodUs: number }
  /** Cables of boards that carry one way only: `loses` says what does not get through, seen from the board. */
  | { readonly kind: "one-way"; readonly target: Target; readonly loses: "incoming" | "outgoing" }
  /** No board hears a board of another group. */
  | { readonly kind: "split"; readonly groups: readonly (readonly string[])[] }
  /** The targeted boards on one side, all others on the other. */
  | { readonly kind: "isolate"; readonly target: Target }
  | { readonly kind: "switch-off"; readonly target: Target }
  | { readonly kind: "broker-down"; readonly target: Target; readonly loses: readonly BrokerLoss[] }
  /** Beyond what MQTT allows: only a simulated bench can do it. In parts per million of all messages. */
  | ({ readonly kind: "noise" } & NoiseSettings)
  /** The power goes, and with it what was not flushed. */
  | { readonly kind: "power-cut"; readonly target: Target }
  /** The process is killed; its machine goes on. */
  | { readonly kind: "crash"; readonly target: Target }
  | { readonly kind: "pause"; readonly target: Target }
  /** No flush ends before the fault does. */
  | { readonly kind: "disk-stall"; readonly target: Target }
  | { readonly kind: "disk-slow"; readonly target: Target; readonly flushUs: number }
  | { readonly kind: "disk-full"; readonly target: Target }
  /** One bit of what is stored turns over; the board finds out when it next reads it. */
  | { readonly kind: "bit-rot"; readonly target: Target }
  /** The board restarts at once with an empty card. */
  | { readonly kind: "wipe"; readonly target: Target }
  /** The board loses its power, and comes back with an empty card. */
  | { readonly kind: "replace"; readonly target: Target }
  /** The clock runs faster (above 0) or slower (below) than true time. */
  | { readonly kind: "clock-drift"; readonly target: Target; readonly driftPpm: number }
  | { readonly kind: "clock-jump"; readonly target: Target; readonly byUs: number }
  /** The leader is asked to hand over to the target (§3.10). */
  | { readonly kind: "transfer-leadership"; readonly target: Target }
  | { readonly kind: "add-member"; readonly target: Target }
  | { readonly kind: "remove-member"; readonly target: Target };

export type FaultKind = Fault["kind"];

/** What a broker does not remember when it comes back. */
export type BrokerLoss = "sessions" | "retained";

export type NoiseSettings = {
  readonly lossPpm: number;
  readonly duplicationPpm: number;
  /** Held back by up to `delayUsMax`, so that later messages overtake it. */
  readonly delayPpm: number;
  readonly delayUsMax: number;
};
