/** What was found, for people: a line for each group that is well, and all that is not. */

import type { Colour, Paint } from "../report/paint.ts";
import { wrapped } from "../report/text.ts";
import { count, listed } from "../report/words.ts";
import type { Group } from "./examine.ts";
import type { Condition, Finding } from "./finding.ts";

/** How wide the terminal is, and whether it shows colours. */
export type TextOptions = { readonly columns: number; readonly paint: Paint };

/** How many things were found to be so. */
export type Tally = Readonly<Record<Condition, number>>;

/** The whole answer, the last line a summary. */
export function doctorText(groups: readonly Group[], options: TextOptions): string {
  const lines = groups.flatMap((group) => groupLines(group, options));
  const told = groups.map(({ name, findings }) => ({ name, findings: merged(findings) }));
  return `${[...lines, "", summary(tallyOf(told), options.paint)].join("\n")}\n`;
}

/** Counts the findings. */
export function tallyOf(groups: readonly Group[]): Tally {
  const tally = { ok: 0, warning: 0, wrong: 0, unchecked: 0 };
  for (const { findings } of groups) for (const { condition } of findings) tally[condition] += 1;
  return tally;
}

const labels: Readonly<Record<Condition, string>> = {
  ok: "ok",
  warning: "warning",
  wrong: "wrong",
  unchecked: "not checked",
};
const colours: Readonly<Record<Condition, Colour>> = {
  ok: "green",
  warning: "yellow",
  wrong: "red",
  unchecked: "blue",
};
const labelWidth = 13;
const nameWidth = 14;
/** A line that is narrower than this is left to the terminal. */
const columnsMin = 40;

/** What is well stands in one line, whatever is not below it. */
function groupLines({ name, findings }: Group, options: TextOptions): readonly string[] {
  const { columns, paint } = options;
  const well = findings.filter(({ condition }) => condition === "ok");
  const indent = " ".repeat(nameWidth);
  const lines = [
    ...(well.length === 0 ? [] : rows(paint("green", labels.ok.padEnd(labelWidth)), wellWords(well), columns)),
    ...well.flatMap(({ remarks }) => remarks.flatMap((remark) => rows(" ".repeat(labelWidth), remark, columns, paint))),
    ...merged(findings.filter(({ condition }) => condition !== "ok")).flatMap((finding) =>
      findingRows(finding, options),
    ),
  ];
  return lines.map((line, at) => `${at === 0 ? paint("bold", name.padEnd(nameWidth)) : indent}${line}`);
}

/** Things that are well in the same way are told together. */
function wellWords(findings: readonly Finding[]): string {
  const places = new Map<string, string[]>();
  for (const { where, what } of findings) places.set(what, [...(places.get(what) ?? []), where]);
  return [...places].map(([what, wheres]) => `${listed([...new Set(wheres)])}: ${what}`).join("; ");
}

/** What is true of several things is told once, and counts once. */
function merged(findings: readonly Finding[]): readonly Finding[] {
  const alike = new Map<string, Finding[]>();
  for (const finding of findings) {
    const key = JSON.stringify([finding.condition, finding.what, finding.advice]);
    alike.set(key, [...(alike.get(key) ?? []), finding]);
  }
  return [...alike.values()].flatMap((each) => {
    const [first] = each;
    const wheres = [...new Set(each.map(({ where }) => where))];
    // What is said of one thing in the singular is then said of each.
    const where = wheres.length > 1 ? `each of ${listed(wheres)}` : listed(wheres);
    return first === undefined ? [] : [{ ...first, where }];
  });
}

function findingRows({ condition, where, what, advice }: Finding, { columns, paint }: TextOptions): readonly string[] {
  const label = paint(colours[condition], labels[condition].padEnd(labelWidth));
  return rows(label, `${where}: ${[asSentence(what), advice ?? ""].join(" ").trimEnd()}`, columns);
}

/** A label, and beside it a text over as many lines as it takes. */
function rows(label: string, text: string, columns: number, paint?: Paint): readonly string[] {
  const width = Math.max(columnsMin, columns - nameWidth - labelWidth);
  return wrapped(text, width).map((line, at) => {
    const shown = paint === undefined ? line : paint("dim", line);
    return `${at === 0 ? label : " ".repeat(labelWidth)}${shown}`;
  });
}

function asSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function summary({ wrong, warning, unchecked }: Tally, paint: Paint): string {
  const parts = [
    ...(wrong === 0 ? [] : [paint("red", `${wrong} wrong`)]),
    ...(warning === 0 ? [] : [paint("yellow", count(warning, "warning"))]),
    ...(unchecked === 0 ? [] : [paint("blue", `${unchecked} could not be checked`)]),
  ];
  const rest = parts.length === 0 ? "" : ` ${listed(parts)}.`;
  return `${wrong === 0 ? paint("green", "Nothing is wrong.") : "Something is wrong:"}${rest}`;
}
