/** Plays the patterns of lights, step by step. */

import type { Pattern } from "./led-patterns.ts";

/** Has a callback called after so many milliseconds; what it gives calls that off. */
export type Later = (afterMs: number, callback: () => void) => () => void;

/** Plays one pattern at a time. A board that hangs stops playing, and so its lights do not say that it lives. */
export class PatternPlayer {
  readonly #light: (lit: boolean) => void;
  readonly #later: Later;
  #pattern: Pattern | null = null;
  #callOff: () => void = () => undefined;

  /** `light` switches the light on and off. */
  constructor(light: (lit: boolean) => void, later: Later = laterOnThisMachine) {
    this.#light = light;
    this.#later = later;
  }

  /** Begins a pattern; the one that is played already goes on undisturbed. `null`: dark. */
  play(pattern: Pattern | null): void {
    if (pattern === this.#pattern) return;
    this.stop();
    this.#pattern = pattern;
    if (pattern === null) this.#light(false);
    else this.#step(pattern, 0);
  }

  /** Leaves the light as it is. */
  stop(): void {
    this.#callOff();
    this.#callOff = () => undefined;
    this.#pattern = null;
  }

  #step(pattern: Pattern, at: number): void {
    const forMs = pattern[at] ?? 0;
    const next = (at + 1) % pattern.length;
    if (forMs > 0) this.#light(at % 2 === 0);
    if (next === at) return;
    this.#callOff = this.#later(forMs, () => this.#step(pattern, next));
  }
}

function laterOnThisMachine(afterMs: number, callback: () => void): () => void {
  const timer = setTimeout(callback, afterMs).unref();
  return () => clearTimeout(timer);
}
