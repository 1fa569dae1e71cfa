/** How many payloads were dropped, and why. */

import { type DropReason, dropReasons } from "./decoded.ts";

/** Counts what is dropped, by reason, from 0. */
export class DropCounters {
  readonly #counts = new Map<DropReason, number>(dropReasons.map((reason) => [reason, 0]));

  count(reason: DropReason): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
  }

  /** The counts as they are now; every reason stands there. */
  snapshot(): ReadonlyMap<DropReason, number> {
    return new Map(this.#counts);
  }
}
