/** How much slower an emulated board is than a real one, and what follows for those who wait for it. */

import type { Timing } from "../../../hardware/bench.ts";
import type { Expectation } from "../../experiment/expectations.ts";
import type { Experiment } from "../../experiment/model.ts";

/** So many times longer than on a LAN of boards everything may take: a program runs about 17 times slower, a wait does not. */
export const patience = 4;

/** Raft's timers on emulated boards: those of a LAN, stretched. */
export const emulatedTiming: Timing = {
  heartbeatMs: 50 * patience,
  electionMinMs: 300 * patience,
  electionMaxMs: 600 * patience,
};

/**
 * The same experiment for emulated boards: clients wait longer, and promises of time are as much wider as Raft's timers are
 * longer. What happens, and when, stays as it is written; and so do the promises of safety.
 */
export function forEmulatedBoards(experiment: Experiment): Experiment {
  const { workload, expect } = experiment;
  return {
    ...experiment,
    workload: {
      ...workload,
      timeoutUs: workload.timeoutUs * patience,
      retryAfterUs: workload.retryAfterUs * patience,
    },
    expect: expect.map(stretched),
  };
}

function stretched(expectation: Expectation): Expectation {
  const { promise } = expectation;
  if (!("withinUs" in promise)) return expectation;
  return { ...expectation, promise: { ...promise, withinUs: promise.withinUs * patience } };
}
