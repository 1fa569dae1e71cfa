/** The description of an experiment: `experiment.yaml`, from its text to an `Experiment`. */

import { type Problems, readYamlFile } from "../../hardware/yaml-file.ts";
import { formatDurationUs, parseDurationUs } from "../../sim/duration.ts";
import { defaultWorkload } from "../../sim/workload.ts";
import { type Expectation, parsePromise } from "./expectations.ts";
import { percentToPpm, resolveFaults } from "./faults.ts";
import type { Experiment, ExperimentWorkload, RaftSettings } from "./model.ts";
import { countSteps } from "./plan.ts";
import { type ExperimentFile, experimentFile } from "./schema.ts";

/** What nobody means: a run of so many faults tells nothing more than a shorter one. */
const stepsMax = 100_000;
const durationUsMax = 24 * 3_600_000_000;
const retryAfterUsDefault = 300_000;
/** Sooner nothing can be answered, and who asks again so often does nothing else. */
const timeoutBounds: Bounds = { minUs: 10_000, maxUs: 600_000_000 };
const retryAfterBounds: Bounds = { minUs: 1_000, maxUs: 600_000_000 };

type Bounds = { readonly minUs: number; readonly maxUs: number };

/**
 * Reads an experiment from the text of its file. Everything that is wrong is told at once, each with its line; whether
 * its names are on the bench on which it is run, `checkOnBench` tells.
 *
 * @param fileName for the messages, and for the experiment's name if the file gives none
 * @throws {YamlFileError} if the text is not YAML, not of the right shape, or describes what cannot happen.
 */
export function parseExperiment(text: string, fileName: string): Experiment {
  const { value: file, problems } = readYamlFile(text, fileName, experimentFile);
  const durationUs = parseDurationUs(file.duration);
  if (durationUs < 1_000_000 || durationUs > durationUsMax) {
    problems.add(["duration"], `The experiment lasts ${file.duration}; it must last between 1s and 24h.`);
  }
  const experiment: Experiment = {
    name: file.name ?? nameFromFile(fileName, problems),
    description: file.description?.trim() ?? "",
    bench: file.bench ?? null,
    durationUs,
    seed: file.seed ?? null,
    workload: resolveWorkload(file, problems),
    raft: resolveRaft(file, problems),
    faults: resolveFaults(file, durationUs, problems),
    expect: (file.expect ?? ["linearizable", "exactly-once"]).map(resolveExpectation),
  };
  checkSize(experiment, problems);
  problems.throwIfAny();
  return experiment;
}

function nameFromFile(fileName: string, problems: Problems): string {
  const name = (fileName.split(/[/\\]/).at(-1) ?? "").replace(/\.ya?ml$/, "");
  if (/^[a-z][a-z0-9-]{0,31}$/.test(name)) return name;
  problems.add(
    [],
    `The experiment has no name, and "${name}" cannot be one. Write one, such as "name: my-experiment".`,
  );
  return "unnamed";
}

function resolveWorkload(file: ExperimentFile, problems: Problems): ExperimentWorkload {
  const written = file.workload ?? {};
  const readMode = written.readMode ?? defaultWorkload.readMode;
  if (readMode === "lease" && file.raft?.leaseReads !== true) {
    problems.add(
      ["workload", "readMode"],
      'Lease reads are off: write "leaseReads: true" under "raft", or read otherwise.',
    );
  }
  return {
    clients: written.clients ?? defaultWorkload.clients,
    operationsPerSecond: written.operationsPerSecond ?? defaultWorkload.operationsPerSecond,
    keys: written.keys ?? defaultWorkload.keys,
    mix: resolveMix(file, problems),
    readMode,
    timeoutUs: resolveWait(written.timeout, "timeout", timeoutBounds, problems) ?? defaultWorkload.timeoutUs,
    retryAfterUs: resolveWait(written.retryAfter, "retryAfter", retryAfterBounds, problems) ?? retryAfterUsDefault,
  };
}

/** How long a client waits, if that is written. */
function resolveWait(
  written: string | undefined,
  field: "timeout" | "retryAfter",
  { minUs, maxUs }: Bounds,
  problems: Problems,
): number | null {
  if (written === undefined) return null;
  const us = parseDurationUs(written);
  if (us < minUs || us > maxUs) {
    const message = `The ${field} is ${written}; it must be between ${formatDurationUs(minUs)} and ${formatDurationUs(maxUs)}.`;
    problems.add(["workload", field], message);
  }
  return us;
}

function resolveMix(file: ExperimentFile, problems: Problems): ExperimentWorkload["mix"] {
  const written = file.workload?.mix;
  if (written === undefined) return defaultWorkload.mix;
  const { read = 0, write = 0, cas = 0, append = 0, add = 0, delete: remove = 0 } = written;
  if (read + write + cas + append + add + remove === 0) {
    problems.add(["workload", "mix"], "The mix draws no operation: give at least one a weight above 0.");
  }
  return { read, write, cas, append, add, delete: remove };
}

function resolveRaft(file: ExperimentFile, problems: Problems): RaftSettings {
  const written = file.raft ?? {};
  if (written.clockDriftPercentMax !== undefined && written.leaseReads !== true) {
    const message = 'Clocks are trusted only by lease reads, and these are off: write "leaseReads: true" as well.';
    problems.add(["raft", "clockDriftPercentMax"], message);
  }
  return {
    leaseReads: written.leaseReads ?? false,
    clockDriftPpmMax: written.clockDriftPercentMax === undefined ? null : percentToPpm(written.clockDriftPercentMax),
    snapshotAfterEntries: written.snapshotAfterEntries ?? null,
    trailingEntries: written.trailingEntries ?? null,
  };
}

function resolveExpectation(written: string | { readonly fails: string }): Expectation {
  return typeof written === "string"
    ? { promise: parsePromise(written), outcome: "kept" }
    : { promise: parsePromise(written.fails), outcome: "broken" };
}

function checkSize(experiment: Experiment, problems: Problems): void {
  const steps = countSteps(experiment);
  if (steps <= stepsMax) return;
  const message = `The faults come to ${steps} steps, and at most ${stepsMax} are carried out: let them happen less often.`;
  problems.add(["faults"], message);
}
