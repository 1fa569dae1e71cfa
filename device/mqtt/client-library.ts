/**
 * The client as programs use it: each operation a promise. The work is done by the state machines of `device/client`; this
 * feeds them what comes in through a port, publishes what they want published, and settles the promises.
 *
 * What is asked for in one turn of the event loop travels together.
 */

import { faultOfCall } from "../client/call-fault.ts";
import { type Call, type CallOutcome, clientOptions, type FinishedCall } from "../client/client.ts";
import { Inquiries, type Inquiry } from "../client/inquiries.ts";
import { type KeyValueOperation, keyValueCall } from "../client/key-value-call.ts";
import { createClientPool, requestNumbersApart } from "../client/pool.ts";
import type { ClientPort } from "../client/port.ts";
import type { Json } from "../json.ts";
import type { Random } from "../random.ts";
import type { AnyRequest } from "../transport/envelope.ts";
import type { ReadMode, Reply } from "../transport/protocol.ts";
import { DefiniteError, IndefiniteError } from "./client-errors.ts";

/**
 * A client of a cluster. Every operation takes effect at most once, however often it had to be sent.
 *
 * Operations that are under way at the same time have no order among them: wait for one before you begin what must come
 * after it. Each rejects with a `DefiniteError` if it surely had no effect, with an `IndefiniteError` if nobody knows.
 */
export type ClusterClient = {
  /** The name by which the cluster knows it. */
  readonly name: string;
  /** The value of a key, `null` if there is none. By default the latest (`linearizable`). */
  read(key: string, options?: { readonly mode?: ReadMode }): Promise<Json>;
  write(key: string, value: Json): Promise<void>;
  /** Puts `next` in the place of the value if that equals `expected`; `null` stands for none. Says whether it did. */
  cas(key: string, expected: Json, next: Json): Promise<boolean>;
  /** Lengthens a text. */
  append(key: string, text: string): Promise<void>;
  /** Adds to a number. Gives the sum. */
  add(key: string, number: number): Promise<number>;
  /** Removes a key. Says whether it was there. */
  delete(key: string): Promise<boolean>;
  /** Asks any machine anything. Never rejects: the outcome says what is known. */
  submit(call: Call): Promise<CallOutcome>;
  /** Asks one board, whatever its role, or, as an operator, whoever leads. Rejects as the operations do. */
  inquire(inquiry: Inquiry): Promise<Json>;
  /** Ends the connections. What is still under way rejects. */
  close(): Promise<void>;
};

/** Where the library runs, and how it ends what it holds there. */
export type ClientLibraryPort = ClientPort & { close(): Promise<void> };

/** What the library is made of. */
export type ClientLibrarySetup = {
  readonly name: string;
  readonly port: ClientLibraryPort;
  readonly random: Random;
  /** Where request numbers begin: at random below 2^50, so that an earlier client of the same name is not mistaken for this one. */
  readonly firstRequest: number;
  /** How long after it began an operation is given up. Default: 5 s. */
  readonly deadlineMs?: number;
  /** How long to wait for an answer before a request is sent again for the first time. Default: 300 ms. */
  readonly retryAfterMs?: number;
  /** How many operations may be under way at once; more wait for their turn. Default: 1,024. */
  readonly inFlightMax?: number;
};

/** How many operations may wait for their turn. One more is refused at once: who asks faster than a cluster answers must slow down. */
const waitingMax = 100_000;

const usualInFlightMax = 1_024;

/** See the head of this file. */
export class ClientLibrary implements ClusterClient {
  readonly name: string;
  readonly #port: ClientLibraryPort;
  readonly #calls: ReturnType<typeof createClientPool>;
  readonly #inquiries: Inquiries;
  readonly #waitingForCalls = new Map<number, (outcome: CallOutcome) => void>();
  readonly #waitingForInquiries = new Map<number, (outcome: CallOutcome) => void>();
  #isSettling = false;
  #isClosed = false;

