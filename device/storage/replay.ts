/** The log read back: from the records of all segments, in order, to the state that they describe. */

import type { Entry, HardState, LogIndex, Term } from "../raft/types.ts";
import type { LogRecord } from "./record.ts";

/** The hard state of a member that has not taken part in any election yet (Figure 2). */
export const initialHardState: HardState = { term: 0, votedFor: null };

/** The state of a log, record by record. */
export class Replay {
  hardState = initialHardState;
  /** The entries that are there, without a gap, from the one after `baseIndex` on. */
  entries: Entry[] = [];
  baseIndex: LogIndex = 0;
  /** The term at `baseIndex`, or `null` if the log does not tell. */
  #baseTerm: Term | null = 0;
  #started = false;

  /** Takes the next record. Gives the reason why it cannot come next, or `null`. */
  apply(record: LogRecord): string | null {
    switch (record.type) {
      case "segment":
        // Later headers only repeat what the records before them have said.
        if (!this.#started) {
          this.hardState = record.header.hardState;
          this.#startAfter(record.header.lastIndex, record.header.lastTerm);
        }
        this.#started = true;
        return null;
      case "hardState":
        this.hardState = record.hardState;
        return null;
      case "entry":
        return this.#applyEntry(record.entry);
      case "restart":
        this.#startAfter(record.index, record.term);
        return null;
      case "mark":
        return null;
      default:
        return record satisfies never;
    }
  }

  get lastIndex(): LogIndex {
    return this.baseIndex + this.entries.length;
  }

  get lastTerm(): Term {
    return this.termAt(this.lastIndex) ?? 0;
  }

  /** The term of an entry that is there, or of the one at `baseIndex`; `null` if the log does not tell. */
  termAt(index: LogIndex): Term | null {
    return index === this.baseIndex ? this.#baseTerm : (this.entries[index - this.baseIndex - 1]?.term ?? null);
  }

  #startAfter(index: LogIndex, term: Term | null): void {
    this.baseIndex = index;
    this.#baseTerm = term;
    this.entries = [];
  }

  #applyEntry(entry: Entry): string | null {
    if (entry.index > this.lastIndex + 1) {
      return `entry ${entry.index} comes where entry ${this.lastIndex + 1} has to come`;
    }
    // An entry may replace ones that only removed segments held; what precedes it, then only a snapshot knows.
    if (entry.index <= this.baseIndex) this.#startAfter(entry.index - 1, null);
    this.entries.length = entry.index - this.baseIndex - 1;
    this.entries.push(entry);
    return null;
  }
}
