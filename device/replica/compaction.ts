/** When a board takes a snapshot of its machines and forgets the log before it: each board at its own moment (§5.1). */

import type { MachineHost } from "../machine/host.ts";
import type { Raft, Snapshot } from "../raft/index.ts";
import type { Storage } from "../storage/index.ts";
import type { ReplicaOptions } from "./options.ts";

/** Counts what came since the last snapshot, and takes the next one in time. */
export class Compaction {
  readonly #raft: Raft;
  readonly #machines: MachineHost;
  readonly #storage: Storage;
  readonly #options: ReplicaOptions;
  #entries: number;
  #underWay = false;

  constructor(raft: Raft, machines: MachineHost, storage: Storage, options: ReplicaOptions) {
    this.#raft = raft;
    this.#machines = machines;
    this.#storage = storage;
    this.#options = options;
    this.#entries = raft.lastIndex - raft.snapshotIndex;
  }

  /** So many entries were applied, one after the other. */
  applied(count: number): void {
    this.#entries += count;
  }

  /** A snapshot from the leader took the place of the log. */
  restored(): void {
    this.#entries = 0;
  }

  /** Takes a snapshot if enough came since the last one. `begun` hears of it at once, `ended` once it is on disk. */
  takeIfDue(begun: (snapshot: Snapshot) => void, ended: (snapshot: Snapshot) => void): void {
    const index = this.#raft.appliedIndex;
    if (this.#underWay || index <= this.#raft.snapshotIndex || !this.#isDue()) return;
    const { trailingEntries } = this.#options;
    const snapshot = this.#raft.compact(index, this.#machines.snapshot(), trailingEntries);
    this.#entries = 0;
    this.#underWay = true;
    begun(snapshot);
    this.#storage.compact(snapshot, trailingEntries, (result) => {
      this.#underWay = false;
      if (result.ok) ended(snapshot);
    });
  }

  #isDue(): boolean {
    const { snapshotAfterEntries, snapshotAfterBytes } = this.#options;
    if (this.#entries >= snapshotAfterEntries) return true;
    return this.#storage.statistics().logBytesSinceSnapshot >= snapshotAfterBytes;
  }
}
