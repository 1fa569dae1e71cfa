/**
 * The five times of a cut: when it was commanded, when its cutters were seen to have opened the cables, when the boards at
 * their ends lost their carrier, when Raft first noticed, and when a majority followed a leader again. On a real bench they
 * lie apart, and only what comes after the third is Raft's own.
 */

import {
  type BoardEvent,
  type CarrierChange,
  type Chronicle,
  type FaultSpan,
  openedCables,
  pairName,
} from "./chronicle.ts";

/** One time that cables were opened, by a fault or by a hand. */
export type CutTimes = {
  readonly fault: FaultSpan["fault"]["kind"];
  /** None where only brokers withheld something. */
  readonly cables: readonly string[];
  /** Of what a hand did, when it was first seen. */
  readonly commandedUs: number;
  /** When the last of the cables was seen open by its cutter; `null` if one never was. */
  readonly seenUs: number | null;
  /** When the last board at an end of the cables had lost its carrier; `null` if none said so. */
  readonly carrierLost: { readonly atUs: number; readonly uncertaintyUs: number } | null;
  /** When a board first missed its leader, or its majority; `null` if none did before it was over. */
  readonly noticedUs: number | null;
  /** The same as `commandedUs` if a majority kept its leader; `null` if there was none until the end. */
  readonly ledAgainUs: number | null;
};

/** What opens the cables that are its targets. Of a flapping cable the first time counts. */
const opensCables: ReadonlySet<string> = new Set<FaultSpan["fault"]["kind"]>([
  "cut",
  "flap",
  "split",
  "isolate",
  "hand",
]);

/** The times of all cuts of a run. In virtual time a cable is open the moment that it is commanded. */
export function cutTimes(chronicle: Chronicle, isSimulated: boolean): readonly CutTimes[] {
  return chronicle.faults
    .filter(({ fault }) => opensCables.has(fault.kind))
    .map((span) => ({
      fault: span.fault.kind,
      cables: openedCables(span),
      commandedUs: span.fromUs,
      seenUs: isSimulated || span.fault.kind === "hand" ? span.fromUs : seenOpenUs(span, chronicle),
      carrierLost: carrierLost(span, chronicle),
      noticedUs: noticedUs(span, chronicle),
      ledAgainUs: ledAgainUs(span, chronicle),
    }));
}

function seenOpenUs(span: FaultSpan, { seenCuts }: Chronicle): number | null {
  const { fromUs, toUs, withholds = [] } = span;
  let lastUs = fromUs;
  for (const target of [...openedCables(span), ...withholds.map(pairName)]) {
    const seen = seenCuts.find(({ cable, atUs }) => cable === target && atUs >= fromUs && atUs <= toUs);
    if (seen === undefined) return null;
    lastUs = Math.max(lastUs, seen.atUs);
  }
  return lastUs;
}

/** A board's clock may be misread by a little, so that it seems to have lost its carrier before anybody took it. */
function carrierLost({ fromUs, toUs, targets }: FaultSpan, { bench, carriers }: Chronicle): CutTimes["carrierLost"] {
  const cables = bench.cables.filter(({ name }) => targets.includes(name));
  const ends = new Set(cables.flatMap((cable) => cable.ends.map(({ node }) => node)));
  const first = new Map<string, CarrierChange>();
  for (const change of carriers) {
    const { board, up, atUs, uncertaintyUs } = change;
    if (up || !ends.has(board) || first.has(board)) continue;
    if (atUs >= fromUs - uncertaintyUs && atUs <= toUs + uncertaintyUs) first.set(board, change);
  }
  const last = [...first.values()].toSorted((one, other) => other.atUs - one.atUs)[0];
  return last === undefined ? null : { atUs: last.atUs, uncertaintyUs: last.uncertaintyUs };
}

function noticedUs({ fromUs, toUs }: FaultSpan, { boardEvents }: Chronicle): number | null {
  return boardEvents.find((told) => told.atUs >= fromUs && told.atUs <= toUs && isNotice(told))?.atUs ?? null;
}

/** Misses the leader, asks for votes, or stops leading for lack of a majority. */
function isNotice({ event }: BoardEvent): boolean {
  if (event.type === "leader") return event.leader === null;
  if (event.type !== "role") return false;
  return event.role !== "follower" ? event.role !== "leader" : event.reason.includes("not heard from a majority");
}

function ledAgainUs({ fromUs }: FaultSpan, { reigns }: Chronicle): number | null {
  const isKept = reigns.some((reign) => reign.fromUs <= fromUs && reign.toUs > fromUs);
  if (isKept) return fromUs;
  return reigns.find((reign) => reign.fromUs >= fromUs)?.fromUs ?? null;
}
