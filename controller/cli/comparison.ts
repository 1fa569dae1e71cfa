/** Compares a file with what it should hold, line by line as the lines come. */

/** The first line that is not the same; `null` where one of the two has come to its end. */
export type Difference = {
  readonly file: string;
  readonly line: number;
  readonly kept: string | null;
  readonly now: string | null;
};

/** Takes the lines of what there should be, one after the other, and keeps the first that is not there. */
export class Comparison {
  readonly #file: string;
  readonly #kept: string;
  #offset = 0;
  #line = 0;
  #difference: Difference | null = null;

  constructor(file: string, kept: string) {
    this.#file = file;
    this.#kept = kept;
  }

  /** The next line of what there should be. */
  add(now: string): void {
    if (this.#difference !== null) return;
    this.#line += 1;
    const line = `${now}\n`;
    if (this.#kept.startsWith(line, this.#offset)) this.#offset += line.length;
    else this.#differ(now);
  }

  /** There should be no more. The difference that was found, if any. */
  finish(): readonly Difference[] {
    if (this.#difference === null && this.#offset < this.#kept.length) {
      this.#line += 1;
      this.#differ(null);
    }
    return this.#difference === null ? [] : [this.#difference];
  }

  #differ(now: string | null): void {
    const isAtEnd = this.#offset >= this.#kept.length;
    const end = this.#kept.indexOf("\n", this.#offset);
    const kept = isAtEnd ? null : end === -1 ? this.#lastLine() : this.#kept.slice(this.#offset, end);
    this.#difference = { file: this.#file, line: this.#line, kept, now };
  }

  /** What stands after the last newline: as it differs by that alone, perhaps, it says so. */
  #lastLine(): string {
    return `${this.#kept.slice(this.#offset)} (and no newline after it)`;
  }
}
