/** `adrift bench`: how fast three boards are on this machine, alone or beside a peer. */

import { statfsSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, relative } from "node:path";
import { BenchFailure } from "../../bench/bench.ts";
import { painter } from "../../report/paint.ts";
import { verdictWord, wrapped } from "../../report/text.ts";
import { etcdVersion } from "../../speed/etcd-cluster.ts";
import { measureSpeed, type PartName, partNames, type SpeedReport } from "../../speed/speed.ts";
import { tableText } from "../../speed/table.ts";
import { type ExitStatus, exitStatus, type Shell, UsageError } from "../shell.ts";
import { statusOf } from "../status.ts";
import { version } from "../version.ts";

/** The options of `adrift bench`, as given. */
export type BenchOptions = {
  readonly vs?: "etcd";
  readonly seconds: number;
  readonly rounds: number;
  readonly faults: number;
  readonly only?: readonly PartName[];
  readonly check?: true;
  readonly json?: true;
};

/** Somebody pressed Ctrl-C. */
class Interrupted extends Error {}

/** Measures, and prints a table. */
export async function bench(shell: Shell, options: BenchOptions): Promise<ExitStatus> {
  const peerVersion = options.vs === undefined ? null : etcdVersion();
  if (options.vs !== undefined && peerVersion === null) {
    throw new UsageError(
      'There is no command "etcd" here to compare with. On Debian and Raspberry Pi OS it comes with ' +
        '"apt install etcd-server"; or leave out --vs.',
    );
  }
  const interruption = shell.noteInterruption();
  const folder = options.check === true ? join(shell.folder, "runs", `${stampOf(new Date())}-bench`) : null;
  try {
    const report = await measureSpeed(
      {
        parts: options.only ?? partNames,
        seconds: options.seconds,
        rounds: options.rounds,
        faults: options.faults,
        version,
        etcdVersion: peerVersion,
        historyFolder: folder,
      },
      (what) => {
        if (interruption.isRequested) throw new Interrupted();
        shell.err.write(shell.err.isTerminal ? `\r\u001b[2K${what}` : `${what}\n`);
      },
    );
    if (shell.err.isTerminal) shell.err.write("\r\u001b[2K");
    if (options.json === true) shell.out.write(`${JSON.stringify(documentOf(report, options), null, 2)}\n`);
    else print(shell, report, options);
    return statusOf(worstOf(report));
  } catch (error) {
    if (error instanceof Interrupted) return exitStatus.unknown;
    if (!(error instanceof BenchFailure)) throw error;
    shell.err.write(`${error.message}\n`);
    return exitStatus.failed;
  }
}

function print({ out, folder }: Shell, report: SpeedReport, options: BenchOptions): void {
  const paint = painter(out.isColoured);
  out.write(`${tableText(report, paint)}\n`);
  for (const line of wrapped(notes(report, options).join(" "), Math.min(out.columns, 100))) out.write(`${line}\n`);
  for (const { file, verdict } of report.verdicts) {
    out.write(`\n${verdictWord(verdict.verdict, paint)}  ${relative(folder, file)}: ${verdict.reason}\n`);
  }
}

function notes({ peer }: SpeedReport, { seconds, rounds }: BenchOptions): readonly string[] {
  const all = [
    `Three members on this machine (${availableParallelism()} cores), data flushed to disk before it is acknowledged,`,
    `256-byte values on 1,000 keys, clients in one process of their own; ${rounds} ${rounds === 1 ? "round" : "rounds"} of ${seconds} s.`,
    "Reads are linearizable. A figure is the median of its rounds; spread: the least and the most.",
    "Fail-over: from the fault to the next acknowledged write of a client that has one under way and repeats it.",
    "Start: from the start of all three processes until one leads, so has the votes of two.",
  ];
  if (peer !== null)
    all.push("Ratio: ours by theirs. The peer has the settings that it comes with; its leader is asked.");
  if (isInMemory(tmpdir())) all.push(`${tmpdir()} is in memory, so nothing reaches a disk: set TMPDIR to measure one.`);
  return all;
}

function documentOf(report: SpeedReport, { seconds, rounds, faults }: BenchOptions) {
  return {
    ...report,
    settings: { seconds, rounds, faults },
    machine: { cores: availableParallelism(), node: process.version, platform: process.platform, arch: process.arch },
    verdicts: report.verdicts.map(({ file, verdict: { verdict, reason, statistics } }) => ({
      file,
      verdict,
      reason,
      statistics,
    })),
  };
}

function worstOf({ verdicts }: SpeedReport) {
  const all = verdicts.map(({ verdict }) => verdict.verdict);
  if (all.includes("invalid")) return "invalid";
  return all.includes("unknown") ? "unknown" : "valid";
}

const tmpfsType = 0x01021994;

function isInMemory(folder: string): boolean {
  return process.platform === "linux" && statfsSync(folder).type === tmpfsType;
}

/** As in the names of other runs. */
function stampOf(now: Date): string {
  return now.toISOString().slice(0, 19).replaceAll(":", "-");
}
