/** The five times of each cut, as a table: what is known of none of them has no column. */

import type { CutTimes } from "../experiment/cut-times.ts";
import { listed, seconds } from "./words.ts";

/** A table of texts: the first column says what was cut, the second when, the others how long after that what followed. */
export type CutTable = { readonly headings: readonly string[]; readonly rows: readonly (readonly string[])[] };

/** All cuts of a run. */
export function cutTable(cuts: readonly CutTimes[]): CutTable {
  const shown = columns.filter(({ isKnown }) => cuts.some(isKnown));
  return {
    headings: ["cut", ...shown.map(({ heading }) => heading)],
    rows: cuts.map((cut) => [whatOf(cut), ...shown.map(({ text }) => text(cut))]),
  };
}

type Column = {
  readonly heading: string;
  readonly isKnown: (cut: CutTimes) => boolean;
  readonly text: (cut: CutTimes) => string;
};

const columns: readonly Column[] = [
  {
    heading: "commanded",
    isKnown: () => true,
    text: ({ commandedUs }) => seconds(commandedUs),
  },
  {
    heading: "seen open",
    isKnown: () => true,
    text: ({ fault, seenUs, commandedUs }) => (fault === "hand" ? "by hand" : after(seenUs, commandedUs, "never")),
  },
  {
    heading: "carrier lost",
    isKnown: ({ carrierLost }) => carrierLost !== null,
    text: ({ carrierLost, commandedUs }) => {
      if (carrierLost === null) return "–";
      const { atUs, uncertaintyUs } = carrierLost;
      return uncertaintyUs === 0
        ? after(atUs, commandedUs, "–")
        : `${after(atUs, commandedUs, "–")} (± ${milliseconds(uncertaintyUs)})`;
    },
  },
  {
    heading: "noticed",
    isKnown: ({ noticedUs }) => noticedUs !== null,
    text: ({ noticedUs, commandedUs }) => after(noticedUs, commandedUs, "–"),
  },
  {
    heading: "led again",
    isKnown: () => true,
    text: ({ ledAgainUs, commandedUs }) =>
      ledAgainUs === commandedUs ? "all the time" : after(ledAgainUs, commandedUs, "never"),
  },
];

function whatOf({ fault, cables }: CutTimes): string {
  if (cables.length === 0) return `by the brokers (${fault})`;
  const names = cables.length > namesMax ? `${cables.length} cables` : listed(cables);
  return fault === "cut" || fault === "hand" ? names : `${names} (${fault})`;
}

/** More names than this fill a line. */
const namesMax = 3;

function after(atUs: number | null, commandedUs: number, missing: string): string {
  if (atUs === null) return missing;
  const us = atUs - commandedUs;
  return us === 0 ? "at once" : `${us < 0 ? "−" : "+"} ${milliseconds(Math.abs(us))}`;
}

function milliseconds(us: number): string {
  return `${(us / 1_000).toFixed(us < 10_000 ? 1 : 0)} ms`;
}
