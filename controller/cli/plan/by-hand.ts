/** Which cables a person would have to pull in a run. */

import type { Bench } from "../../../hardware/bench.ts";
import type { BenchKind } from "../../bench/bench.ts";
import type { Experiment } from "../../experiment/model.ts";
import { rehearse } from "./rehearse.ts";

/** The names of the cables that some fault may cut, whatever its target comes to mean, and that only a hand opens. */
export function cablesPulledByHand(experiment: Experiment, bench: Bench, kind: BenchKind): readonly string[] {
  const steps = rehearse(experiment, bench, kind).flatMap(({ cases }) =>
    cases.flatMap(({ outcome }) => (outcome.kind === "possible" ? outcome.steps : [])),
  );
  const names = steps.flatMap(({ action, cutter }) =>
    action.kind === "cut" && cutter.driver === "hand" ? [action.cable] : [],
  );
  return [...new Set(names)];
}
