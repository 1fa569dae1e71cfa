/** The end of a run: from what was recorded to the judgement, and everything that a report is made of. */

import type { Bench } from "../../hardware/bench.ts";
import { type History, historyOf, judge, type Verdict } from "../check/index.ts";
import type { Chronicle } from "./chronicle.ts";
import type { Chronicler } from "./chronicler.ts";
import { type CutTimes, cutTimes } from "./cut-times.ts";
import { type Judgement, judgeRun } from "./judge.ts";
import type { Experiment } from "./model.ts";
import type { RunResult } from "./run-result.ts";
import { Service, type Stall } from "./service.ts";

/** A run that is over, and what it means. */
export type ConcludedRun<Run extends RunResult = RunResult> = {
  readonly experiment: Experiment;
  readonly bench: Bench;
  readonly run: Run;
  readonly chronicle: Chronicle;
  readonly history: History;
  readonly check: Verdict;
  readonly judgement: Judgement;
  /** The stalls that a person would notice, and the longest of all, whether or not it is among them. */
  readonly stalls: readonly Stall[];
  readonly longestStall: Stall | null;
  readonly cuts: readonly CutTimes[];
};

/** Shorter waits than this many heartbeats are nothing that a person would notice. */
const stallHeartbeats = 4;

/** Judges a run that was recorded by `chronicler`. */
export function concludeRun<Run extends RunResult>(
  experiment: Experiment,
  bench: Bench,
  run: Run,
  chronicler: Chronicler,
): ConcludedRun<Run> {
  const chronicle = chronicler.finish(run.durationUs);
  const history = historyOf(run.history);
  const check = judge(history);
  const service = new Service(history.operations, run.durationUs);
  const { violation, liveness, interrupted } = run;
  const evidence = {
    expect: experiment.expect,
    chronicle,
    service,
    history: check,
    violation,
    liveness,
    deaths: run.kind === "simulated" ? [] : run.deaths,
    interrupted,
  };
  const stallUs = stallHeartbeats * bench.timing.heartbeatMs * 1_000;
  return {
    experiment,
    bench,
    run,
    chronicle,
    history,
    check,
    judgement: judgeRun(evidence),
    stalls: service.stalls(stallUs),
    longestStall: service.longestStall(),
    cuts: cutTimes(chronicle, run.kind === "simulated"),
  };
}
