/** What a run of an experiment leaves behind, on whatever kind of bench: what happened, and what it came to. */

import type { Happening } from "../../device/board/happening.ts";
import type { HistoryEvent } from "../../sim/history.ts";
import type { Violation } from "../../sim/invariants.ts";
import type { LivenessFailure } from "../../sim/liveness.ts";
import type { NetworkCounters } from "../../sim/network-types.ts";
import type { WorldEvent } from "../../sim/world.ts";
import type { Death, RealKind } from "../bench/bench.ts";
import type { BenchAction } from "./bench-action.ts";
import type { Pair } from "./conductor.ts";
import type { Fault, FaultKind } from "./model.ts";
import type { Step } from "./plan.ts";

/** What happened in a run, in the order of time: what `events.jsonl` holds. */
export type RunEvent =
  | Exclude<WorldEvent, BoardEvent>
  | (BoardEvent & Uncertain)
  | StepEvent
  /**
   * A real bench was seen to have done what a step demanded; `refusal`: why whoever leads did not, where it may refuse. In
   * virtual time whatever is demanded is so at once.
   */
  | { readonly atUs: number; readonly kind: "done"; readonly action: BenchAction; readonly refusal: string | null }
  /** A cable's cutter saw that it lost its link, or has it again: at a switch's port it is seen at once. */
  | LinkEvent
  /** A process of a real board or broker died without having been told to. */
  | ({ readonly kind: "died" } & Death)
  /** What a real board noted of its process, its connections and its network interfaces. */
  | ({
      readonly atUs: number;
      readonly kind: "happening";
      readonly board: string;
      readonly happening: Exclude<Happening, { readonly kind: "replica" }>;
    } & Uncertain);

type BoardEvent = Extract<WorldEvent, { readonly kind: "board" }>;

/**
 * By how many microseconds the true time of an event may differ, earlier or later, that a real board noted by its own
 * clock. In a simulation time is what it is.
 */
export type Uncertain = { readonly uncertaintyUs?: number };

/** The link of a cable, as its cutter sees it. */
export type LinkEvent = { readonly atUs: number; readonly kind: "link"; readonly cable: string; readonly up: boolean };

/** A fault of the experiment begins or ends. `isWhole`: now no fault is in force any more. */
export type StepEvent = {
  readonly atUs: number;
  readonly kind: "step";
  readonly step: Step["kind"];
  readonly fault: Fault;
  readonly targets: readonly string[];
  /** What brokers withhold as long as it lasts; missing where they withhold nothing. */
  readonly withholds?: readonly Pair[];
  readonly isWhole: boolean;
};

/** A run that is over. */
export type RunResult = SimulatedRun | RealRun;

type AnyRun = {
  readonly seed: string | number;
  /** How long it was, in microseconds: of virtual time if it was simulated. */
  readonly durationUs: number;
  readonly history: readonly HistoryEvent[];
  /** The first rule of Raft that was broken, if any, and what was demanded in vain at the end. */
  readonly violation: Violation | null;
  readonly liveness: LivenessFailure | null;
  /** Terms that had a leader. */
  readonly elections: number;
  /** How often each kind of fault hit something. */
  readonly faults: Partial<Record<FaultKind, number>>;
  /** Whether somebody stopped it before its end. */
  readonly interrupted: boolean;
};

/** A run in virtual time, which follows from its seed. */
export type SimulatedRun = AnyRun & {
  readonly kind: "simulated";
  readonly fingerprint: string;
  /** Events of the simulation. */
  readonly events: number;
  readonly network: NetworkCounters;
};

/** A run in real time. Its seed decides what clients ask and what words such as `a follower` mean, and no more. */
export type RealRun = AnyRun & {
  readonly kind: RealKind;
  /** The processes that died by themselves, and not because a board found that it had to stop. */
  readonly deaths: readonly Death[];
  /** By how much the controller's own timers were late at worst: on a machine that is too busy, boards are late too. */
  readonly lateUsMax: number;
};
