/** The three times of a cut, as a row of a table. */

import type { CutTimes } from "../experiment/cut-times.ts";
import { listed, seconds } from "./words.ts";

/** When it was commanded; and how long after that it was seen, and a leader there again. */
export type CutRow = {
  readonly what: string;
  readonly commanded: string;
  readonly seen: string;
  readonly ledAgain: string;
};

/** A cut in words. */
export function cutRow({ fault, cables, commandedUs, seenUs, ledAgainUs }: CutTimes): CutRow {
  const names = cables.length > namesMax ? `${cables.length} cables` : listed(cables);
  return {
    what: fault === "cut" ? names : `${names} (${fault})`,
    commanded: seconds(commandedUs),
    seen: seenUs === null ? "never" : after(seenUs - commandedUs),
    ledAgain:
      ledAgainUs === null ? "never" : ledAgainUs === commandedUs ? "all the time" : after(ledAgainUs - commandedUs),
  };
}

/** More names than this fill a line. */
const namesMax = 3;

function after(us: number): string {
  return us === 0 ? "at once" : `+ ${(us / 1_000).toFixed(us < 10_000 ? 1 : 0)} ms`;
}
