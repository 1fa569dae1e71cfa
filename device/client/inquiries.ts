/**
 * Single questions beside the calls: what is asked of one board, whatever its role, and what an operator asks of whoever
 * leads. They need no session: a question changes nothing, and what an operator asks for may be asked for twice.
 */

import type { Random } from "../random.ts";
import type { AnyRequest, BoardRequest } from "../transport/envelope.ts";
import type { Administration, Reply } from "../transport/protocol.ts";
import { type AttemptTiming, beginAnew, firstAttempt, hasten, nextAttempt } from "./attempts.ts";
import type { CallOutcome, FinishedCall } from "./client.ts";
import { UnderWayTable } from "./under-way.ts";

/** What can be asked, without what the client adds: its name and a number. */
export type Inquiry =
  | { readonly board: string; readonly ask: WithoutSender<BoardRequest> }
  | { readonly board: null; readonly ask: WithoutSender<Administration> };

type WithoutSender<Asked> = Asked extends unknown ? Omit<Asked, "client" | "request"> : never;

/** A request, and which board is asked; `null`: whoever leads. */
export type AddressedRequest = { readonly board: string | null; readonly request: AnyRequest };

/** What inquiries are made of. */
export type InquiriesSetup = {
  readonly name: string;
  readonly random: Random;
  /** Where request numbers begin, apart from those of the calls. */
  readonly firstRequest: number;
  readonly timing: AttemptTiming;
  /** How long after it was asked a question is given up. */
  readonly deadlineUs: number;
};

/** All that is being asked. Used as a `Client` is. */
export class Inquiries {
  readonly #setup: InquiriesSetup;
  readonly #underWay = new UnderWayTable<AnyRequest>();
  /** Which board is asked, by the number of the request. */
  readonly #boards = new Map<number, string | null>();
  #nextRequest: number;
  #requests: AddressedRequest[] = [];
  #finished: FinishedCall[] = [];

  constructor(setup: InquiriesSetup) {
    this.#setup = setup;
    this.#nextRequest = setup.firstRequest;
  }

  /** Asks, and tells the handle under which the outcome will come. */
  submit({ board, ask }: Inquiry, nowUs: number): number {
    const { name, random, timing, deadlineUs } = this.#setup;
    const request: AnyRequest = { ...ask, client: name, request: this.#nextRequest };
    const handle = this.#nextRequest;
    this.#nextRequest += 1;
    this.#boards.set(handle, board);
    this.#requests.push({ board, request });
    const attempts = firstAttempt(request, nowUs, timing, random);
    this.#underWay.add({ handle, deadlineUs: nowUs + deadlineUs, attempts });
    return handle;
  }

  /** Takes a reply; one that answers no question that is still open is ignored. */
  receive({ request, outcome }: Reply, nowUs: number): void {
    const answered = this.#underWay.get(request);
    if (answered === undefined) return;
    switch (outcome.kind) {
      case "ok":
        this.#finish(request, { type: "ok", result: outcome.value });
        return;
      case "refused":
        this.#finish(request, { type: "fail", error: outcome.error });
        return;
      case "retry":
        hasten(answered.attempts, nowUs, this.#setup.random);
        this.#underWay.reschedule(answered);
        return;
      case "sessionExpired":
        return;
      default:
        outcome satisfies never;
    }
  }

  /** Does what the time demands. */
  tick(nowUs: number): void {
    const { timing, random } = this.#setup;
    for (const underWay of this.#underWay.takeDue(nowUs)) {
      const { handle, deadlineUs, attempts } = underWay;
      if (nowUs >= deadlineUs) {
        this.#giveUp(handle);
        continue;
      }
      this.#requests.push({ board: this.#boards.get(handle) ?? null, request: attempts.request });
      nextAttempt(attempts, nowUs, timing, random);
      this.#underWay.reschedule(underWay);
    }
  }

  /** Somebody else leads now, or can be reached again. */
  hasten(nowUs: number): void {
    for (const underWay of this.#underWay.values()) {
      beginAnew(underWay.attempts, nowUs, this.#setup.timing);
      this.#underWay.reschedule(underWay);
    }
  }

  /** Hands out what has come up since the last time. */
  drain(): { readonly requests: readonly AddressedRequest[]; readonly finished: readonly FinishedCall[] } {
    const effects = { requests: this.#requests, finished: this.#finished };
    this.#requests = [];
    this.#finished = [];
    return effects;
  }

  /** When `tick` is next needed; `Infinity` if nothing is open. */
  nextDeadlineUs(): number {
    return this.#underWay.nextDueUs();
  }

  #giveUp(handle: number): void {
    const board = this.#boards.get(handle) ?? null;
    const waited = `within ${Math.round(this.#setup.deadlineUs / 1_000)} ms`;
    this.#finish(
      handle,
      board === null
        ? { type: "info", error: `No leader answered ${waited}.` }
        : { type: "fail", error: `${board} did not answer ${waited}.` },
    );
  }

  #finish(handle: number, outcome: CallOutcome): void {
    this.#underWay.delete(handle);
    this.#boards.delete(handle);
    this.#finished.push({ handle, outcome });
  }
}
