/** `adrift run --dry-run`: what an experiment would do to a bench, fault by fault. Nothing moves. */

import { type Bench, parseBench } from "../../../hardware/bench.ts";
import type { BenchKind } from "../../bench/bench.ts";
import { checkOnKind, reservations } from "../../bench/limits.ts";
import { rackComplaints } from "../../bench/rack/check.ts";
import { checkOnBench } from "../../experiment/check-on-bench.ts";
import { parseExperiment } from "../../experiment/experiment.ts";
import type { Experiment, Fault } from "../../experiment/model.ts";
import type { TextFile } from "../../experiment/ready.ts";
import { formatTarget } from "../../experiment/target.ts";
import { painter } from "../../report/paint.ts";
import { wrapped } from "../../report/text.ts";
import { capitalized, listed, seconds } from "../../report/words.ts";
import { type ExitStatus, exitStatus, type Shell } from "../shell.ts";
import { machineMeans } from "./machine-means.ts";
import { impossibleLines, stepLines, type TextOptions } from "./plan-text.ts";
import { type RehearsedCase, type RehearsedFault, rehearse } from "./rehearse.ts";

/** What is to be run, and where. */
export type DryRun = {
  readonly experimentFile: TextFile;
  readonly benchFileOf: (experiment: Experiment) => TextFile;
  readonly kind: BenchKind;
};

/**
 * Prints what each fault would cut. Fails if one of them cannot be done for everything that its target may mean.
 *
 * @throws {YamlFileError} if one of the files is wrong, or names in them do not fit together.
 */
export function dryRun(shell: Shell, { experimentFile, benchFileOf, kind }: DryRun, json: boolean): ExitStatus {
  const experiment = parseExperiment(experimentFile.text, experimentFile.name);
  checkOnKind(experiment, kind, experimentFile.name);
  const benchFile = benchFileOf(experiment);
  const bench = parseBench(benchFile.text, benchFile.name);
  // What the wiring does not allow is no error here: it is what the dry run is asked for.
  checkOnBench(experiment, bench, experimentFile.name);
  const faults = rehearse(experiment, bench, kind);
  const reserved = reservations(experiment, kind);
  if (json) {
    const told = faults.map((each) => ({
      ...each,
      complaints: kind === "rack" ? rackComplaints(each.fault, bench) : [],
    }));
    const document = { experiment: experiment.name, bench: bench.name, kind, faults: told, reservations: reserved };
    shell.out.write(`${JSON.stringify(document, null, 2)}\n`);
  } else {
    const rack = kind === "rack" ? bench : null;
    const options = { columns: shell.out.columns, paint: painter(shell.out.isColoured), rack };
    const title = `${experiment.name} on ${bench.name} (${kind}): what it would do. Nothing moves.`;
    const lines = [options.paint("bold", title), ...faults.flatMap((fault) => faultLines(fault, options))];
    for (const reservation of reserved) lines.push("", ...wrapped(reservation, options.columns));
    shell.out.write(`${lines.join("\n")}\n`);
  }
  const isDone = kind !== "rack" || experiment.faults.every(({ fault }) => rackComplaints(fault, bench).length === 0);
  return isDone && faults.every(({ cases }) => isPossible(cases)) ? exitStatus.done : exitStatus.failed;
}

function faultLines({ fault, spans, cases, line }: RehearsedFault, options: FaultOptions): readonly string[] {
  const { columns, paint } = options;
  const title = `${fault.kind} ${hit(fault)}`.trim();
  const lines = ["", `${paint("bold", title)}  ${paint("dim", `line ${line}`)}`];
  lines.push(...wrapped(spansText(spans), columns - 2).map((part) => `  ${part}`));
  if (cases.length === 0) lines.push(...otherLines(fault, options));
  for (const each of cases) lines.push(...caseLines(fault, each, options));
  if (cases.length > 0 && isPossible(cases)) lines.push(...complaintLines(fault, options));
  return lines;
}

/** What a fault does that cuts no cable; on a rack by what, and whether all of it is there. */
function otherLines(fault: Fault, options: FaultOptions): readonly string[] {
  const means = options.rack === null ? null : machineMeans(fault, options.rack);
  const lines = wrapped(means ?? "cuts no cable", options.columns - 2).map((part) => `  ${part}`);
  return [...lines, ...complaintLines(fault, options)];
}

/** For what a run on this rack would be refused. */
function complaintLines(fault: Fault, { columns, paint, rack }: FaultOptions): readonly string[] {
  const complaints = rack === null ? [] : rackComplaints(fault, rack);
  return [...new Set(complaints)].flatMap((each) =>
    wrapped(each, columns - 2).map((part) => `  ${paint("red", part)}`),
  );
}

function isPossible(cases: readonly RehearsedCase[]): boolean {
  return cases.every(({ outcome }) => outcome.kind === "possible");
}

/** `rack`: the bench, if it is a rack. */
type FaultOptions = TextOptions & { readonly rack: Bench | null };

function caseLines(fault: Fault, { boards, outcome }: RehearsedCase, options: TextOptions): readonly string[] {
  const lines = boards === null ? [] : [`  ${conditionOf(fault, boards)}:`];
  const indent = boards === null ? "  " : "    ";
  if (outcome.kind === "impossible") return [...lines, ...impossibleLines(outcome, indent, options)];
  if (outcome.steps.length === 0) return [...lines, `${indent}nothing has to be cut`];
  lines.push(...stepLines(outcome.steps, indent, options));
  if (!outcome.partsSomebody) lines.push(`${indent}${options.paint("yellow", partsNobody)}`);
  return lines;
}

/** When this case is the one. */
function conditionOf(fault: Fault, boards: readonly string[]): string {
  const names = listed(boards);
  if (!("target" in fault)) return names;
  if (fault.target.kind === "leader") return `if ${names} leads`;
  if (fault.target.kind === "follower") return `if ${names} is the follower that is drawn`;
  if (fault.target.kind === "next") return `when it is the turn of ${names}`;
  return fault.target.kind === "all" ? capitalized(names) : `if ${names} ${boards.length === 1 ? "is" : "are"} drawn`;
}

/** What the fault hits, as its file says. */
function hit(fault: Fault): string {
  if (fault.kind === "split") return fault.groups.map((group) => group.join(", ")).join(" | ");
  if (fault.kind === "noise") return "";
  return fault.kind === "one-way"
    ? `${formatTarget(fault.target)}, losing what is ${fault.loses}`
    : formatTarget(fault.target);
}

const partsNobody = "Parts nobody: another way is left for all that they say.";

const spansShown = 4;

/** `5.00 s to 10.00 s, 14.00 s to 19.00 s, and 3 times more`. */
function spansText(spans: RehearsedFault["spans"]): string {
  const shown = spans.slice(0, spansShown).map(({ beginUs, endUs }) => {
    return endUs === null ? `at ${seconds(beginUs)}` : `${seconds(beginUs)} to ${seconds(endUs)}`;
  });
  const more = spans.length - shown.length;
  if (more === 0) return shown.join(", ");
  return `${shown.join(", ")}, and ${more} ${more === 1 ? "time" : "times"} more`;
}
