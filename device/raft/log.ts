/**
 * The log as a board holds it in memory: everything after the last compaction, and how much of it is on disk.
 *
 * Entries enter at once and become durable later. A save under way may be overtaken by a truncation; so each save
 * remembers how far it can still vouch, and a truncation shortens that (otherwise an entry that was written, removed and
 * written again could pass for durable).
 */

import { assertInvariant } from "./invariant.ts";
import type { Configuration, Entry, LogIndex, Snapshot, Term } from "./types.ts";

type SaveUnderWay = { readonly id: number; vouchesThrough: LogIndex };

/** What a board's storage gave back at its start. */
export type RecoveredLog = {
  /** The snapshot, or `null` if the log begins at the first entry. */
  readonly snapshot: Snapshot | null;
  /** Entries in order without a gap; those up to the snapshot's index may be there too, or not. */
  readonly entries: readonly Entry[];
};

/** The log of one member. */
export class Log {
  /** The latest snapshot of the state machines on this board, for followers too far behind the log. */
  snapshot: Snapshot | null;
  /** Up to here the log would survive a power cut. */
  durableIndex: LogIndex;

  /** The entry before the first one held: compacted away (or the start of time), but its term is still known. */
  #baseIndex: LogIndex;
  #baseTerm: Term;
  #entries: Entry[];
  /** Every configuration in the held log, oldest first; the first is the one in force at the base. */
  #configurations: { readonly index: LogIndex; readonly configuration: Configuration }[];
  #saves: SaveUnderWay[] = [];

  constructor(initial: Configuration, recovered: RecoveredLog) {
    const { snapshot, entries } = recovered;
    const first = entries[0];
    this.snapshot = snapshot;
    if (snapshot === null) {
      this.#baseIndex = 0;
      this.#baseTerm = 0;
    } else if (first !== undefined && first.index <= snapshot.index) {
      // Trailing entries below the snapshot: keep them for slow followers. What precedes them has an unknown term, so
      // the oldest one serves as the base.
      this.#baseIndex = first.index;
      this.#baseTerm = first.term;
    } else {
      this.#baseIndex = snapshot.index;
      this.#baseTerm = snapshot.term;
    }
    this.#entries = entries.filter((entry) => entry.index > this.#baseIndex);
    // Configurations at or below the snapshot are committed and superseded by the one that it carries.
    this.#configurations = [{ index: snapshot?.index ?? 0, configuration: snapshot?.configuration ?? initial }];
    let expected = this.#baseIndex + 1;
    for (const entry of this.#entries) {
      assertInvariant(
        entry.index === expected,
        "the log has no gap",
        () => `entry ${entry.index} follows ${expected - 1}`,
      );
      expected += 1;
      if (entry.kind === "configuration" && entry.index > (snapshot?.index ?? 0))
        this.#noteConfiguration(entry.index, entry.configuration);
    }
    this.durableIndex = this.lastIndex;
    assertInvariant(
      snapshot === null || this.termAt(snapshot.index) === snapshot.term,
      "the log agrees with its snapshot",
      () => `at ${snapshot?.index} it has term ${this.termAt(snapshot?.index ?? 0)}, the snapshot ${snapshot?.term}`,
    );
  }

  /** The first entry held is the one after this. */
  get baseIndex(): LogIndex {
    return this.#baseIndex;
  }

  get lastIndex(): LogIndex {
    return this.#baseIndex + this.#entries.length;
  }

  get lastTerm(): Term {
    return this.#entries[this.#entries.length - 1]?.term ?? this.#baseTerm;
  }

