/** What is due when: a binary heap, the earliest first, and of those at the same time the lowest request. */

/** A request that something must be done about, and when. */
export type Due = { readonly atUs: number; readonly request: number };

/** See the head of this file. What was put in is not taken out again when it changes: whoever asks must know. */
export class Agenda {
  #heap: Due[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** The earliest. */
  get first(): Due | undefined {
    return this.#heap[0];
  }

  add(due: Due): void {
    this.#heap.push(due);
    this.#rise(this.#heap.length - 1);
  }

  /** Takes the earliest out. */
  removeFirst(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink(0);
  }

  /** Forgets what nobody needs to be reminded of any more. */
  keep(isNeeded: (due: Due) => boolean): void {
    this.#heap = this.#heap.filter(isNeeded);
    for (let position = Math.floor(this.#heap.length / 2) - 1; position >= 0; position -= 1) this.#sink(position);
  }

  #rise(from: number): void {
    let position = from;
    while (position > 0) {
      const parent = (position - 1) >> 1;
      if (!this.#swapIfEarlier(position, parent)) return;
      position = parent;
    }
  }

  #sink(from: number): void {
    let position = from;
    for (;;) {
      const left = 2 * position + 1;
      const right = left + 1;
      const earlier = this.#isEarlier(right, left) ? right : left;
      if (!this.#swapIfEarlier(earlier, position)) return;
      position = earlier;
    }
  }

  #swapIfEarlier(one: number, other: number): boolean {
    if (!this.#isEarlier(one, other)) return false;
    const [due, otherDue] = [this.#heap[one], this.#heap[other]];
    if (due === undefined || otherDue === undefined) return false;
    this.#heap[one] = otherDue;
    this.#heap[other] = due;
    return true;
  }

  /** Whether there is something at `one` that comes before what is at `other`. */
  #isEarlier(one: number, other: number): boolean {
    const [due, otherDue] = [this.#heap[one], this.#heap[other]];
    if (due === undefined || otherDue === undefined) return false;
    return due.atUs < otherDue.atUs || (due.atUs === otherDue.atUs && due.request < otherDue.request);
  }
}
