/** How the values of options of these commands are read. */

import { InvalidArgumentError } from "commander";
import { durationPattern, parseDurationUs } from "../../../sim/duration.ts";

const leaseMsMax = 86_400_000;

/** How long a cut lasts, in milliseconds: `30s`, `2m`. */
export function leaseOption(text: string): number {
  const leaseMs = durationPattern.test(text) ? Math.round(parseDurationUs(text) / 1_000) : Number.NaN;
  if (leaseMs >= 1 && leaseMs <= leaseMsMax) return leaseMs;
  throw new InvalidArgumentError("It must be a length of time from 1ms to 24h, such as 500ms, 30s or 2m.");
}

/** A port to begin with. */
export function portOption(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw new InvalidArgumentError("It must be a port from 1 to 65535.");
}

/** A folder; the empty text, as of a variable that is not set, would be the folder in which one happens to be. */
export function folderOption(text: string): string {
  if (text.trim() !== "") return text;
  throw new InvalidArgumentError("It must name a folder.");
}
