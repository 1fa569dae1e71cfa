/** Keeps the run of a seed in a folder of its own, like any other run, to look at it and to repeat it. */

import { mutantNamed } from "../../../sim/mutants.ts";
import { Chronicler } from "../../experiment/chronicler.ts";
import { concludeRun } from "../../experiment/conclude.ts";
import type { Expectation } from "../../experiment/expectations.ts";
import { asWritable, formatExperiment } from "../../experiment/format.ts";
import { readyBench } from "../../experiment/ready.ts";
import type { RunSource } from "../../experiment/run-folder.ts";
import { readyBenches } from "../../fuzz/benches.ts";
import { drawScenario } from "../../fuzz/scenario.ts";
import { runSeed, withFaults } from "../../fuzz/seed-run.ts";
import { keepRun, openRunFolder } from "../keeping.ts";
import type { Shell } from "../shell.ts";

/** What every run of a campaign must keep. */
const expect: readonly Expectation[] = [
  { promise: { kind: "linearizable" }, outcome: "kept" },
  { promise: { kind: "exactly-once" }, outcome: "kept" },
];

/** Runs a seed once more and keeps it. The folder, or `null` if none can be made. */
export function keepSeed(
  shell: Shell,
  seed: number,
  { mutant, onlyFaults }: Omit<Extract<RunSource, { readonly kind: "fuzz" }>, "kind">,
): string | null {
  const startedAt = new Date();
  const scenario = withFaults(drawScenario(seed, readyBenches()), onlyFaults);
  const { bench } = scenario;
  const experiment = {
    ...scenario.experiment,
    name: mutant === null ? `seed-${seed}` : `${mutant}-seed-${seed}`,
    expect,
  };
  const laws = mutant === null ? undefined : mutantNamed(mutant)?.laws;
  const files = {
    experimentFile: { name: "experiment.yaml", text: `${preface}${formatExperiment(asWritable(experiment))}` },
    benchFile: readyBench(bench.name) ?? { name: "bench.yaml", text: "" },
  };
  const folder = openRunFolder({ experiment, ...files }, startedAt, shell);
  if (folder === null) return null;
  const chronicler = new Chronicler(bench);
  const { run } = runSeed(seed, {
    onlyFaults,
    ...(laws === undefined ? {} : { laws }),
    tell: (event) => {
      chronicler.tell(event);
      folder.tell(event);
    },
  });
  const concluded = concludeRun(experiment, bench, run, chronicler);
  keepRun({ folder, concluded, files, source: { kind: "fuzz", mutant, onlyFaults }, seed, startedAt, shell });
  return folder.path;
}

const preface = `# Drawn from a seed by "npx adrift fuzz", as near as a file can say it: the seed also decides about the network, the
# disks and the limits of consensus. "npx adrift replay" with this folder repeats the run exactly; this file alone runs similarly.
`;
