/** How much memory processes hold, as Linux tells it. */

import { readFileSync } from "node:fs";

/** Resident memory of a process in bytes; `null` where nobody can tell. */
export function residentBytes(pid: number): number | null {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kilobytes === undefined ? null : 1_024 * Number(kilobytes);
  } catch {
    return null;
  }
}

/** Looks at processes again and again, and remembers the most that each member ever held. */
export class MemoryWatch {
  readonly #most = new Map<string, number>();
  readonly #members: () => ReadonlyMap<string, number>;
  readonly #timer: NodeJS.Timeout;

  /** @param members the processes to look at, by name */
  constructor(members: () => ReadonlyMap<string, number>) {
    this.#members = members;
    this.#timer = setInterval(() => this.#look(), 100);
    this.#look();
  }

  /** Stops looking. The most bytes that any member held; `null` where nobody can tell. */
  stop(): number | null {
    clearInterval(this.#timer);
    return this.#most.size === 0 ? null : Math.max(...this.#most.values());
  }

  #look(): void {
    for (const [name, pid] of this.#members()) {
      const bytes = residentBytes(pid);
      if (bytes !== null) this.#most.set(name, Math.max(bytes, this.#most.get(name) ?? 0));
    }
  }
}
