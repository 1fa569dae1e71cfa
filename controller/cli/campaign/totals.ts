/** The figures of a campaign, added up seed by seed. */

import { createHash } from "node:crypto";
import type { LossReason, NetworkCounters } from "../../../sim/network-types.ts";
import type { FaultKind } from "../../experiment/model.ts";
import type { SeedSummary } from "./jobs.ts";

/** What all seeds come to. Times in seconds. */
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
  /** A hash over the fingerprints of all seeds: the same for the same seeds, on every machine. */
  readonly fingerprint: string;
};

/** What became of the messages; one that was published can be delivered several times, or never. */
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

/** Adds up what comes out of seeds, in whatever order they come, and keeps none of them. */
export class Tally {
  #seeds = 0;
  #undecided = 0;
  #virtualUs = 0;
  #busyMs = 0;
  #events = 0;
  #elections = 0;
  readonly #operations = { ok: 0, fail: 0, info: 0 };
  readonly #faults: Partial<Record<FaultKind, number>> = {};
  readonly #messages = { published: 0, delivered: 0, duplicated: 0, late: 0, stale: 0 };
  readonly #lostBecause = {
    notConnected: 0,
    nobodyListens: 0,
    bufferFull: 0,
    connectionEnded: 0,
    noise: 0,
    withheld: 0,
  };
  #fingerprint = 0n;

  add(summary: SeedSummary): void {
    this.#seeds += 1;
    if (summary.undecided) this.#undecided += 1;
    this.#virtualUs += summary.virtualUs;
    this.#busyMs += summary.busyMs;
    this.#events += summary.events;
    this.#elections += summary.elections;
    for (const outcome of ["ok", "fail", "info"] as const) this.#operations[outcome] += summary.operations[outcome];
    for (const [kind, times] of entriesOf(summary.faults)) this.#faults[kind] = (this.#faults[kind] ?? 0) + times;
    if (summary.network !== null) this.#addNetwork(summary.network);
    // A sum, because it does not matter in which order its parts come.
    const hash = createHash("sha256").update(`${summary.seed} ${summary.fingerprint}`).digest("hex").slice(0, 16);
    this.#fingerprint = BigInt.asUintN(64, this.#fingerprint + BigInt(`0x${hash}`));
  }

  #addNetwork({ published, delivered, duplicated, late, delayed, stale, lost }: NetworkCounters): void {
    this.#messages.published += published;
    this.#messages.delivered += delivered;
    this.#messages.duplicated += duplicated;
    this.#messages.late += late + delayed;
    this.#messages.stale += stale;
    for (const [reason, times] of entriesOf(lost)) this.#lostBecause[reason] += times;
  }

  totals(): Totals {
    const lost = Object.values(this.#lostBecause).reduce((sum, each) => sum + each, 0);
    return {
      seeds: this.#seeds,
      undecided: this.#undecided,
      virtualSeconds: this.#virtualUs / 1_000_000,
      busySeconds: this.#busyMs / 1_000,
      events: this.#events,
      operations: { ...this.#operations },
      elections: this.#elections,
      faults: { ...this.#faults },
      messages: { ...this.#messages, lost, lostBecause: { ...this.#lostBecause } },
      fingerprint: this.#fingerprint.toString(16).padStart(16, "0"),
    };
  }
}

/** The entries of a record whose keys are known. */
function entriesOf<Key extends string>(record: Partial<Record<Key, number>>): readonly (readonly [Key, number])[] {
  return Object.entries(record) as [Key, number][];
}
