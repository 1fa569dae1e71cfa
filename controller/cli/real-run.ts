/** Runs an experiment on a bench in real time for somebody who watches: with what happens as it happens, stopped by Ctrl-C. */

import { randomBytes } from "node:crypto";
import { dirname, resolve } from "node:path";
import type { ExperimentBench, RealKind } from "../bench/bench.ts";
import { reservations } from "../bench/limits.ts";
import { personAt } from "../cutters/person.ts";
import { Chronicler } from "../experiment/chronicler.ts";
import { concludeRun } from "../experiment/conclude.ts";
import { runInRealTime } from "../experiment/real-time.ts";
import type { LinkEvent, RealRun, StepEvent } from "../experiment/run-result.ts";
import { realTime } from "../experiment/time.ts";
import { faultSentence, healSentence } from "../report/fault-words.ts";
import { capitalized, listed, seconds } from "../report/words.ts";
import { type KeptRun, keepRun, openRunFolder } from "./keeping.ts";
import { cablesPulledByHand } from "./plan/by-hand.ts";
import type { Prepared } from "./prepare.ts";
import { createProgressBar } from "./progress.ts";
import { type Shell, UsageError } from "./shell.ts";

/** What is to be run. */
export type RealTimeRun = Prepared & { readonly kind: RealKind; readonly seed: number };

/** A run that is kept, and what could not be put right on the bench: mostly nothing. */
export type KeptRealRun = KeptRun<RealRun> & { readonly leftovers: readonly string[] };

/**
 * Runs it, judges it and keeps it in a new folder under `runs/`, if one can be made there.
 *
 * @throws {UsageError} if cables would have to be pulled by hand and nobody is there
 */
export async function runAndKeep(prepared: RealTimeRun, shell: Shell): Promise<KeptRealRun> {
  const { experiment, bench, seed, kind } = prepared;
  refuseWithoutHand(prepared);
  for (const reservation of reservations(experiment, kind)) shell.err.write(`${reservation}\n`);
  const startedAt = new Date();
  const { run, events, leftovers } = await runWatched(prepared, shell);
  const chronicler = new Chronicler(bench);
  for (const event of events) chronicler.tell(event);
  const concluded = concludeRun(experiment, bench, run, chronicler);
  const folder = openRunFolder(prepared, startedAt, shell);
  if (folder === null) return { concluded, folder, leftovers };
  for (const event of events) folder.tell(event);
  keepRun({ folder, concluded, files: prepared, source: { kind: "experiment" }, seed, startedAt, shell });
  return { concluded, folder: folder.path, leftovers };
}

/** In the middle of a run is too late to find out that nobody is there. */
function refuseWithoutHand({ experiment, bench, kind }: RealTimeRun): void {
  if (process.stdin.isTTY && process.stderr.isTTY) return;
  const cables = cablesPulledByHand(experiment, bench, kind);
  if (cables.length === 0) return;
  throw new UsageError(
    `This experiment may have ${listed(cables)} pulled by hand (cutter: hand), and without a terminal nobody can be ` +
      "asked. Run it in a terminal, with its input and its error output there, or give these cables another cutter.",
  );
}

/** Runs it to its end, or until somebody presses Ctrl-C. Nothing of the bench is left then. */
async function runWatched(prepared: RealTimeRun, shell: Shell) {
  const { experiment, seed } = prepared;
  const interruption = shell.noteInterruption();
  const bar = createProgressBar(shell.err, experiment.name);
  const bench = await startBench(prepared, shell);
  const leftovers: string[] = [];
  try {
    const outcome = await runInRealTime(experiment, bench, {
      seed,
      time: realTime,
      isInterrupted: () => interruption.isRequested,
      tell: (event) => {
        const line = event.kind === "link" ? linkLine(event) : stepLine(event);
        if (!shell.err.isTerminal || line === null) return;
        bar.clear();
        shell.err.write(`${line}\n`);
      },
      progress: (atUs) => {
        if (atUs === null) bar.show(null, "waits for a first leader");
        else bar.show(atUs / experiment.durationUs, `${seconds(atUs)} of ${seconds(experiment.durationUs)}`);
      },
    });
    if (outcome.failure !== null) leftovers.push(outcome.failure.message);
    return { ...outcome, leftovers };
  } finally {
    bar.clear();
    leftovers.push(...(await bench.close()).leftovers);
    for (const leftover of leftovers) shell.err.write(`${leftover}\n`);
  }
}

/** What happens, in a line; of a flapping cable only that it begins and ends. */
function stepLine({ atUs, step, fault, targets }: StepEvent): string | null {
  if (step === "turn" || targets.length === 0) return null;
  const sentence = step === "begin" ? faultSentence(fault, targets) : healSentence(fault, targets);
  return `${seconds(atUs).padStart(8)}  ${capitalized(sentence)}`;
}

/** Whether a hand or the experiment did it, the report will say; here only what is seen. */
function linkLine({ atUs, cable, up }: LinkEvent): string {
  return `${seconds(atUs).padStart(8)}  The port of cable ${cable} ${up ? "is up again" : "is down"}.`;
}

async function startBench({ kind, experiment, bench, benchFile }: RealTimeRun, shell: Shell): Promise<ExperimentBench> {
  switch (kind) {
    case "local": {
      const { startLocalExperimentBench } = await import("../bench/local-experiment.ts");
      return startLocalExperimentBench(bench, experiment.raft, realTime);
    }
    case "rack": {
      const { openRackExperimentBench } = await import("../bench/rack-experiment.ts");
      return openRackExperimentBench({
        bench,
        folder: dirname(resolve(shell.folder, benchFile.name)),
        person: personAt(process.stdin, process.stderr),
        time: realTime,
        run: randomBytes(6).toString("hex"),
        tell: (sentence) => shell.err.write(`${sentence}\n`),
      });
    }
    case "netns": {
      const { startNetnsExperimentBench } = await import("../bench/netns-experiment.ts");
      const { refuseOneWay } = await import("../bench/netns/refuse-one-way.ts");
      refuseOneWay(experiment, bench);
      return startNetnsExperimentBench(bench, experiment.raft, realTime);
    }
    case "qemu": {
      const { startQemuExperimentBench } = await import("../bench/qemu-experiment.ts");
      return startQemuExperimentBench(bench, experiment.raft, realTime, (line) => shell.err.write(`${line}\n`));
    }
    default:
      return kind satisfies never;
  }
}
