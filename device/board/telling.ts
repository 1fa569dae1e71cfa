/** What a board tells of itself while it works: its flight recorder, its event topic, and the times of its commits. */

import type { Observer, ReplicaEvent } from "../replica/host.ts";
import type { Happening } from "./happening.ts";

/** Commits are told this often at most. */
const commitEveryUs = 250_000;
/** Beyond so many saves under way their times are not measured. */
const proposalsMax = 10_000;

/** What telling takes. */
export type TellingSettings = {
  readonly nowUs: () => number;
  readonly tell: (happening: Happening) => void;
  /** From an entry's way to this board's disk to the moment when it is applied. */
  readonly commitTook: (us: number) => void;
};

/** Watches a replica from inside. */
export class Telling implements Observer {
  readonly #settings: TellingSettings;
  /** The last entry of each save, and when the save began; oldest first. */
  #saves: { readonly lastIndex: number; readonly atUs: number }[] = [];
  #commitToldUs = Number.NEGATIVE_INFINITY;
  /** The latest commit, if it is not told yet. */
  #untold: Extract<ReplicaEvent, { readonly type: "committed" }> | null = null;

  constructor(settings: TellingSettings) {
    this.#settings = settings;
  }

  event(event: ReplicaEvent): void {
    if (event.type === "committed") {
      this.#untold = event;
      this.tellCommit(commitEveryUs);
      return;
    }
    // What was committed before this event is to stand before it.
    this.tellCommit(0);
    this.#settings.tell({ kind: "replica", event });
  }

  /** Tells the latest commit, if it is not told and the last one that was is older than this. */
  tellCommit(olderThanUs: number): void {
    const nowUs = this.#settings.nowUs();
    if (this.#untold === null || nowUs - this.#commitToldUs < olderThanUs) return;
    this.#commitToldUs = nowUs;
    const event = this.#untold;
    this.#untold = null;
    this.#settings.tell({ kind: "replica", event });
  }

  saving({ entries }: Parameters<Observer["saving"]>[0]): void {
    const last = entries.at(-1);
    if (last === undefined || this.#saves.length >= proposalsMax) return;
    this.#saves.push({ lastIndex: last.index, atUs: this.#settings.nowUs() });
  }

  applied(entry: Parameters<Observer["applied"]>[0]): void {
    const first = this.#saves[0];
    if (first === undefined || entry.index < first.lastIndex) return;
    this.#saves.shift();
    if (entry.index === first.lastIndex) this.#settings.commitTook(this.#settings.nowUs() - first.atUs);
  }

  restored(): void {
    this.#saves = [];
  }

  saved(): void {}

  compacted(): void {}
}
