/** Runs an experiment on a simulated bench for somebody who watches: with progress, and stopped by Ctrl-C. */

import { Chronicler } from "../experiment/chronicler.ts";
import { concludeRun } from "../experiment/conclude.ts";
import type { RunEvent, SimulatedRun } from "../experiment/run-result.ts";
import { type SimulationSettings, simulateBySeconds } from "../experiment/simulate.ts";
import { type KeptRun, keepRun, openRunFolder } from "./keeping.ts";
import type { Prepared } from "./prepare.ts";
import { createProgressBar } from "./progress.ts";
import type { Shell } from "./shell.ts";

/** What is to be simulated. */
export type Simulation = Prepared & { readonly settings: SimulationSettings & { readonly seed: number } };

/** How often whoever watches is served: progress is shown, and Ctrl-C heard. */
const serveEveryMs = 40;

/** Runs it to its end, or until somebody presses Ctrl-C; or until `stopUs`, where an earlier run was stopped. */
export async function simulateWatched(
  { experiment, bench, settings }: Pick<Simulation, "experiment" | "bench" | "settings">,
  shell: Shell,
  tell: (event: RunEvent) => void,
  stopUs: number | null = null,
): Promise<SimulatedRun> {
  const interruption = shell.noteInterruption();
  const bar = createProgressBar(shell.err, experiment.name);
  let virtualUs = 0;
  const goOn = (atUs: number): boolean => {
    virtualUs = atUs;
    return !interruption.isRequested && (stopUs === null || atUs < stopUs);
  };
  const seconds = simulateBySeconds(experiment, bench, { ...settings, tell, goOn });
  let servedMs = performance.now();
  for (;;) {
    const next = seconds.next();
    if (next.done === true) {
      bar.clear();
      return next.value;
    }
    if (performance.now() - servedMs < serveEveryMs) continue;
    const doneSeconds = Math.round(virtualUs / 1_000_000);
    bar.show(
      virtualUs / experiment.durationUs,
      `${doneSeconds} of ${experiment.durationUs / 1_000_000} virtual seconds`,
    );
    await new Promise((resolve) => setImmediate(resolve));
    servedMs = performance.now();
  }
}

/** Runs a simulation, judges it and keeps it in a new folder under `runs/`, if one can be made there. */
export async function simulateAndKeep(simulation: Simulation, shell: Shell): Promise<KeptRun<SimulatedRun>> {
  const startedAt = new Date();
  const { experiment, bench, settings } = simulation;
  const folder = openRunFolder(simulation, startedAt, shell);
  const chronicler = new Chronicler(bench);
  const run = await simulateWatched(simulation, shell, (event) => {
    chronicler.tell(event);
    folder?.tell(event);
  });
  const concluded = concludeRun(experiment, bench, run, chronicler);
  if (folder === null) return { concluded, folder };
  const source = { kind: "experiment" } as const;
  keepRun({ folder, concluded, files: simulation, source, seed: settings.seed, startedAt, shell });
  return { concluded, folder: folder.path };
}
