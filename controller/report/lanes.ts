/** A run as lanes of text: time goes to the right, a line for each board, and one for what clients got. */

import type { Operation } from "../check/index.ts";
import type { BoardSpan, Chronicle } from "../experiment/chronicle.ts";
import { faultLabel } from "./fault-words.ts";
import type { Colour, Paint } from "./paint.ts";

type Mark = { readonly sign: string; readonly colour: Colour; readonly meaning: string };

const marks = {
  leader: { sign: "█", colour: "green", meaning: "leads" },
  cutOffLeader: { sign: "▒", colour: "yellow", meaning: "thinks it leads" },
  candidate: { sign: "?", colour: "magenta", meaning: "asks for votes" },
  follower: { sign: "─", colour: "blue", meaning: "follows" },
  cutOff: { sign: "╌", colour: "red", meaning: "cut off" },
  paused: { sign: "=", colour: "yellow", meaning: "paused" },
  down: { sign: " ", colour: "dim", meaning: "down" },
} as const satisfies Record<string, Mark>;

type MarkName = keyof typeof marks;

/** What a moment shows when a cell covers several: the rarer, the more it matters. */
const precedence: readonly MarkName[] = ["candidate", "cutOffLeader", "leader", "cutOff", "paused", "down", "follower"];

const answerSigns = " ▁▂▃▄▅▆▇█";

/** Draws the lanes in at most `columns` columns. */
export function drawLanes(
  chronicle: Chronicle,
  operations: readonly Operation[],
  columns: number,
  paint: Paint,
): readonly string[] {
  const names = [...chronicle.lanes.keys()];
  const labelWidth = Math.max("answers".length, ...names.map((name) => name.length)) + 2;
  const cells = Math.max(20, Math.min(columns - labelWidth - 1, cellsMax));
  const cellUs = Math.max(1, Math.ceil(chronicle.endUs / cells));
  const line = (label: string, text: string): string => `${label.padEnd(labelWidth)}${text}`.trimEnd();

  const seen = new Set<MarkName>();
  const lanes = [...chronicle.lanes].map(([name, spans]) => {
    const names = cellsOf(spans, cells, cellUs);
    for (const mark of names) seen.add(mark);
    return line(name, withTerms(names, spans, cellUs, paint));
  });
  const legend = precedence
    .toReversed()
    .filter((name) => seen.has(name) && name !== "down")
    .map((name) => `${paint(marks[name].colour, marks[name].sign)} ${marks[name].meaning}`);
  return [
    ...faultRows(chronicle, cells, cellUs).map((row) => line("", paint("red", row))),
    ...lanes,
    line("answers", paint("cyan", answersOf(operations, cells, cellUs))),
    line("", paint("dim", axisOf(cells, cellUs))),
    line("", `${legend.join("   ")}`),
  ];
}

/** Wider than this the eye no longer finds what happened at the same time. */
const cellsMax = 160;

/** What each cell of a lane shows. */
function cellsOf(spans: readonly BoardSpan[], cells: number, cellUs: number): readonly MarkName[] {
  let first = 0;
  return Array.from({ length: cells }, (_, cell) => {
    const fromUs = cell * cellUs;
    const toUs = fromUs + cellUs;
    while (first < spans.length && (spans[first]?.toUs ?? 0) <= fromUs) first += 1;
    const shown = new Set<MarkName>();
    for (let at = first; at < spans.length; at += 1) {
      const span = spans[at];
      if (span === undefined || span.fromUs >= toUs) break;
      shown.add(markOf(span));
    }
    return precedence.find((name) => shown.has(name)) ?? "down";
  });
}

function markOf({ state, isCutOff }: BoardSpan): MarkName {
  switch (state) {
    case "leader":
      return isCutOff ? "cutOffLeader" : "leader";
    case "candidate":
      return isCutOff ? "cutOff" : "candidate";
    case "follower":
      return isCutOff ? "cutOff" : "follower";
    case "paused":
    case "down":
      return state;
    default:
      return state satisfies never;
  }
}

/** A lane, with the term written where a board begins to lead, if there is room for it. */
function withTerms(names: readonly MarkName[], spans: readonly BoardSpan[], cellUs: number, paint: Paint): string {
  const signs: string[] = names.map((name) => marks[name].sign);
  for (const { state, term, fromUs, isCutOff } of spans) {
    const text = ` term ${term} `;
    const start = Math.ceil(fromUs / cellUs) + 1;
    if (state !== "leader" || isCutOff) continue;
    if (!names.slice(start - 1, start + text.length + 1).every((name) => name === "leader")) continue;
    if (start + text.length < signs.length) signs.splice(start, text.length, ...text);
  }
  let painted = "";
  for (let at = 0; at < names.length; ) {
    let end = at + 1;
    while (end < names.length && names[end] === names[at]) end += 1;
    painted += paint(marks[names[at] ?? "down"].colour, signs.slice(at, end).join(""));
    at = end;
  }
  return painted;
}

/** How many operations succeeded in each cell, as bars; the highest stands for the busiest cell. */
function answersOf(operations: readonly Operation[], cells: number, cellUs: number): string {
  const counts = new Array<number>(cells).fill(0);
  for (const { outcome, completedAtUs } of operations) {
    if (outcome !== "ok" || completedAtUs === null) continue;
    const cell = Math.min(cells - 1, Math.floor(completedAtUs / cellUs));
    counts[cell] = (counts[cell] ?? 0) + 1;
  }
  const most = counts.reduce((one, other) => Math.max(one, other), 1);
  return counts.map((count) => answerSigns[Math.ceil((count / most) * (answerSigns.length - 1))] ?? " ").join("");
}

/** The faults above the lanes: a bracket over the time in which each is in force, and its name. */
function faultRows({ faults }: Chronicle, cells: number, cellUs: number): readonly string[] {
  const rows: { text: string }[] = [];
  for (const { fault, targets, fromUs, toUs } of faults) {
    const start = Math.min(Math.floor(fromUs / cellUs), cells - 1);
    const width = Math.max(1, Math.min(Math.ceil(toUs / cellUs), cells) - start);
    const label = faultLabel(fault, targets);
    const bar = width < label.length + 4 ? `├${label} ` : `├─${label}${"─".repeat(width - label.length - 3)}┤`;
    let row = rows.find(({ text }) => text.length <= start);
    if (row === undefined) {
      if (rows.length === faultRowsMax) continue;
      row = { text: "" };
      rows.push(row);
    }
    row.text = (row.text.padEnd(start) + bar).slice(0, cells);
  }
  return rows.map(({ text }) => text);
}

const faultRowsMax = 4;

/** Seconds below the lanes, at most one for every ten columns. */
function axisOf(cells: number, cellUs: number): string {
  const steps = [0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200];
  const stepUs = (steps.find((step) => (step * 1_000_000) / cellUs >= 10) ?? 14_400) * 1_000_000;
  let axis = "";
  for (let atUs = 0; ; atUs += stepUs) {
    const cell = Math.floor(atUs / cellUs);
    const label = `${atUs / 1_000_000} s`;
    if (cell + label.length > cells) return axis;
    axis = axis.padEnd(cell) + label;
  }
}
