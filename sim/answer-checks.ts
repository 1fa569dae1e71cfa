/** What clients are answered, checked from the inside: the same everywhere, once only, and never from the past. */

import type { Applied } from "../device/machine/host.ts";
import type { LogIndex } from "../device/raft/index.ts";

/** A property that does not hold, and how one sees it. */
export type BrokenAnswer = { readonly invariant: string; readonly detail: string };

/** The answers of all boards of one world. */
export class AnswerChecks {
  /** What the entry at each index came to, on the first board that applied it. */
  readonly #outcomes = new Map<LogIndex, string>();
  /** By session: at which index each request took effect. */
  readonly #executed = new Map<number, Map<number, LogIndex>>();
  /** By board and request: reads that were asked, and how far the cluster had committed then. */
  readonly #reads = new Map<string, LogIndex>();

  /** A request of a session takes effect once (§6.3), and every board gives the same answer to it. */
  applied(index: LogIndex, applied: Applied): BrokenAnswer | null {
    const text = summaryOf(applied);
    const other = this.#outcomes.get(index);
    if (other === undefined) this.#outcomes.set(index, text);
    else if (other !== text) {
      const detail = `entry ${index} came to "${text}", elsewhere to "${other}"`;
      return { invariant: "the same log gives the same answers", detail };
    }
    return applied.kind === "executed" ? this.#takesEffect(index, applied.session, applied.request) : null;
  }

  /** A request arrived that asks for the latest state: its answer may not be older than what is committed now. */
  readAsked(board: string, request: string, committedIndex: LogIndex): void {
    const key = `${board} ${request}`;
    if (!this.#reads.has(key)) this.#reads.set(key, committedIndex);
    forgetOldest(this.#reads, readsKept);
  }

  /** A board answers a request, perhaps a read, as of what it has applied (§6.4). */
  answered(board: string, request: string, appliedIndex: LogIndex): BrokenAnswer | null {
    const key = `${board} ${request}`;
    const committedIndex = this.#reads.get(key);
    if (committedIndex === undefined) return null;
    this.#reads.delete(key);
    if (appliedIndex >= committedIndex) return null;
    const detail = `it answered as of entry ${appliedIndex}, but ${committedIndex} was committed when it was asked`;
    return { invariant: "a read sees what was committed before it", detail };
  }

  /** A board starts anew: what its last boot was asked, it will not answer. */
  rebooted(board: string): void {
    for (const key of this.#reads.keys()) if (key.startsWith(`${board} `)) this.#reads.delete(key);
  }

  /** Forgets what is known of entries before `index`. */
  trimTo(index: LogIndex): void {
    for (const old of this.#outcomes.keys()) {
      if (old >= index) break;
      this.#outcomes.delete(old);
    }
  }

  #takesEffect(index: LogIndex, session: number, request: number): BrokenAnswer | null {
    let requests = this.#executed.get(session);
    if (requests === undefined) {
      requests = new Map();
      this.#executed.set(session, requests);
      forgetOldest(this.#executed, sessionsKept);
    }
    const first = requests.get(request);
    if (first !== undefined && first !== index) {
      const detail = `request ${request} of session ${session} took effect at entries ${first} and ${index}`;
      return { invariant: "exactly once", detail };
    }
    requests.set(request, index);
    forgetOldest(requests, requestsKept);
    return null;
  }
}

const readsKept = 10_000;
const sessionsKept = 4_096;
const requestsKept = 64;

/** Maps keep the order in which keys came, so the first are the oldest. */
function forgetOldest<Key>(map: Map<Key, unknown>, kept: number): void {
  for (const key of map.keys()) {
    if (map.size <= kept) return;
    map.delete(key);
  }
}

function summaryOf({ kind, outcome }: Applied): string {
  const value = outcome.kind === "ok" ? outcome.value : null;
  return `${kind} ${outcome.kind} ${typeof value === "object" ? JSON.stringify(value) : value}`;
}
