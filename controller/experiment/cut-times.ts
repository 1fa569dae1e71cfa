/**
 * The three times of a cut: when it was commanded, when the cables were seen open, and when a majority followed a leader
 * again. On a real bench they lie apart, and only the last part of the wait is Raft's own.
 */

import type { Chronicle, FaultSpan } from "./chronicle.ts";
import type { FaultKind } from "./model.ts";

/** One time that a fault opened cables. */
export type CutTimes = {
  readonly fault: FaultKind;
  readonly cables: readonly string[];
  readonly commandedUs: number;
  /** When the last of the cables was seen open; `null` if one never was. */
  readonly seenUs: number | null;
  /** The same as `commandedUs` if a majority kept its leader; `null` if there was none until the end. */
  readonly ledAgainUs: number | null;
};

/** What opens the cables that are its targets. Of a flapping cable the first time counts. */
const opensCables: ReadonlySet<FaultKind> = new Set(["cut", "flap", "split", "isolate"]);

/** The times of all cuts of a run. In virtual time a cable is open the moment that it is commanded. */
export function cutTimes(chronicle: Chronicle, isSimulated: boolean): readonly CutTimes[] {
  return chronicle.faults
    .filter(({ fault }) => opensCables.has(fault.kind))
    .map((span) => ({
      fault: span.fault.kind,
      cables: span.targets,
      commandedUs: span.fromUs,
      seenUs: isSimulated ? span.fromUs : seenOpenUs(span, chronicle),
      ledAgainUs: ledAgainUs(span, chronicle),
    }));
}

function seenOpenUs({ fromUs, toUs, targets }: FaultSpan, { seenCuts }: Chronicle): number | null {
  let lastUs = fromUs;
  for (const target of targets) {
    const seen = seenCuts.find(({ cable, atUs }) => cable === target && atUs >= fromUs && atUs <= toUs);
    if (seen === undefined) return null;
    lastUs = Math.max(lastUs, seen.atUs);
  }
  return lastUs;
}

function ledAgainUs({ fromUs }: FaultSpan, { reigns }: Chronicle): number | null {
  const isKept = reigns.some((reign) => reign.fromUs <= fromUs && reign.toUs > fromUs);
  if (isKept) return fromUs;
  return reigns.find((reign) => reign.fromUs >= fromUs)?.fromUs ?? null;
}
