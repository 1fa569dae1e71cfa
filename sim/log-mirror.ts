/**
 * What the world knows of one member's log: not the entries but, for each index, a hash over everything up to there. Two
 * logs agree up to an index exactly if their hashes there are the same, so comparing whole logs costs one comparison.
 */

import type { Entry, LogIndex, Term } from "../device/raft/index.ts";

/** A hash over a log up to some index. Two 26-bit lanes in one number. */
export type ChainHash = number;

/** The hash of the empty log. */
export const emptyChain: ChainHash = 0;

/** The log of one member, as hashes. */
export class LogMirror {
  /** The hash at `#base`, and those of the indexes after it. */
  #base: LogIndex = 0;
  #chain: ChainHash[] = [emptyChain];
  #terms: Term[] = [0];
  /** Up to here the member's disk holds the log. */
  durableIndex: LogIndex = 0;

  get lastIndex(): LogIndex {
    return this.#base + this.#chain.length - 1;
  }

  get baseIndex(): LogIndex {
    return this.#base;
  }

  /** The hash of the log up to `index`; `undefined` if that is before what is kept, or not there yet. */
  chainAt(index: LogIndex): ChainHash | undefined {
    return this.#chain[index - this.#base];
  }

  termAt(index: LogIndex): Term | undefined {
    return this.#terms[index - this.#base];
  }

  /** Adds an entry at its index; what stood there and after it is gone. Returns the hash up to it. */
  put(entry: Entry): ChainHash | undefined {
    const place = entry.index - this.#base;
    const before = this.#chain[place - 1];
    if (before === undefined) return undefined;
    if (place < this.#chain.length) {
      this.#chain.length = place;
      this.#terms.length = place;
      this.durableIndex = Math.min(this.durableIndex, entry.index - 1);
    }
    const hash = extend(before, entry);
    this.#chain.push(hash);
    this.#terms.push(entry.term);
    return hash;
  }

  /** The log now begins after `index`, where its hash is `chain`. */
  startAt(index: LogIndex, term: Term, chain: ChainHash): void {
    this.#base = index;
    this.#chain = [chain];
    this.#terms = [term];
    this.durableIndex = Math.min(this.durableIndex, index);
  }

  /** Forgets hashes before `index`, to keep a long run small. */
  trimTo(index: LogIndex): void {
    const drop = Math.min(index, this.lastIndex) - this.#base;
    if (drop <= 0) return;
    this.#chain = this.#chain.slice(drop);
    this.#terms = this.#terms.slice(drop);
    this.#base += drop;
  }
}

/** The hash of a log that ends with `entry`, from the hash of what precedes it. */
function extend(before: ChainHash, entry: Entry): ChainHash {
  let one = before % lane;
  let two = Math.floor(before / lane);
  one = Math.imul(one ^ entry.term, 0x85ebca6b);
  two = Math.imul(two ^ entry.index, 0xc2b2ae35);
  const text = textOf(entry);
  for (let place = 0; place < text.length; place += 1) {
    const character = text.charCodeAt(place);
    one = Math.imul(one ^ character, 0x01000193);
    two = (two + character) | 0;
    two = (two << 7) ^ (two >>> 11);
  }
  one ^= one >>> 15;
  two = Math.imul(two ^ (two >>> 13), 0x27d4eb2f);
  return (one & (lane - 1)) + ((two ^ one) & (lane - 1)) * lane;
}

const lane = 0x400_0000;

function textOf(entry: Entry): string {
  switch (entry.kind) {
    case "command":
      return entry.data;
    case "configuration":
      return JSON.stringify(entry.configuration);
    case "empty":
      return "";
  }
}
