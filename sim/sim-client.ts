/** One simulated client: draws operations, asks, waits, and writes down what it saw. */

import { type CallOutcome, type Client, createClient } from "../device/client/client.ts";
import { type KeyValueOperation, keyValueCall } from "../device/client/key-value-call.ts";
import type { Random } from "../device/random.ts";
import type { Reply, Request } from "../device/transport/protocol.ts";
import type { HistoryEvent } from "./history.ts";
import { type EventQueue, noTicket, type Ticket } from "./queue.ts";
import { OperationSource, type Workload } from "./workload.ts";

/** What a simulated client is made of. */
export type SimClientSettings = {
  readonly name: string;
  readonly queue: EventQueue;
  readonly random: Random;
  readonly workload: Workload;
  readonly publish: (request: Request) => void;
  readonly record: (event: HistoryEvent) => void;
};

/** The operation that a client waits for. */
type Open = {
  readonly handle: number;
  readonly operation: KeyValueOperation;
  readonly sinceUs: number;
  readonly tellOutcome: (outcome: CallOutcome) => void;
};

/** One client, which may be several processes in a history: after an indefinite outcome it goes on under a new name. */
export class SimClient {
  readonly name: string;
  readonly #settings: SimClientSettings;
  readonly #client: Client;
  readonly #operations: OperationSource;
  readonly #thinkUs: number;
  #process: string;
  #processes = 1;
  #open: Open | null = null;
  #working = false;
  #begun: Ticket = noTicket;
  #wakeAtUs = Number.POSITIVE_INFINITY;
  #wake: Ticket = noTicket;
  #borrower: ((reply: Reply) => void) | null = null;
  /** Operations that were answered, and the longest time that one was open so far. */
  answered = 0;

  constructor(settings: SimClientSettings) {
    const { name, random, workload } = settings;
    this.name = name;
    this.#process = name;
    this.#settings = settings;
    this.#client = createClient({
      name,
      random,
      options: { deadlineUs: workload.timeoutUs, attemptTimeoutUs: workload.retryAfterUs },
    });
    this.#operations = new OperationSource(workload, name, random);
    this.#thinkUs = Math.floor((1_000_000 * workload.clients) / workload.operationsPerSecond);
  }

  /** Begins to work: one operation after the other, at the workload's pace. */
  startWork(): void {
    this.#working = true;
    this.#scheduleNext();
  }

  /** Begins no more operations; the one that is open goes on. */
  stopWork(): void {
    this.#working = false;
  }

  /** The operation that is open, if any: since when. */
  get openSinceUs(): number | null {
    return this.#open?.sinceUs ?? null;
  }

  /** From now on somebody else hears what comes for this client, and speaks by its connections with what this gives. */
  lend(borrower: (reply: Reply) => void): (request: Request) => void {
    this.#borrower = borrower;
    return this.#settings.publish;
  }

  receive(reply: Reply): void {
    if (this.#borrower !== null) {
      this.#borrower(reply);
      return;
    }
    this.#client.receive(reply, this.#settings.queue.nowUs);
    this.#settle();
  }

  /** Begins this operation now, if none is open, and later tells how it ended. Says whether it did. */
  begin(operation: KeyValueOperation, tellOutcome: (outcome: CallOutcome) => void = () => undefined): boolean {
    if (this.#open !== null) return false;
    const { queue, workload } = this.#settings;
    const handle = this.#client.submit(keyValueCall(operation, workload.readMode), queue.nowUs);
    this.#open = { handle, operation, sinceUs: queue.nowUs, tellOutcome };
    this.#record("invoke", operation, {});
    this.#settle();
    return true;
  }

  #scheduleNext(): void {
    const { queue, random } = this.#settings;
    const half = Math.floor(this.#thinkUs / 2);
    const at = queue.nowUs + random.between(half, this.#thinkUs + half + 1);
    queue.cancel(this.#begun);
    this.#begun = queue.schedule(at, this.#onNext, 0, 0);
  }

  readonly #onNext = (): void => {
    this.#begun = noTicket;
    if (!this.#working) return;
    this.begin(this.#operations.next());
    this.#scheduleNext();
  };

  readonly #onWake = (): void => {
    this.#wakeAtUs = Number.POSITIVE_INFINITY;
    this.#wake = noTicket;
    this.#client.tick(this.#settings.queue.nowUs);
    this.#settle();
  };

  #settle(): void {
    const { requests, finished } = this.#client.drain();
    for (const request of requests) this.#settings.publish(request);
    for (const { handle, outcome } of finished) if (handle === this.#open?.handle) this.#finish(outcome);
    this.#arm();
  }

  #finish(outcome: CallOutcome): void {
    if (this.#open === null) return;
    const { operation, tellOutcome } = this.#open;
    this.#open = null;
    tellOutcome(outcome);
    switch (outcome.type) {
      case "ok":
        this.answered += 1;
        if (operation.op === "read") this.#operations.saw(operation.key, outcome.result);
        this.#record("ok", operation, { result: outcome.result });
        return;
      case "fail":
        this.#record("fail", operation, {});
        return;
      case "info":
        this.#record("info", operation, {});
        // Nobody knows how it ended, so whoever asked it is not heard of again.
        this.#processes += 1;
        this.#process = `${this.name}.${this.#processes}`;
        return;
      default:
        outcome satisfies never;
    }
  }

  #record(
    type: HistoryEvent["type"],
    operation: KeyValueOperation,
    more: { readonly result?: HistoryEvent["result"] },
  ): void {
    const { queue, record } = this.#settings;
    record({ process: this.#process, type, ...operation, ...more, atUs: queue.nowUs } as HistoryEvent);
  }

  /** Wakes when the client next wants to; an earlier wake-up that is already set will do. */
  #arm(): void {
    const { queue } = this.#settings;
    const nextUs = this.#client.nextDeadlineUs() ?? Number.POSITIVE_INFINITY;
    if (nextUs >= this.#wakeAtUs) return;
    queue.cancel(this.#wake);
    this.#wakeAtUs = Math.max(nextUs, queue.nowUs);
    this.#wake = queue.schedule(this.#wakeAtUs, this.#onWake, 0, 0);
  }
}
