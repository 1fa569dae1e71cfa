/** A plan as a terminal shows it. */

import type { Bench } from "../../../hardware/bench.ts";
import type { Impossible, Plan, PlanStep, PossiblePlan, Wish } from "../../bench/plan.ts";
import type { Paint } from "../../report/paint.ts";
import { wrapped } from "../../report/text.ts";
import { count, listed } from "../../report/words.ts";

/** How wide the terminal is, and whether it shows colours. */
export type TextOptions = { readonly columns: number; readonly paint: Paint };

/** What is asked for, what would be cut by what, and who hears whom and reaches what then; or why it cannot be. */
export function planText(wish: Wish, bench: Bench, planned: Plan, options: TextOptions): string {
  const { columns, paint } = options;
  const title = wrapped(`${wishWords(wish)}, on ${bench.name}`, columns).map((line) => paint("bold", line));
  const body =
    planned.kind === "possible" ? possibleText(planned, options) : ["", ...impossibleLines(planned, "", options)];
  return `${[...title, ...body].join("\n")}\n`;
}

/** What is wished for, in a few words. */
export function wishWords(wish: Wish): string {
  switch (wish.kind) {
    case "split":
      return `Split ${wish.groups.map((group) => group.join(", ")).join(" | ")}`;
    case "isolate":
      return `Isolate ${listed(wish.boards)}`;
    case "one-way":
      return `Lose what ${listed(wish.from)} ${wish.from.length === 1 ? "says" : "say"} to ${listed(wish.to)}`;
    case "cut":
      return `Cut ${listed(wish.cables)}`;
    default:
      return wish satisfies never;
  }
}

/** Steps as the rows of a table: the cutter with its channel, then what it opens. */
export function stepLines(
  steps: readonly PlanStep[],
  indent: string,
  { columns, paint }: TextOptions,
): readonly string[] {
  const width = Math.max(...steps.map((step) => cutterWords(step).length));
  return steps.flatMap((step) =>
    wrapped(step.opens, columns - indent.length - width - 2).map((part, at) => {
      const label = (at === 0 ? cutterWords(step) : "").padEnd(width);
      return `${indent}${paint("cyan", label)}  ${part}`;
    }),
  );
}

/** Why it cannot be done, and what would allow it. */
export function impossibleLines(
  { why, suggestions }: Impossible,
  indent: string,
  options: TextOptions,
): readonly string[] {
  const { columns, paint } = options;
  const lines = [`${indent}${paint("red", "This bench cannot do it.")}`];
  for (const sentence of why) lines.push(...listItem(sentence, indent, columns));
  if (suggestions.length > 0) lines.push("", `${indent}${paint("bold", "What would allow it:")}`);
  for (const sentence of suggestions) lines.push(...listItem(sentence, indent, columns));
  return lines;
}

function possibleText(planned: PossiblePlan, options: TextOptions): readonly string[] {
  const { columns, paint } = options;
  const lines: string[] = [];
  const heading = (text: string) => lines.push("", paint("bold", text));
  if (planned.steps.length > 0) {
    heading(count(planned.steps.length, "step"));
    lines.push(...stepLines(planned.steps, "  ", options));
  }
  heading("Who hears whom then");
  lines.push(...hearingLines(planned.hears, columns));
  heading("The controller, and every client with it");
  lines.push(...wrapped(`reaches ${listed(planned.controller.reaches) || "nothing"}`, columns - 2).map(indented));
  if (planned.controller.loses.length > 0) {
    lines.push(...wrapped(`does not reach ${listed(planned.controller.loses)}`, columns - 2).map(indented));
  }
  if (planned.notes.length > 0) lines.push("");
  for (const note of planned.notes) lines.push(...wrapped(note, columns));
  return lines;
}

function cutterWords({ cutter, channel }: PlanStep): string {
  switch (cutter.driver) {
    case "switch":
      return `${cutter.name}, port ${channel}`;
    case "hand":
      return "a person pulls";
    case "relay":
    case "usb-relay":
    case "gpio":
    case "firewall":
    case "broker":
    case "virtual":
      return channel === null ? cutter.name : `${cutter.name}:${channel}`;
    default:
      return cutter.driver satisfies never;
  }
}

/** Groups, where boards fall into such that all of a group hear each other and nobody else; else a row for each board. */
function hearingLines(hears: PossiblePlan["hears"], columns: number): readonly string[] {
  const groups = groupsOf(hears);
  if (groups !== null) return wrapped(groups.map((group) => group.join(", ")).join(" | "), columns - 2).map(indented);
  const names = hears.map(({ listener }) => listener);
  const width = Math.max(...names.map((name) => name.length));
  return hears.flatMap(({ listener, speakers }) => {
    const missed = names.filter((name) => name !== listener && !speakers.includes(name));
    const all = missed.length === 0 ? "everybody" : `everybody but ${listed(missed)}`;
    const words = speakers.length === 0 ? "nobody" : missed.length < speakers.length ? all : listed(speakers);
    return wrapped(words, columns - width - 9).map((part, at) =>
      indented(at === 0 ? `${listener.padEnd(width)} hears ${part}` : `${"".padEnd(width)}       ${part}`),
    );
  });
}

function groupsOf(hears: PossiblePlan["hears"]): readonly (readonly string[])[] | null {
  const order = hears.map(({ listener }) => listener);
  const groups = new Map<string, readonly string[]>();
  for (const { listener, speakers } of hears) {
    const group = order.filter((name) => name === listener || speakers.includes(name));
    groups.set(group.join(), group);
  }
  const all = [...groups.values()];
  return all.flat().length === order.length ? all : null;
}

function listItem(sentence: string, indent: string, columns: number): readonly string[] {
  return wrapped(sentence, columns - indent.length - 4).map(
    (part, at) => `${indent}${at === 0 ? "  - " : "    "}${part}`,
  );
}

function indented(line: string): string {
  return `  ${line}`;
}
