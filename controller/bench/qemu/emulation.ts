/** How much slower an emulated board is than a real one, and what follows for those who wait for it. */

import type { Timing } from "../../../hardware/bench.ts";
import type { ExperimentWorkload } from "../../experiment/model.ts";

/** Raft's timers on emulated boards: a turn that takes 2 ms on the host takes them 35, a handshake of TLS 300. */
export const emulatedTiming: Timing = { heartbeatMs: 200, electionMinMs: 1_200, electionMaxMs: 2_400 };

/** So many times longer clients wait for an answer. */
export const patience = 4;

/** The same workload for clients of emulated boards. */
export function patientWorkload(workload: ExperimentWorkload): ExperimentWorkload {
  return {
    ...workload,
    timeoutUs: workload.timeoutUs * patience,
    retryAfterUs: workload.retryAfterUs * patience,
  };
}
