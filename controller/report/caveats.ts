/** What a reader of a report must know before believing it: what the bench did only in part, and whether it had time enough. */

import { reservations } from "../bench/limits.ts";
import type { ConcludedRun } from "../experiment/conclude.ts";

/** Whole sentences; none for most runs. */
export function caveats({ experiment, bench, run, cuts, chronicle }: ConcludedRun): readonly string[] {
  return [...reservations(experiment, run.kind), ...hurry(), ...unnoticed()];

  /** A relay can click without anything being cut: the likeliest mistake in a wiring. */
  function unnoticed(): readonly string[] {
    if (run.kind === "simulated") return [];
    const names = cuts.flatMap(({ cables, carrierLost, noticedUs, commandedUs }) => {
      const span = chronicle.faults.find(
        ({ fromUs, targets }) => fromUs === commandedUs && cables.every((name) => targets.includes(name)),
      );
      const lastedUs = (span?.toUs ?? commandedUs) - commandedUs;
      const isLong = lastedUs > 3_000 * bench.timing.electionMaxMs;
      return isLong && carrierLost === null && noticedUs === null ? cables : [];
    });
    return [...new Set(names)].map(
      (cable) =>
        `Nothing showed that the cable ${cable} was cut: no board lost its carrier, and none missed its leader. Does this ` +
        "cable really go through its cutter, and is there no way around it?",
    );
  }

  function hurry(): readonly string[] {
    // Who is late by a few heartbeats may miss an election time-out for no other reason.
    if (run.kind === "simulated" || run.lateUsMax <= 2_000 * bench.timing.heartbeatMs) return [];
    return [
      `This machine was too busy: what was due came up to ${Math.round(run.lateUsMax / 1_000)} ms late. Boards may have ` +
        "lost leaders and missed promises of time for no other reason; run it again with less beside it.",
    ];
  }
}
