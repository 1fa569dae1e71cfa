/** The requests that were sent and are not answered, and when something must be done about which. */

import { Agenda, type Due } from "./agenda.ts";
import type { Attempts } from "./attempts.ts";

/** A request that was sent, for whom, and until when an answer to it is of use. */
export type UnderWay<Sent> = {
  readonly handle: number;
  readonly deadlineUs: number;
  readonly attempts: Attempts<Sent>;
};

/**
 * See the head of this file. Whoever changes when a request is sent next says so (`reschedule`); the agenda then holds
 * it twice, and the older note is known by its time, which is no longer right.
 */
export class UnderWayTable<Sent extends { readonly request: number }> {
  readonly #byNumber = new Map<number, UnderWay<Sent>>();
  readonly #agenda = new Agenda();

  get size(): number {
    return this.#byNumber.size;
  }

  get(request: number): UnderWay<Sent> | undefined {
    return this.#byNumber.get(request);
  }

  add(underWay: UnderWay<Sent>): void {
    this.#byNumber.set(underWay.attempts.request.request, underWay);
    this.reschedule(underWay);
  }

  delete(request: number): void {
    this.#byNumber.delete(request);
  }

  values(): Iterable<UnderWay<Sent>> {
    return this.#byNumber.values();
  }

  reschedule(underWay: UnderWay<Sent>): void {
    this.#agenda.add({ atUs: dueUs(underWay), request: underWay.attempts.request.request });
    // Notes about what is answered stay until their time has come, or until they are the greater part.
    if (this.#agenda.size > 2 * this.#byNumber.size + notesKept) this.#agenda.keep((due) => this.#isTrue(due));
  }

  /** When something must be done next; `Infinity` if nothing is under way. */
  nextDueUs(): number {
    for (let due = this.#agenda.first; due !== undefined; due = this.#agenda.first) {
      if (this.#isTrue(due)) return due.atUs;
      this.#agenda.removeFirst();
    }
    return Number.POSITIVE_INFINITY;
  }

  /** Those that are due, in the order of their numbers. Each must then be deleted or rescheduled for later. */
  takeDue(nowUs: number): readonly UnderWay<Sent>[] {
    const taken = new Set<UnderWay<Sent>>();
    for (let due = this.#agenda.first; due !== undefined && due.atUs <= nowUs; due = this.#agenda.first) {
      const underWay = this.#byNumber.get(due.request);
      if (underWay !== undefined && this.#isTrue(due)) taken.add(underWay);
      this.#agenda.removeFirst();
    }
    return [...taken].sort((one, other) => one.attempts.request.request - other.attempts.request.request);
  }

  #isTrue({ request, atUs }: Due): boolean {
    const underWay = this.#byNumber.get(request);
    return underWay !== undefined && dueUs(underWay) === atUs;
  }
}

const notesKept = 64;

function dueUs({ deadlineUs, attempts }: UnderWay<unknown>): number {
  return Math.min(deadlineUs, attempts.nextAtUs);
}
