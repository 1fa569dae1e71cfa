/** A run as a drawing: time to the right, the faults above, a lane for each board, and one for each client. */

import type { Operation } from "../check/index.ts";
import type { BoardSpan, Chronicle, FaultSpan } from "../experiment/chronicle.ts";
import type { ConcludedRun } from "../experiment/conclude.ts";
import type { Stall } from "../experiment/service.ts";
import { faultLabel } from "./fault-words.ts";
import { type Markup, markup } from "./markup.ts";
import { count, seconds } from "./words.ts";

/** Sizes in the drawing's own units, which are pixels where the page is wide enough. */
const width = 1160;
const gutter = 84;
const right = 14;
const faultRow = 20;
const boardLane = 24;
const clientLane = 13;
const gap = 5;
const axisHeight = 26;
const labelUnit = 6.4;
const faultRowsMax = 6;

/** Places moments along the drawing. */
type Scale = { readonly x: (us: number) => number; readonly endUs: number };

/** The drawing, as wide as the page. Whatever a pointer rests on says what it is. */
export function timelineSvg(run: ConcludedRun): Markup {
  const { chronicle, history, stalls } = run;
  const endUs = Math.max(chronicle.endUs, 1);
  const scale: Scale = { endUs, x: (us) => rounded(gutter + (us / endUs) * (width - gutter - right)) };
  const rows = layFaults(chronicle.faults, scale);
  const rowCount = Math.min(faultRowsMax, Math.max(0, ...rows.map(({ row }) => row + 1)));
  const clients = clientsOf(history.operations);
  const boardsTop = rowCount * faultRow + gap * 2;
  const clientsTop = boardsTop + chronicle.lanes.size * (boardLane + gap) + gap * 3;
  const bottom = clientsTop + clients.length * clientLane + gap;
  return markup`<svg class="timeline" viewBox="0 0 ${width} ${bottom + axisHeight}" role="img" aria-label="Timeline of the run">
${patterns}
${axis(scale, boardsTop - gap, bottom)}
${rows.filter(({ row }) => row < faultRowsMax).map((fault) => faultMark(fault, scale, bottom))}
${[...chronicle.lanes].map(([name, spans], at) => boardLaneOf(name, spans, boardsTop + at * (boardLane + gap), scale))}
${stalls.map((stall) => stallMark(stall, clientsTop - gap, bottom, scale))}
${clients.map(([name, operations], at) => clientLaneOf(name, operations, clientsTop + at * clientLane, scale))}
</svg>`;
}

const patterns = markup`<defs><pattern id="cut" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="cut-line" width="2.5" height="7"/></pattern></defs>`;

function axis({ x, endUs }: Scale, top: number, bottom: number): Markup {
  const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_800, 3_600];
  const step = steps.find((each) => endUs / (each * 1_000_000) <= 18) ?? 7_200;
  const ticks = Array.from({ length: Math.floor(endUs / (step * 1_000_000)) + 1 }, (_, at) => at * step);
  return markup`<g class="axis">${ticks.map((tick) => {
    const at = x(tick * 1_000_000);
    return markup`<line x1="${at}" x2="${at}" y1="${top}" y2="${bottom}"/><text x="${at}" y="${bottom + 17}">${rounded(tick)} s</text>`;
  })}</g>`;
}

type LaidFault = { readonly span: FaultSpan; readonly row: number; readonly label: string };

/** Gives each fault the first row in which nothing stands in the way of its label. */
function layFaults(faults: readonly FaultSpan[], { x }: Scale): readonly LaidFault[] {
  const ends: number[] = [];
  return faults.map((span) => {
    const label = faultLabel(span.fault, span.targets);
    const end = Math.max(x(span.toUs), x(span.fromUs) + 10 + label.length * labelUnit);
    let row = ends.findIndex((taken) => taken <= x(span.fromUs));
    if (row === -1) row = ends.length;
    ends[row] = end + 4;
    return { span, row, label };
  });
}

function faultMark({ span, row, label }: LaidFault, { x }: Scale, bottom: number): Markup {
  const from = x(span.fromUs);
  const wide = Math.max(1.5, rounded(x(span.toUs) - from));
  const top = row * faultRow;
  const time = span.toUs > span.fromUs ? `${seconds(span.fromUs)} to ${seconds(span.toUs)}` : seconds(span.fromUs);
  const flip = from + 8 + label.length * labelUnit > width;
  return markup`<g class="fault"><title>${label}, ${time}</title>
<rect class="shade" x="${from}" y="${top}" width="${wide}" height="${bottom - top}"/>
<rect class="bar" x="${from}" y="${top}" width="${wide}" height="${faultRow - 4}" rx="2"/>
<text x="${flip ? width - 4 : from + 5}" y="${top + 12}"${flip ? anchorEnd : null}>${label}</text></g>`;
}

const anchorEnd = markup` text-anchor="end"`;

