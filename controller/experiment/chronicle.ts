/** The chronicle of a run: what its events come to. Judges and reports read it. */

import type { ReplicaEvent } from "../../device/replica/host.ts";
import type { Bench } from "../../hardware/bench.ts";
import type { Pair } from "./conductor.ts";
import type { Moment } from "./expectations.ts";
import type { Fault } from "./model.ts";

/** What happened in a run, in world time: microseconds since its start. */
export type Chronicle = {
  readonly bench: Bench;
  readonly endUs: number;
  /** What each board was when, in the order of the bench; each lane without gaps from the start to the end. */
  readonly lanes: ReadonlyMap<string, readonly BoardSpan[]>;
  readonly faults: readonly FaultSpan[];
  readonly moments: readonly NotedMoment[];
  readonly reigns: readonly Reign[];
  readonly catchUps: readonly CatchUp[];
  readonly boardEvents: readonly BoardEvent[];
  /** Cables that a real bench was seen to have opened; of a simulated bench none, as they are open at once. */
  readonly seenCuts: readonly SeenCut[];
  /** Boards whose network interfaces lost their carrier or had it again, as they say themselves. */
  readonly carriers: readonly CarrierChange[];
};

/** The carrier of a board's interface. By the board's own clock, so the moment is known to within `uncertaintyUs`. */
export type CarrierChange = {
  readonly board: string;
  readonly interface: string;
  readonly up: boolean;
  readonly atUs: number;
  readonly uncertaintyUs: number;
};

/** A cable that was seen open, or a pair of boards that was seen parted: `from > to`. */
export type SeenCut = { readonly cable: string; readonly atUs: number };

/** The cables that a fault opened: not the boards between which brokers withheld something instead. */
export function openedCables({ targets, withholds = [] }: FaultSpan): readonly string[] {
  return targets.filter((target) => !withholds.some(({ from, to }) => from === target || to === target));
}

/** A pair as it stands among what was seen. */
export function pairName({ from, to }: Pair): string {
  return `${from} > ${to}`;
}

/** What a board is at a time. Whoever asks for votes, or whether they would be given, is a candidate here. */
export type BoardState = "down" | "paused" | "follower" | "candidate" | "leader";

/** A stretch of time in which a board was the same thing in the same term. */
export type BoardSpan = {
  readonly fromUs: number;
  readonly toUs: number;
  readonly state: BoardState;
  readonly term: number;
  /** Cut cables, switches without power and missing brokers kept it from talking with a majority of the boards. */
  readonly isCutOff: boolean;
};

/** What a person did to a cable, unasked. */
export type HandFault = { readonly kind: "hand" };

/** One time that a fault was in force. */
export type FaultSpan = {
  readonly fault: Fault | HandFault;
  /** What it hit: boards, cables, brokers or switches. */
  readonly targets: readonly string[];
  /** What brokers withheld meanwhile; missing where they withheld nothing. */
  readonly withholds?: readonly Pair[];
  readonly fromUs: number;
  /** The same as `fromUs` if it happened in a moment and left nothing to end. */
  readonly toUs: number;
};

/** A moment after which an experiment may expect something. */
export type NotedMoment = { readonly kind: Moment; readonly atUs: number };

/** A stretch of time in which a majority followed the same leader in the same term, and could hear it. */
export type Reign = { readonly board: string; readonly term: number; readonly fromUs: number; readonly toUs: number };

/** A board that returned and, after a while, held again all that had been committed when it returned. */
export type CatchUp = {
  readonly board: string;
  readonly fromUs: number;
  readonly toUs: number;
  readonly entries: number;
};

/** Something that a board said. Commits are left out: there are too many of them. */
export type BoardEvent = { readonly atUs: number; readonly board: string; readonly event: ReplicaEvent };
