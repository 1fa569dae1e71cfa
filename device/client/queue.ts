/** First come, first served: a list that is as quick with many items as with few. */

/** See the head of this file. */
export class Queue<Item> {
  #items: Item[] = [];
  /** Where the first item stands; those before it have been taken out. */
  #start = 0;

  get size(): number {
    return this.#items.length - this.#start;
  }

  get first(): Item | undefined {
    return this.#items[this.#start];
  }

  add(item: Item): void {
    this.#items.push(item);
  }

  /** Takes the first item out. */
  removeFirst(): void {
    if (this.size === 0) return;
    this.#start += 1;
    // Moving what is left only once it is the smaller part keeps the cost of an item constant.
    if (2 * this.#start > this.#items.length) this.#restart(this.#items.slice(this.#start));
  }

  /** Takes out, in their order, the items of which this is true. */
  removeAll(isMeant: (item: Item) => boolean): readonly Item[] {
    const items = this.#items.slice(this.#start);
    this.#restart(items.filter((item) => !isMeant(item)));
    return items.filter(isMeant);
  }

  #restart(items: Item[]): void {
    this.#items = items;
    this.#start = 0;
  }
}
