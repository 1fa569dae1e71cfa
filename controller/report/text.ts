/** The report of a run for a terminal. */

import type { ConcludedRun } from "../experiment/conclude.ts";
import type { CutTimes } from "../experiment/cut-times.ts";
import type { JudgedExpectation } from "../experiment/judge.ts";
import { caveats } from "./caveats.ts";
import { cutTable } from "./cut-table.ts";
import { drawLanes } from "./lanes.ts";
import type { Colour, Paint } from "./paint.ts";
import { tellStory } from "./story.ts";
import type { StoryLine } from "./story-line.ts";
import { count, grouped, seconds } from "./words.ts";

/** How a report is laid out. */
export type Layout = {
  readonly columns: number;
  readonly paint: Paint;
  /** No more sentences than this; the report in HTML has all. */
  readonly linesMax: number;
};

/** The lanes, the story, and the verdict. */
export function runText(run: ConcludedRun, layout: Layout): string {
  const { paint, columns } = layout;
  return [
    ...drawLanes(run.chronicle, run.history.operations, columns, paint),
    "",
    ...storyLines(run, layout),
    "",
    ...verdictLines(run, layout),
    "",
  ].join("\n");
}

function storyLines(run: ConcludedRun, { columns, paint, linesMax }: Layout): readonly string[] {
  const story = tellStory(run);
  const width = seconds(run.chronicle.endUs).length + 2;
  const shown = story.slice(0, linesMax).flatMap((line) => storyLine(line, width, columns, paint));
  const rest = story.length - linesMax;
  return rest > 0 ? [...shown, `${" ".repeat(width)}... and ${count(rest, "more line")} in report.html.`] : shown;
}

const storyColours: { readonly [Kind in StoryLine["kind"]]: Colour | null } = {
  fault: "red",
  heal: "green",
  elected: "bold",
  board: null,
  clients: "cyan",
};

function storyLine({ atUs, kind, text }: StoryLine, width: number, columns: number, paint: Paint): readonly string[] {
  const colour = storyColours[kind];
  return wrapped(text, columns - width - 3).map((part, at) => {
    const time = at === 0 ? paint("dim", seconds(atUs).padStart(width)) : " ".repeat(width);
    return `${time}  ${colour === null ? part : paint(colour, part)}`;
  });
}

function verdictLines(concluded: ConcludedRun, { columns, paint }: Layout): readonly string[] {
  const { judgement, check, run, history, cuts } = concluded;
  const { statistics } = check;
  const word = verdictWord(judgement.verdict, paint);
  const summary =
    `${count(history.operations.length, "operation")} of clients: ${outcomesText(statistics)}; ` +
    `${count(run.elections, "election")}.`;
  const lines = [
    ...wrapped(summary, columns - judgement.verdict.length - 3).map((line, at) =>
      at === 0 ? `${word}  ${line}` : `${" ".repeat(judgement.verdict.length + 2)}${line}`,
    ),
    "",
    ...expectationLines(judgement.expectations, columns, paint),
    ...judgement.findings.flatMap(({ by, detail, atUs }) => [
      `${paint("red", "✗")} ${by}${atUs === null ? "" : ` (at ${seconds(atUs)})`}`,
      ...wrapped(detail, columns - 5).map((line) => `    ${line}`),
    ]),
  ];
  if (run.kind !== "simulated") lines.push(...cutLines(cuts, paint));
  for (const caveat of caveats(concluded)) lines.push("", ...wrapped(caveat, columns - 1));
  if (run.interrupted)
    lines.push(`The run was stopped after ${seconds(run.durationUs)}: this is what is known so far.`);
  if (check.verdict === "invalid") lines.push("", ...check.diagram.split("\n").map((line) => `  ${line}`));
  return lines;
}

function expectationLines(
  expectations: readonly JudgedExpectation[],
  columns: number,
  paint: Paint,
): readonly string[] {
  const width = Math.max(0, ...expectations.map(({ expects }) => expects.length));
  return expectations.flatMap(({ expects, met, detail }) => {
    const mark = met === null ? paint("yellow", "?") : met ? paint("green", "✓") : paint("red", "✗");
    return wrapped(detail, Math.max(24, columns - width - 5)).map((part, at) =>
      at === 0
        ? `${mark} ${expects.padEnd(width)}  ${paint("dim", part)}`
        : `${" ".repeat(width + 4)}${paint("dim", part)}`,
    );
  });
}

/** More cuts than this are in the report in HTML. */
const cutsMax = 12;

function cutLines(cuts: readonly CutTimes[], paint: Paint): readonly string[] {
  if (cuts.length === 0) return [];
  const { headings, rows } = cutTable(cuts.slice(0, cutsMax));
  const widths = headings.map((_, column) => Math.max(...[headings, ...rows].map((row) => row[column]?.length ?? 0)));
  const lines = [headings, ...rows].map((row) => {
    const cells = row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)));
    return `  ${cells.join("  ")}`;
  });
  const rest = cuts.length - cutsMax;
  const more = rest > 0 ? [`  ... and ${count(rest, "more cut")} in report.html.`] : [];
  return ["", ...lines.map((line, at) => (at === 0 ? paint("dim", line) : line)), ...more];
}

/** How operations ended; what never happened is not mentioned. */
export function outcomesText({
  ok,
  fail,
  info,
}: {
  readonly ok: number;
  readonly fail: number;
  readonly info: number;
}) {
  const failed = fail === 0 ? "" : `, ${grouped(fail)} failed`;
  return `${grouped(ok)} ok${failed}${info === 0 ? "" : `, ${grouped(info)} of unknown outcome`}`;
}

/** The verdict as a word that is seen at once. */
export function verdictWord(verdict: "valid" | "invalid" | "unknown", paint: Paint): string {
  const colour = { valid: "green", invalid: "red", unknown: "yellow" } as const;
  return paint("bold", paint(colour[verdict], verdict.toUpperCase()));
}

/** A text in lines of at most `width` characters, broken between words. */
export function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  // A number and its unit stay together.
  for (const word of text.split(/ (?!s[.,;:]?(?: |$))/)) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
