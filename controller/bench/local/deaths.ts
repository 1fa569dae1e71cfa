/** The processes of a bench that died without having been told to: a run is judged by them. */

import type { Death } from "../bench.ts";
import type { ProcessChange } from "./supervised-process.ts";

/** So many of its last words tell why a process died. */
const linesMax = 3;

/** Notes deaths among all that becomes of processes. */
export class Deaths {
  readonly #deaths: Death[] = [];

  /** Those so far, in order. */
  get all(): readonly Death[] {
    return this.#deaths;
  }

  /** Something became of the process of this name. */
  note(name: string, change: ProcessChange, atUs: number): void {
    if (change.kind !== "died") return;
    const { reason, lines } = change;
    this.#deaths.push({ name, atUs, reason: [reason, ...lines.slice(-linesMax)].join("; ") });
  }
}
