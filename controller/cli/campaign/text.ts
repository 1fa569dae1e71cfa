/** A campaign for a terminal: a table of figures and, if a seed failed, what it takes and how to see it again. */

import type { Failure } from "../../fuzz/seed-run.ts";
import type { Paint } from "../../report/paint.ts";
import { outcomesText, wrapped } from "../../report/text.ts";
import { count, grouped } from "../../report/words.ts";
import type { Totals } from "./totals.ts";

/** A campaign that is over. */
export type Campaign = {
  readonly from: number;
  readonly totals: Totals;
  /** By seed; the first one shrunk. */
  readonly failures: readonly FailureReport[];
  /** Somebody pressed Ctrl-C. */
  readonly interrupted: boolean;
  readonly wallSeconds: number;
  readonly cores: number;
};

/** A seed that failed, and how to see it again. */
export type FailureReport = Failure & {
  readonly seed: number;
  /** The faults that it takes; `null` if it was not shrunk. */
  readonly faults: readonly string[] | null;
  /** What shows it again. */
  readonly command: string;
  /** The folder in which the shrunk run is kept. */
  readonly run: string | null;
};

/** The table of figures, then what failed. */
export function campaignText(campaign: Campaign, paint: Paint, columns: number): string {
  const { totals, failures, wallSeconds, cores, from, interrupted } = campaign;
  const { virtualSeconds, busySeconds, operations, messages } = totals;
  const asked = operations.ok + operations.fail + operations.info;
  const rows: readonly (readonly [string, string])[] = [
    ["virtual time", `${grouped(virtualSeconds)} s in ${wallSeconds.toFixed(1)} s`],
    [
      "speed-up",
      `${grouped(virtualSeconds / wallSeconds)} times real time; ${grouped(busySeconds === 0 ? 0 : virtualSeconds / busySeconds)} on each of ${count(cores, "core")}`,
    ],
    ["events", grouped(totals.events)],
    ["operations", `${grouped(asked)}: ${outcomesText(operations)}`],
    ["elections", grouped(totals.elections)],
    [
      "messages",
      `${grouped(messages.published)}: ${grouped(messages.lost)} lost, ${grouped(messages.duplicated)} doubled, ${grouped(messages.late)} late, ${grouped(messages.stale)} stale`,
    ],
    ["faults", faultsText(totals)],
    ["fingerprint", totals.fingerprint],
  ];
  const labelWidth = Math.max(...rows.map(([label]) => label.length)) + 2;
  const table = rows.flatMap(([label, text]) =>
    wrapped(text, columns - labelWidth - 3).map(
      (part, at) => `  ${paint("dim", (at === 0 ? label : "").padEnd(labelWidth))}${part}`,
    ),
  );
  const range = totals.seeds === 0 ? "" : `, from ${from} to ${from + totals.seeds - 1}`;
  const lines = [`${headline(campaign, paint)}  ${count(totals.seeds, "seed")}${range}`, "", ...table];
  if (totals.undecided > 0) {
    lines.push("", `Of ${count(totals.undecided, "seed")} the checker could not decide the history within its bounds.`);
  }
  if (interrupted) lines.push("", "Stopped before its end: this is what is known so far.");
  if (failures.length > 0) lines.push("", ...failureLines(failures, paint, columns));
  return `${lines.join("\n")}\n`;
}

function headline({ totals, failures }: Campaign, paint: Paint): string {
  if (failures.length > 0) return paint("bold", paint("red", `${grouped(failures.length)} FAILED`));
  return totals.undecided > 0 ? paint("bold", paint("yellow", "UNDECIDED")) : paint("bold", paint("green", "CLEAN"));
}

function faultsText({ faults }: Totals): string {
  const kinds = Object.entries(faults).toSorted(([, one], [, other]) => other - one);
  const sum = kinds.reduce((total, [, times]) => total + times, 0);
  return `${grouped(sum)}${sum === 0 ? "" : `: ${kinds.map(([kind, times]) => `${kind} ${grouped(times)}`).join(", ")}`}`;
}

const failuresShownMax = 10;

function failureLines(failures: readonly FailureReport[], paint: Paint, columns: number): readonly string[] {
  const [first, ...others] = failures;
  if (first === undefined) return [];
  const lines = [
    `${paint("red", `Seed ${first.seed}`)}: ${first.by}`,
    ...first.detail.split("\n").flatMap((line) => wrapped(line, columns - 3).map((part) => `  ${part}`)),
    ...faultLines(first.faults),
    "",
    `  ${first.command}`,
    ...(first.run === null ? [] : [`  npx adrift replay ${first.run}`, `  ${first.run}/report.html`]),
  ];
  if (others.length === 0) return lines;
  const shown = others.slice(0, failuresShownMax).map(({ seed, by }) => `  seed ${seed}: ${by}`);
  const rest = others.length - failuresShownMax;
  return [...lines, "", "Failed as well:", ...shown, ...(rest > 0 ? [`  and ${rest} more`] : [])];
}

/** What the shrunk failure takes. */
export function faultLines(faults: readonly string[] | null): readonly string[] {
  if (faults === null) return [];
  if (faults.length === 0) return ["  It takes no fault at all."];
  return [`  It takes ${count(faults.length, "fault")}:`, ...faults.map((fault) => `    ${fault}`)];
}
