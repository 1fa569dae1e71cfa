/** Leases: what holds for a while and then ends by itself. */

/** For how long each thing still holds. */
export class Leases {
  readonly #onEnd: (name: string) => void;
  readonly #leases = new Map<string, { readonly endsMs: number; readonly timer: NodeJS.Timeout }>();

  /** @param onEnd called when a lease runs out */
  constructor(onEnd: (name: string) => void) {
    this.#onEnd = onEnd;
  }

  /** From now on this holds for so long, whatever was said of it before; `null`: until somebody ends it. */
  hold(name: string, lastsMs: number | null): void {
    this.end(name);
    if (lastsMs === null) return;
    const timer = setTimeout(() => {
      this.#leases.delete(name);
      this.#onEnd(name);
    }, lastsMs);
    this.#leases.set(name, { endsMs: performance.now() + lastsMs, timer });
  }

  /** It ends before its time, and nothing is called. */
  end(name: string): void {
    clearTimeout(this.#leases.get(name)?.timer);
    this.#leases.delete(name);
  }

  endAll(): void {
    for (const name of [...this.#leases.keys()]) this.end(name);
  }

  /** How long it still holds; `null` if there is no lease of that name. */
  remainingMs(name: string): number | null {
    const lease = this.#leases.get(name);
    return lease === undefined ? null : Math.max(0, Math.round(lease.endsMs - performance.now()));
  }
}
