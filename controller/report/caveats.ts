/** What a reader of a report must know before believing it: what the bench did only in part, and whether it had time enough. */

import { reservations } from "../bench/limits.ts";
import type { ConcludedRun } from "../experiment/conclude.ts";

/** Whole sentences; none for most runs. */
export function caveats({ experiment, bench, run }: ConcludedRun): readonly string[] {
  return [...reservations(experiment, run.kind), ...hurry()];

  function hurry(): readonly string[] {
    // Who is late by a few heartbeats may miss an election time-out for no other reason.
    if (run.kind === "simulated" || run.lateUsMax <= 2_000 * bench.timing.heartbeatMs) return [];
    return [
      `This machine was too busy: what was due came up to ${Math.round(run.lateUsMax / 1_000)} ms late. Boards may have ` +
        "lost leaders and missed promises of time for no other reason; run it again with less beside it.",
    ];
  }
}
