/** What is about to leave a board, by receiver: all that comes up in one turn of the event loop leaves in one payload. */

/** One list for each receiver, handed over as soon as the present turn is over. */
export class Outboxes<Receiver, Item> {
  readonly #waiting = new Map<Receiver, Item[]>();
  readonly #deliver: (receiver: Receiver, items: readonly Item[]) => void;
  #isScheduled = false;

  constructor(deliver: (receiver: Receiver, items: readonly Item[]) => void) {
    this.#deliver = deliver;
  }

  add(receiver: Receiver, item: Item): void {
    const waiting = this.#waiting.get(receiver);
    if (waiting !== undefined) waiting.push(item);
    else this.#waiting.set(receiver, [item]);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    process.nextTick(this.#flush);
  }

  readonly #flush = (): void => {
    this.#isScheduled = false;
    const all = [...this.#waiting];
    this.#waiting.clear();
    for (const [receiver, items] of all) this.#deliver(receiver, items);
  };
}
