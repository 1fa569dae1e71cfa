/** What a board of a scripted cluster has on disk, and the saves on their way there. */

import type { Save } from "../effects.ts";
import type { RecoveredLog } from "../log.ts";
import type { Entry, HardState, Message, Snapshot } from "../types.ts";

/** A save under way and the messages that wait for it. */
export type PendingSave = { readonly save: Save | null; readonly id: number; readonly held: readonly Message[] };

/** Durable state in memory: what is pending is lost in a crash, what is durable is not. */
export class MemoryDisk {
  hardState: HardState = { term: 0, votedFor: null };
  pending: PendingSave[] = [];
  #snapshot: Snapshot | null = null;
  #entries: Entry[] = [];

  constructor(start?: { readonly hardState: HardState; readonly log: RecoveredLog }) {
    if (start === undefined) return;
    this.hardState = start.hardState;
    this.#snapshot = start.log.snapshot;
    this.#entries = [...start.log.entries];
  }

  get log(): RecoveredLog {
    return { snapshot: this.#snapshot, entries: this.#entries };
  }

  /** The oldest save becomes durable. */
  complete(): PendingSave | undefined {
    const oldest = this.pending.shift();
    if (oldest?.save) this.#write(oldest.save);
    return oldest;
  }

  /** The board's own snapshot, with some entries below it kept. */
  compact(snapshot: Snapshot, trailing: number): void {
    this.#snapshot = snapshot;
    this.#entries = this.#entries.filter((entry) => entry.index > snapshot.index - trailing);
  }

  #write(save: Save): void {
    if (save.hardState !== null) this.hardState = save.hardState;
    if (save.snapshot !== null) {
      this.#snapshot = save.snapshot;
      this.#entries = [];
    }
    const first = save.entries[0];
    if (first === undefined) return;
    this.#entries = [...this.#entries.filter((entry) => entry.index < first.index), ...save.entries];
  }
}

/** The commands that a scripted board's snapshot stands for. */
export function stateOf(snapshot: Snapshot | null): string[] {
  return snapshot === null || snapshot.data === "" ? [] : snapshot.data.split(";");
}