  /** The term of the entry at `index`; `null` if it is compacted away or not there yet. */
  termAt(index: LogIndex): Term | null {
    if (index === this.#baseIndex) return this.#baseTerm;
    return this.#entries[index - this.#baseIndex - 1]?.term ?? null;
  }

  entryAt(index: LogIndex): Entry | null {
    return this.#entries[index - this.#baseIndex - 1] ?? null;
  }

  /** The first held index of the run of entries with the same term as the one at `index`. */
  firstIndexOfTermAt(index: LogIndex): LogIndex {
    const term = this.termAt(index);
    let first = index;
    while (first > this.#baseIndex && this.termAt(first - 1) === term) first -= 1;
    return first;
  }

  /** The last index, at most `index`, whose term is at most `term`. Not below the base. */
  lastIndexWithTermAtMost(index: LogIndex, term: Term): LogIndex {
    let candidate = Math.min(index, this.lastIndex);
    while (candidate > this.#baseIndex && (this.termAt(candidate) ?? 0) > term) candidate -= 1;
    return candidate;
  }

  /** Entries from `from` on: as many as fit both bounds, but at least one if there is one. */
  slice(from: LogIndex, entriesMax: number, bytesMax: number): readonly Entry[] {
    const start = from - this.#baseIndex - 1;
    let end = start;
    let bytes = 0;
    while (end < this.#entries.length && end - start < entriesMax) {
      bytes += sizeOf(this.#entries[end]);
      if (bytes > bytesMax && end > start) break;
      end += 1;
    }
    return this.#entries.slice(start, end);
  }

  /** Entries from `from` through `through`, all of them. */
  range(from: LogIndex, through: LogIndex): readonly Entry[] {
    return this.#entries.slice(from - this.#baseIndex - 1, through - this.#baseIndex);
  }

  append(entry: Entry): void {
    assertInvariant(
      entry.index === this.lastIndex + 1,
      "the log has no gap",
      () => `entry ${entry.index} after ${this.lastIndex}`,
    );
    assertInvariant(
      entry.term >= this.lastTerm,
      "terms never fall along the log",
      () => `term ${entry.term} after ${this.lastTerm}`,
    );
    this.#entries.push(entry);
    if (entry.kind === "configuration") this.#noteConfiguration(entry.index, entry.configuration);
  }

  /** Removes the entry at `index` and all after it. */
  truncateFrom(index: LogIndex): void {
    this.#entries.length = index - this.#baseIndex - 1;
    while (
      (this.#configurations[this.#configurations.length - 1]?.index ?? 0) >= index &&
      this.#configurations.length > 1
    ) {
      this.#configurations.pop();
    }
    this.durableIndex = Math.min(this.durableIndex, index - 1);
    for (const save of this.#saves) save.vouchesThrough = Math.min(save.vouchesThrough, index - 1);
  }

  /** The configuration in force: the last one in the log, committed or not (§4.1). */
  get configuration(): Configuration {
    return this.#latestConfiguration().configuration;
  }

  /** The index of the entry that brought the configuration in force; 0 if it is the initial one. */
  get configurationIndex(): LogIndex {
    return this.#latestConfiguration().index;
  }

  /** The configuration that was in force at `index`, which must not be before the log's own snapshot. */
  configurationAt(index: LogIndex): Configuration {
    let inForce = this.#configurations[0];
    for (const candidate of this.#configurations) if (candidate.index <= index) inForce = candidate;
    assertInvariant(inForce !== undefined, "a configuration is always in force", () => `none at ${index}`);
    return inForce.configuration;
  }

  /** The configuration that was in force at `index`, and all that came after it: one of them is the committed one. */
  configurationsFrom(index: LogIndex): readonly Configuration[] {
    const first = this.#configurations.findLastIndex((candidate) => candidate.index <= index);
    return this.#configurations.slice(Math.max(0, first)).map(({ configuration }) => configuration);
  }

  /** A snapshot of this board's own: entries up to `through` are no longer needed. */
  compact(snapshot: Snapshot, through: LogIndex): void {
    this.snapshot = snapshot;
    while ((this.#configurations[1]?.index ?? Number.POSITIVE_INFINITY) <= snapshot.index) this.#configurations.shift();
    if (through <= this.#baseIndex) return;
    const term = this.termAt(through);
    assertInvariant(
      term !== null,
      "only what is there is compacted",
      () => `${through} of ${this.#baseIndex}..${this.lastIndex}`,
    );
    this.#entries = this.#entries.slice(through - this.#baseIndex);
    this.#baseIndex = through;
    this.#baseTerm = term;
  }

  /** A snapshot from the leader takes the place of the whole log. */
  replaceBy(snapshot: Snapshot): void {
    this.snapshot = snapshot;
    this.#entries = [];
    this.#baseIndex = snapshot.index;
    this.#baseTerm = snapshot.term;
    this.#configurations = [{ index: snapshot.index, configuration: snapshot.configuration }];
    this.durableIndex = 0;
    for (const save of this.#saves) save.vouchesThrough = 0;
  }

  /** A save with this number went to the disk; it holds the log as it is now. */
  saveBegan(id: number): void {
    this.#saves.push({ id, vouchesThrough: this.lastIndex });
  }

  /** The save with this number, and those before it, are on disk. */
  saveEnded(id: number): void {
    while (this.#saves.length > 0) {
      const save = this.#saves[0];
      if (save === undefined || save.id > id) break;
      this.durableIndex = Math.max(this.durableIndex, save.vouchesThrough);
      this.#saves.shift();
    }
  }

  /** The number of the last save that is still under way; `null` if all that was to be saved is on disk. */
  get lastSaveUnderWay(): number | null {
    return this.#saves[this.#saves.length - 1]?.id ?? null;
  }

  #latestConfiguration(): { readonly index: LogIndex; readonly configuration: Configuration } {
    const latest = this.#configurations[this.#configurations.length - 1];
    assertInvariant(latest !== undefined, "a configuration is always in force", () => "there is none");
    return latest;
  }

  #noteConfiguration(index: LogIndex, configuration: Configuration): void {
    this.#configurations.push({ index, configuration });
  }
}

/** What an entry weighs against the bounds, in bytes: its data, and a little for what surrounds it. */
export function sizeOf(entry: Entry | undefined): number {
  if (entry === undefined) return 0;
  const envelopeBytes = 32;
  return entry.kind === "command" ? envelopeBytes + entry.data.length : envelopeBytes;
}

/** What an entry counts for against the bound of uncommitted bytes: only what a client put there. */
export function weight(entry: Entry): number {
  return entry.kind === "command" ? sizeOf(entry) : 0;
}
