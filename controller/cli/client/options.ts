/** The options that all commands share which ask a running cluster. */

import { InvalidArgumentError } from "commander";
import { durationPattern, parseDurationUs } from "../../../sim/duration.ts";

/** What stands on the command line. */
export type ClientOptions = {
  /** The addresses of brokers; none: those of the cluster that runs in this folder. */
  readonly broker: readonly string[];
  /** The file of a rack's bench, which says where its brokers are. */
  readonly bench?: string;
  readonly cluster?: string;
  readonly keys?: string;
  readonly as?: string;
  /** In milliseconds. */
  readonly timeout: number;
  readonly json?: true;
  readonly text?: true;
};

const durationMsMax = 600_000;

/** A length of time, in milliseconds. */
export function durationOption(text: string): number {
  const durationMs = durationPattern.test(text) ? parseDurationUs(text) / 1_000 : Number.NaN;
  if (durationMs >= 1 && durationMs <= durationMsMax) return durationMs;
  throw new InvalidArgumentError("It must be a time from 1ms to 10m, such as 500ms or 5s.");
}

/** An option that may be repeated: each time adds to the list. */
export function severalOption(text: string, earlier: readonly string[]): readonly string[] {
  return [...earlier, text];
}
