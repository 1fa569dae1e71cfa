import { describe, expect, it } from "vitest";
import { readyBenches } from "../fuzz/benches.ts";
import { drawScenario } from "../fuzz/scenario.ts";
import { parseExperiment } from "./experiment.ts";
import { asWritable, formatExperiment } from "./format.ts";
import type { Experiment } from "./model.ts";
import { readyExperiment, readyExperimentNames } from "./ready.ts";

/** Lines are those of another file, and a drift bound without lease reads says nothing. */
function comparable({ faults, raft, ...rest }: Experiment) {
  const clockDriftPpmMax = raft.leaseReads ? raft.clockDriftPpmMax : null;
  return { ...rest, raft: { ...raft, clockDriftPpmMax }, faults: faults.map(({ line: _, ...fault }) => fault) };
}

describe("an experiment written as its file", () => {
  it.each(readyExperimentNames())("given the ready experiment %s, then it is read as the same", (name) => {
    const experiment = parseExperiment(readyExperiment(name)?.text ?? "", `${name}.yaml`);
    expect(comparable(parseExperiment(formatExperiment(experiment), "again.yaml"))).toEqual(comparable(experiment));
  });

  it("given drawn ones, made writable, then they are read as the same", () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const experiment = asWritable(drawScenario(seed, readyBenches()).experiment);
      const again = parseExperiment(formatExperiment(experiment), "again.yaml");
      expect(comparable(again)).toEqual(comparable(experiment));
    }
  });
});