  constructor(setup: ClientLibrarySetup) {
    const { name, port, random, firstRequest, deadlineMs, retryAfterMs, inFlightMax = usualInFlightMax } = setup;
    const deadlineUs = deadlineMs === undefined ? clientOptions.deadlineUs : Math.round(1_000 * deadlineMs);
    const attemptTimeoutUs =
      retryAfterMs === undefined ? clientOptions.attemptTimeoutUs : Math.round(1_000 * retryAfterMs);
    this.name = name;
    this.#port = port;
    this.#inquiries = new Inquiries({
      name,
      random: random.fork("inquiries"),
      firstRequest,
      timing: { ...clientOptions, attemptTimeoutUs },
      deadlineUs,
    });
    this.#calls = createClientPool({
      name,
      random: random.fork("calls"),
      firstRequest: firstRequest + requestNumbersApart,
      inFlightMax,
      options: { deadlineUs, waitingMax, attemptTimeoutUs },
    });
  }

  async read(key: string, { mode = "linearizable" }: { readonly mode?: ReadMode } = {}): Promise<Json> {
    return await this.#operate({ op: "read", key }, mode);
  }

  async write(key: string, value: Json): Promise<void> {
    await this.#operate({ op: "write", key, value });
  }

  async cas(key: string, expected: Json, next: Json): Promise<boolean> {
    return (await this.#operate({ op: "cas", key, value: [expected, next] })) === true;
  }

  async append(key: string, text: string): Promise<void> {
    await this.#operate({ op: "append", key, value: text });
  }

  async add(key: string, number: number): Promise<number> {
    return Number(await this.#operate({ op: "add", key, value: number }));
  }

  async delete(key: string): Promise<boolean> {
    return (await this.#operate({ op: "delete", key })) === true;
  }

  submit(call: Call): Promise<CallOutcome> {
    const fault = this.#isClosed ? "The client is closed." : faultOfCall(call);
    if (fault !== null) return Promise.resolve({ type: "fail", error: `Never sent: ${fault}` });
    return new Promise((resolve) => {
      this.#waitingForCalls.set(this.#calls.submit(call, this.#port.nowUs()), resolve);
      this.#settleLater();
    });
  }

  async inquire(inquiry: Inquiry): Promise<Json> {
    if (this.#isClosed) throw new DefiniteError("Never sent: The client is closed.");
    const outcome = await new Promise<CallOutcome>((resolve) => {
      this.#waitingForInquiries.set(this.#inquiries.submit(inquiry, this.#port.nowUs()), resolve);
      this.#settleLater();
    });
    const { board, ask } = inquiry;
    return resultOf(
      outcome,
      board === null ? ask.type : `${ask.type} of ${board}`,
      "Ask how the boards are before you ask again.",
    );
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const waiting of [this.#waitingForCalls, this.#waitingForInquiries]) {
      for (const resolve of waiting.values())
        resolve({ type: "info", error: "The client was closed before an answer came." });
      waiting.clear();
    }
    await this.#port.close();
  }

  /** Takes what boards answered. */
  receive(replies: readonly Reply[]): void {
    const nowUs = this.#port.nowUs();
    for (const reply of replies) {
      this.#calls.receive(reply, nowUs);
      this.#inquiries.receive(reply, nowUs);
    }
    this.#settleLater();
  }

  /** Somebody else leads now, or can be reached again: what is not answered is sent again. */
  hasten(): void {
    const nowUs = this.#port.nowUs();
    this.#calls.hasten(nowUs);
    this.#inquiries.hasten(nowUs);
    this.#settleLater();
  }

  async #operate(operation: KeyValueOperation, mode?: ReadMode): Promise<Json> {
    const outcome = await this.submit(keyValueCall(operation, mode));
    return resultOf(outcome, `${operation.op} ${operation.key}`, `Read ${operation.key} before you do it again.`);
  }

  #settleLater(): void {
    if (this.#isSettling) return;
    this.#isSettling = true;
    this.#port.afterThisTurn(this.#settle);
  }

  /** Publishes what is to be published, and tells who waits for it what is finished. */
  readonly #settle = (): void => {
    this.#isSettling = false;
    if (this.#isClosed) return;
    const { requests, repeated, finished } = this.#calls.drain();
    if (repeated.length === 0) {
      this.#publish(requests, null, false);
    } else {
      const sentBefore = new Set(repeated);
      this.#publish(
        requests.filter((request) => !sentBefore.has(request)),
        null,
        false,
      );
      this.#publish(repeated, null, true);
    }
    const inquiries = this.#inquiries.drain();
    for (const { board, request } of inquiries.requests) this.#publish([request], board, true);
    tell(finished, this.#waitingForCalls);
    tell(inquiries.finished, this.#waitingForInquiries);
    const nextUs = Math.min(this.#calls.nextDeadlineUs() ?? Number.POSITIVE_INFINITY, this.#inquiries.nextDeadlineUs());
    if (nextUs !== Number.POSITIVE_INFINITY) this.#port.wakeAt(nextUs, this.#wake);
  };

  readonly #wake = (): void => {
    const nowUs = this.#port.nowUs();
    this.#calls.tick(nowUs);
    this.#inquiries.tick(nowUs);
    this.#settle();
  };

  #publish(requests: readonly AnyRequest[], board: string | null, again: boolean): void {
    if (requests.length > 0) this.#port.publish(requests, { board, again });
  }
}

function tell(finished: readonly FinishedCall[], waiting: Map<number, (outcome: CallOutcome) => void>): void {
  for (const { handle, outcome } of finished) {
    waiting.get(handle)?.(outcome);
    waiting.delete(handle);
  }
}

/** The result of what was done; otherwise throws what is known of it. */
function resultOf(outcome: CallOutcome, what: string, advice: string): Json {
  switch (outcome.type) {
    case "ok":
      return outcome.result;
    case "fail":
      throw new DefiniteError(`${what} had no effect: ${outcome.error}`);
    case "info":
      throw new IndefiniteError(`${what} may have taken effect, or may yet: ${outcome.error} ${advice}`);
  }
}
