/** What a campaign asks of its workers, and what they answer. */

import type { NetworkCounters } from "../../../sim/network-types.ts";
import type { FaultKind } from "../../experiment/model.ts";
import type { MutantReport } from "../../fuzz/hunt.ts";
import type { Failure } from "../../fuzz/seed-run.ts";

/** One piece of work. */
export type Job =
  /** Run one seed. */
  | { readonly kind: "seed"; readonly seed: number; readonly mutant: string | null }
  /** Leave out what a failing seed does not need. */
  | { readonly kind: "shrink"; readonly seed: number; readonly failure: Failure; readonly mutant: string | null }
  /** Look for the first seed that catches a mutant. */
  | { readonly kind: "hunt"; readonly mutant: string; readonly fromSeed: number; readonly seedsMax: number };

/** What a worker answers to a job of the same kind. */
export type Answer = SeedSummary | ShrunkFailure | HuntResult;

/** What came out of one seed. */
export type SeedSummary = {
  readonly kind: "seed";
  readonly seed: number;
  readonly failure: Failure | null;
  /** The simulation itself came to an error, by no fault of the boards. */
  readonly crashed: boolean;
  readonly undecided: boolean;
  readonly fingerprint: string;
  readonly virtualUs: number;
  /** How long a core was busy with it. */
  readonly busyMs: number;
  readonly events: number;
  readonly operations: { readonly ok: number; readonly fail: number; readonly info: number };
  readonly elections: number;
  readonly faults: Partial<Record<FaultKind, number>>;
  readonly network: NetworkCounters | null;
};

/** The faults that a failing seed cannot do without. */
export type ShrunkFailure = {
  readonly kind: "shrink";
  readonly failure: Failure;
  readonly faultNumbers: readonly number[];
  readonly faults: readonly string[];
};

/** What a hunt found. */
export type HuntResult = { readonly kind: "hunt"; readonly report: MutantReport };

/** What a worker is given when it starts: a flag in shared memory, not 0 once everybody is to stop. */
export type WorkerSetup = { readonly stop: Int32Array };
