/**
 * Gathers inputs: the first of a turn of the event loop is taken at once, so that a single message is never held up; what
 * else arrives in the same turn is taken together at its end, so that under load much travels in few payloads.
 */
export class Turn {
  readonly #take: (inputs: readonly (() => void)[]) => void;
  #waiting: (() => void)[] = [];
  #isUnderWay = false;

  /** `take` carries out inputs that belong together. */
  constructor(take: (inputs: readonly (() => void)[]) => void) {
    this.#take = take;
  }

  /** Something arrived. */
  input(input: () => void): void {
    if (this.#isUnderWay) {
      this.#waiting.push(input);
      return;
    }
    this.#isUnderWay = true;
    setImmediate(this.#end);
    this.#take([input]);
  }

  readonly #end = (): void => {
    const inputs = this.#waiting;
    this.#isUnderWay = false;
    if (inputs.length === 0) return;
    this.#waiting = [];
    this.#take(inputs);
  };
}
