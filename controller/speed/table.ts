/** The table of speeds, for people. */

import type { Paint } from "../report/paint.ts";
import { grouped } from "../report/words.ts";
import type { Figure } from "./figure.ts";
import type { Row, Unit } from "./row.ts";
import type { SpeedReport } from "./speed.ts";

/** The table, its lines ended by line feeds; at most 100 columns wide. */
export function tableText({ adrift, peer, rows }: SpeedReport, paint: Paint): string {
  const heading = ["", "in flight", adrift, "spread", ...(peer === null ? [] : [peer, "spread", "ratio"])];
  const lines = [heading, ...rows.map((row) => cellsOf(row, peer !== null))];
  const widths = heading.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  const texts = lines.map((cells) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
  const [first = "", ...rest] = texts;
  return `${[paint("bold", first), ...rest].join("\n")}\n`;
}

function cellsOf({ what, inFlight, unit, adrift, peer, ratio }: Row, hasPeer: boolean): readonly string[] {
  return [
    what,
    inFlight === null ? "" : grouped(inFlight),
    median(adrift, unit),
    spread(adrift, unit),
    ...(hasPeer ? [median(peer, unit), spread(peer, unit), ratio === null ? "" : ratio.toFixed(2)] : []),
  ];
}

function median(figure: Figure | null, unit: Unit): string {
  return figure === null ? "-" : `${rounded(figure.median, unit)}${symbols[unit]}`;
}

/** From the least to the most of all rounds. */
function spread(figure: Figure | null, unit: Unit): string {
  return figure === null ? "" : `${rounded(figure.least, unit)}-${rounded(figure.most, unit)}`;
}

const symbols: { readonly [Each in Unit]: string } = {
  "operations a second": "/s",
  milliseconds: " ms",
  megabytes: " MB",
};

function rounded(value: number, unit: Unit): string {
  if (unit !== "milliseconds" || value >= 100) return grouped(value);
  return value.toFixed(value >= 10 ? 1 : 2);
}