function boardLaneOf(name: string, spans: readonly BoardSpan[], top: number, { x }: Scale): Markup {
  const drawn = spans.map((span) => {
    const from = x(span.fromUs);
    const wide = rounded(x(span.toUs) - from);
    const title = `${name}: ${stateInWords(span)}, ${seconds(span.fromUs)} to ${seconds(span.toUs)}`;
    const box = markup`x="${from}" y="${top}" width="${Math.max(wide, narrowest(span))}" height="${boardLane}"`;
    const term = span.state === "leader" && wide > 56 ? termLabel(span.term, from + 8, top) : null;
    const cut = span.isCutOff && span.state !== "down" ? markup`<rect class="cut" ${box}/>` : null;
    return markup`<g><title>${title}</title><rect class="state ${span.state}${span.isCutOff ? " cut-off" : ""}" ${box}/>${cut}${term}</g>`;
  });
  return markup`<g class="lane"><text class="name" x="${gutter - 10}" y="${top + 16}">${name}</text>${drawn}</g>`;
}

/** What lasts a moment only and matters is still to be seen. */
function narrowest({ state }: BoardSpan): number {
  return state === "candidate" || state === "leader" ? 2 : 0.4;
}

function termLabel(term: number, x: number, top: number): Markup {
  return markup`<text class="term" x="${x}" y="${top + 16}">term ${term}</text>`;
}

function stateInWords({ state, term, isCutOff }: BoardSpan): string {
  const cut = isCutOff ? ", cut off" : "";
  switch (state) {
    case "leader":
      return `${isCutOff ? "believes that it leads" : "leads"} in term ${term}${cut}`;
    case "candidate":
      return `asks for votes${cut}`;
    case "follower":
      return `follows in term ${term}${cut}`;
    case "paused":
    case "down":
      return state;
    default:
      return state satisfies never;
  }
}

function stallMark({ fromUs, toUs, operations }: Stall, top: number, bottom: number, { x }: Scale): Markup {
  const from = x(fromUs);
  const wide = Math.max(1.5, rounded(x(toUs) - from));
  const title = `Nobody was answered for ${seconds(toUs - fromUs)}; ${count(operations, "operation")} waited.`;
  return markup`<g class="stall"><title>${title}</title><rect x="${from}" y="${top}" width="${wide}" height="${bottom - top}"/></g>`;
}

/** The operations of each client. One that no longer knows how an operation ended goes on as `c1.2`, `c1.3`, ... */
function clientsOf(operations: readonly Operation[]): readonly (readonly [string, readonly Operation[]])[] {
  const clients = new Map<string, Operation[]>();
  for (const operation of operations) {
    const name = operation.process.split(".")[0] ?? operation.process;
    const those = clients.get(name);
    if (those === undefined) clients.set(name, [operation]);
    else those.push(operation);
  }
  return [...clients].toSorted(([one], [other]) => one.localeCompare(other, "en", { numeric: true }));
}

/**
 * A tick where an operation ends, and a bar from its beginning if it takes long enough to be seen. All of one outcome are
 * one path, and what would fall upon the same place is drawn once, so that a long run stays a small drawing.
 */
function clientLaneOf(name: string, operations: readonly Operation[], top: number, { x, endUs }: Scale): Markup {
  const paths = { ok: "", fail: "", info: "" };
  const drawn = new Set<string>();
  const middle = top + clientLane / 2;
  for (const { outcome, invokedAtUs, completedAtUs } of operations) {
    const from = x(invokedAtUs);
    const to = x(completedAtUs ?? endUs);
    const bar = to - from > 1.5 ? `M${from} ${middle}H${to}` : "";
    const mark = `${bar}M${to} ${top + 2}v${clientLane - 4}`;
    if (drawn.has(mark)) continue;
    drawn.add(mark);
    paths[outcome] += mark;
  }
  return markup`<g class="client"><text class="name" x="${gutter - 10}" y="${top + 10}">${name}</text>
<path class="ok" d="${paths.ok}"/><path class="fail" d="${paths.fail}"/><path class="info" d="${paths.info}"/></g>`;
}

function rounded(number: number): number {
  return Math.round(number * 10) / 10;
}

/** What the colours mean. */
export function timelineLegend(): Markup {
  const entries = [
    ["state leader", "leads"],
    ["state follower", "follows"],
    ["state candidate", "asks for votes"],
    ["state paused", "stands still"],
    ["state down", "down"],
    ["state follower cut-off", "cut off from a majority"],
    ["tick ok", "ok"],
    ["tick fail", "failed"],
    ["tick info", "nobody knows"],
    ["stalled", "nobody is answered"],
  ] as const;
  return markup`<ul class="legend">${entries.map(([look, meaning]) => markup`<li><i class="${look}"></i>${meaning}</li>`)}</ul>`;
}

/** Who led a majority when. */
export function reignsTable({ reigns }: Chronicle): Markup {
  if (reigns.length === 0) return markup`<p>Nobody led a majority.</p>`;
  return markup`<table><thead><tr><th class="number">from</th><th>leader</th><th class="number">term</th><th class="number">for</th></tr></thead><tbody>${reigns.map(
    ({ fromUs, toUs, board, term }) =>
      markup`<tr><td class="number">${seconds(fromUs)}</td><td>${board}</td><td class="number">${term}</td><td class="number">${seconds(toUs - fromUs)}</td></tr>`,
  )}</tbody></table>`;
}
