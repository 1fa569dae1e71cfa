/** The verdict as a document for programs: `verdict.json`, and most of what `adrift run --json` prints. */

import type { ConcludedRun } from "../experiment/conclude.ts";
import { caveats } from "./caveats.ts";

/** The verdict, why, and the figures. `operations` and `diagram` are there where the history is invalid. */
export function verdictDocument(concluded: ConcludedRun) {
  const { judgement, check, run, stalls, longestStall, cuts } = concluded;
  const isInvalid = check.verdict === "invalid";
  return {
    verdict: judgement.verdict,
    kind: run.kind,
    caveats: caveats(concluded),
    expectations: judgement.expectations,
    findings: judgement.findings,
    history: { verdict: check.verdict, reason: check.reason, ...check.statistics },
    ...(isInvalid ? { operations: check.operations, diagram: check.diagram } : {}),
    stalls,
    longestStall,
    elections: run.elections,
    faults: run.faults,
    cuts,
    network: run.kind === "simulated" ? run.network : null,
    interrupted: run.interrupted,
  };
}
