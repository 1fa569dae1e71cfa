/** The figures of a campaign, added up seed by seed. */

import { createHash } from "node:crypto";
import type { LossReason } from "../../../sim/network-types.ts";
import type { FaultKind } from "../../experiment/model.ts";
import type { SeedSummary } from "./jobs.ts";

export type Totals = {
  readonly seeds: number;
  readonly undecided: number;
  readonly virtualSeconds: number;
  /** The cores' time, added up. */
  readonly busySeconds: number;
  readonly events: number;
  readonly operations: { readonly ok: number; readonly fail: number; readonly info: number };
  readonly elections: number;
  readonly faults: Partial<Record<FaultKind, number>>;
  readonly messages: MessageTotals;
  /** A hash over the fingerprints of all seeds, in their order: the same for the same seeds, on every machine. */
  readonly fingerprint: string;
};

export type MessageTotals = {
  readonly published: number;
  readonly delivered: number;
  readonly lost: number;
  readonly lostBecause: Readonly<Record<LossReason, number>>;
  readonly duplicated: number;
  /** Held up by a cut or a pause, or held back by noise. */
  readonly late: number;
  /** Came from a connection that was given up. */
  readonly stale: number;
};

/** Adds up what came out of seeds, in whatever order they came. */
export function addUp(summaries: readonly SeedSummary[]): Totals {
  const sum = (of: (summary: SeedSummary) => number): number =>
    summaries.reduce((total, summary) => total + of(summary), 0);
  const faults: Partial<Record<FaultKind, number>> = {};
  for (const summary of summaries) {
    for (const [kind, times] of entriesOf(summary.faults)) faults[kind] = (faults[kind] ?? 0) + times;
  }
  const lost = (reason: LossReason): number => sum(({ network }) => network?.lost[reason] ?? 0);
  const lostBecause = {
    notConnected: lost("notConnected"),
    nobodyListens: lost("nobodyListens"),
    bufferFull: lost("bufferFull"),
    connectionEnded: lost("connectionEnded"),
    noise: lost("noise"),
  };
  const inOrder = summaries.toSorted((one, other) => one.seed - other.seed);
  return {
    seeds: summaries.length,
    undecided: summaries.filter(({ undecided }) => undecided).length,
    virtualSeconds: sum(({ virtualUs }) => virtualUs) / 1_000_000,
    busySeconds: sum(({ busyMs }) => busyMs) / 1_000,
    events: sum(({ events }) => events),
    operations: {
      ok: sum(({ operations }) => operations.ok),
      fail: sum(({ operations }) => operations.fail),
      info: sum(({ operations }) => operations.info),
    },
    elections: sum(({ elections }) => elections),
    faults,
    messages: {
      published: sum(({ network }) => network?.published ?? 0),
      delivered: sum(({ network }) => network?.delivered ?? 0),
      lost: Object.values(lostBecause).reduce((total, each) => total + each, 0),
      lostBecause,
      duplicated: sum(({ network }) => network?.duplicated ?? 0),
      late: sum(({ network }) => (network === null ? 0 : network.late + network.delayed)),
      stale: sum(({ network }) => network?.stale ?? 0),
    },
    fingerprint: createHash("sha256")
      .update(inOrder.map(({ seed, fingerprint }) => `${seed} ${fingerprint}\n`).join(""))
      .digest("hex")
      .slice(0, 16),
  };
}

/** The entries of a record whose keys are known. */
function entriesOf<Key extends string>(record: Partial<Record<Key, number>>): readonly (readonly [Key, number])[] {
  return Object.entries(record) as [Key, number][];
}
