/**
 * Requests that wait for an answer at this board. A client repeats what is not answered, perhaps by several brokers; as
 * long as the first copy waits, the others only say by which way the answer may go.
 */

import type { Outcome, Reply, Request } from "../transport/protocol.ts";
import type { Via } from "./host.ts";

type Waiting = {
  readonly client: string;
  readonly request: number;
  via: Via;
  /** The term in which the entry was proposed; `null` for a read. */
  readonly term: number | null;
};

/** Who waits for which entry or read, and how to reach them. */
export class PendingRequests {
  readonly #reply: (via: Via, reply: Reply) => void;
  readonly #byRequest = new Map<string, Waiting>();
  readonly #byIndex = new Map<number, Waiting>();
  readonly #byRead = new Map<
    number,
    { readonly waiting: Waiting; readonly query: Extract<Request, { type: "query" }> }
  >();
  /** Reads whose index is known, until it is applied; in the order in which they became known. */
  #confirmed: {
    readonly waiting: Waiting;
    readonly query: Extract<Request, { type: "query" }>;
    readonly index: number;
  }[] = [];

  constructor(reply: (via: Via, reply: Reply) => void) {
    this.#reply = reply;
  }

  get size(): number {
    return this.#byRequest.size;
  }

  /** Whether a copy of this request waits already; if so, the answer will go the way by which this copy came. */
  takeCopy(request: { readonly client: string; readonly request: number }, via: Via): boolean {
    const waiting = this.#byRequest.get(keyOf(request));
    if (waiting === undefined) return false;
    waiting.via = via;
    return true;
  }

  /** Waits for the entry at `index`, proposed in `term`. */
  addCommand(request: Request, via: Via, index: number, term: number): void {
    this.#byIndex.set(index, this.#add(request, via, term));
  }

  addRead(read: number, query: Extract<Request, { type: "query" }>, via: Via): void {
    this.#byRead.set(read, { waiting: this.#add(query, via, null), query });
  }

  /** The entry at `index` was applied. If another leader's entry stands there, the one that was proposed is lost. */
  applied(index: number, term: number, outcome: Outcome | null): void {
    const waiting = this.#byIndex.get(index);
    if (waiting === undefined) return;
    this.#byIndex.delete(index);
    const isOurs = waiting.term === term && outcome !== null;
    this.#answer(
      waiting,
      isOurs ? outcome : { kind: "retry", error: "another leader's entry took its place", leader: null },
    );
  }

  /** The read may be answered as of `index`. */
  readConfirmed(read: number, index: number): void {
    const pending = this.#byRead.get(read);
    if (pending === undefined) return;
    this.#byRead.delete(read);
    this.#confirmed.push({ ...pending, index });
  }

  readFailed(read: number, error: string, leader: string | null): void {
    const pending = this.#byRead.get(read);
    if (pending === undefined) return;
    this.#byRead.delete(read);
    this.#answer(pending.waiting, { kind: "retry", error, leader });
  }

  /** Answers the reads whose index has been applied. */
  answerReads(appliedIndex: number, ask: (query: Extract<Request, { type: "query" }>) => Outcome): void {
    if (this.#confirmed.length === 0) return;
    const waiting = this.#confirmed;
    this.#confirmed = [];
    for (const read of waiting) {
      if (read.index <= appliedIndex) this.#answer(read.waiting, ask(read.query));
      else this.#confirmed.push(read);
    }
  }

  /** This board leads no longer: whoever waits for an entry hears it at once, and asks the next leader. */
  leadershipLost(leader: string | null): void {
    const waiting = [...this.#byIndex.values()];
    this.#byIndex.clear();
    for (const one of waiting) this.#answer(one, { kind: "retry", error: "this board leads no longer", leader });
  }

  #add(request: Request, via: Via, term: number | null): Waiting {
    const waiting: Waiting = { client: request.client, request: request.request, via, term };
    this.#byRequest.set(keyOf(request), waiting);
    return waiting;
  }

  #answer(waiting: Waiting, outcome: Outcome): void {
    this.#byRequest.delete(keyOf(waiting));
    this.#reply(waiting.via, { client: waiting.client, request: waiting.request, outcome });
  }
}

function keyOf({ client, request }: { readonly client: string; readonly request: number }): string {
  return `${request} ${client}`;
}
