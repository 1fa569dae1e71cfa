/** Puts an experiment on a bench, and says what does not fit before anything starts. */

import { type Bench, parseBench } from "../../hardware/bench.ts";
import type { BenchKind } from "../bench/bench.ts";
import { checkOnKind } from "../bench/limits.ts";
import { forEmulatedBoards } from "../bench/qemu/emulation.ts";
import { checkOnRack } from "../bench/rack/check.ts";
import { checkOnBench } from "../experiment/check-on-bench.ts";
import { parseExperiment } from "../experiment/experiment.ts";
import type { Experiment } from "../experiment/model.ts";
import type { TextFile } from "../experiment/ready.ts";

/** An experiment and the bench for it, with the files that say so. */
export type Prepared = {
  readonly experiment: Experiment;
  readonly bench: Bench;
  readonly experimentFile: TextFile;
  readonly benchFile: TextFile;
};

/** @throws {YamlFileError} if one of the files is wrong, or they do not fit together, or the kind of bench cannot do it. */
export function prepare(
  experimentFile: TextFile,
  kind: BenchKind,
  benchFileOf: (experiment: Experiment) => TextFile,
): Prepared {
  const written = parseExperiment(experimentFile.text, experimentFile.name);
  const experiment = kind === "qemu" ? forEmulatedBoards(written) : written;
  checkOnKind(experiment, kind, experimentFile.name);
  const benchFile = benchFileOf(experiment);
  const bench = parseBench(benchFile.text, benchFile.name);
  checkOnBench(experiment, bench, experimentFile.name);
  if (kind === "rack") checkOnRack(experiment, bench, experimentFile.name);
  return { experiment, bench, experimentFile, benchFile };
}
