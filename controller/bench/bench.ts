/** A bench in real time, as whoever runs an experiment on it sees it: one interface for all kinds. */

import type { CallOutcome } from "../../device/client/client.ts";
import type { KeyValueOperation } from "../../device/client/key-value-call.ts";
import type { BoardStatus, FlightRecord } from "../../device/transport/envelope.ts";
import type { Bench } from "../../hardware/bench.ts";
import type { BenchAction } from "../experiment/bench-action.ts";
import type { ExperimentWorkload } from "../experiment/model.ts";
import type { ClusterView } from "../experiment/resolve.ts";
import type { BoardMoment, PlacedMoment } from "./board-clocks.ts";

/**
 * The kinds of benches in real time. `local`: boards and brokers are processes of this machine. `netns`: each of them in a
 * network namespace of its own, with cables and switches of the kernel. `qemu`: boards are virtual machines. `rack`: the
 * real thing.
 */
export type RealKind = (typeof realKinds)[number];
export const realKinds = ["local", "netns", "qemu", "rack"] as const;

/** Every kind of bench. */
export type BenchKind = "simulated" | RealKind;

/** A bench whose boards and brokers run, and whose cables are whole. */
export type ExperimentBench = {
  readonly kind: RealKind;
  readonly bench: Bench;
  /**
   * Carries out one action; resolves when the bench was seen to have done it. What is asked of the cluster, rather than
   * done to the bench, whoever leads may refuse, or nobody may lead: then it says why.
   *
   * @throws {BenchFailure} if the bench cannot do it.
   */
  carryOut(action: BenchAction): Promise<string | null>;
  /** What is known of the cluster at the moment, for targets such as `leader`. */
  view(): ClusterView;
  /** A client of its own, where the controller's clients are. */
  connectClient(name: string, workload: ExperimentWorkload): Promise<BenchClient>;
  /** How the boards take part, asked now. Who does not answer soon is missing. */
  statuses(): Promise<ReadonlyMap<string, BoardStatus>>;
  /**
   * Everything that the boards' flight recorders hold, and what was heard of them meanwhile. Of a board that does not
   * answer, only that.
   */
  flightRecords(): Promise<readonly BoardRecord[]>;
  /**
   * Where a moment of a board's own clock lies on the controller's time line; `null`: nobody can tell. Left out where boards
   * have the controller's own wall clock.
   */
  readonly place?: PlaceMoment;
  /**
   * The links of cables as their cutters see them, told whenever one comes or goes; missing where none can. A cable that
   * somebody pulls is so noticed at once.
   */
  readonly watchLinks?: (tell: (cable: string, up: boolean) => void) => void;
  /** The processes that died so far without having been told to. */
  deaths(): readonly Death[];
  /** Heals what is cut, ends what it started, and leaves nothing behind. */
  close(): Promise<BenchClosing>;
};

/** How a bench was left: what could not be put right, in words for people; mostly nothing. */
export type BenchClosing = { readonly leftovers: readonly string[] };

/**
 * A process of a board or a broker that died by itself: when, by the clock of whoever runs the experiment, and for people
 * how it ended and what it said last.
 */
export type Death = { readonly name: string; readonly atUs: number; readonly reason: string };

/** Places a moment of a board's clock. */
export type PlaceMoment = (board: string, moment: BoardMoment) => PlacedMoment | null;

/** A record of a board's flight recorder. */
export type BoardRecord = { readonly board: string; readonly record: FlightRecord };

/** A client of the production library. */
export type BenchClient = {
  perform(operation: KeyValueOperation): Promise<CallOutcome>;
  close(): Promise<void>;
};

/** A bench that does not do what it should: it did not start, or a fault could not be carried out. */
export class BenchFailure extends Error {
  override readonly name = "BenchFailure";
}
