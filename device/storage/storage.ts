/**
 * What a board's storage promises: the durable state of one consensus member (Figure 2, "persistent state", and its
 * snapshot, §5.1) as a write-ahead log over a `Disk`. Nothing here blocks: what takes time ends in a call of `done`,
 * always later, never within the call that asked.
 */

import type { Entry, HardState, LogIndex, Snapshot } from "../raft/types.ts";
import type { BootRecord } from "./boot-record.ts";
import type { DiskError, Done } from "./disk.ts";

/** Who opens a disk; it must carry the boot record of the same cluster and board. */
export type StorageIdentity = { readonly cluster: string; readonly board: string };

/** What may be chosen about a storage. */
export type StorageOptions = {
  /** A segment of the log that has grown to this size is followed by a new one. Default: 1 MiB. */
  readonly segmentBytesMax?: number;
};

/** What became of opening a disk. */
export type Opened =
  /** Nothing of ours is there: new, wiped, or never completely formatted. `formatStorage` makes it a member's disk. */
  | { readonly kind: "empty" }
  /** All that was ever acknowledged is there. */
  | {
      readonly kind: "ready";
      readonly storage: Storage;
      readonly boot: BootRecord;
      readonly recovered: Recovered;
    }
  /**
   * Something that was once durable, and perhaps acknowledged, is broken or gone. Nothing was changed. The member must
   * not vote again; its board may be formatted under a new identity and learn everything from the others.
   */
  | { readonly kind: "damaged"; readonly damage: Damage; readonly boot: BootRecord | null }
  /** The disk is in order, but not for us: of another board or cluster, or written by a newer version. Changed nothing. */
  | { readonly kind: "refused"; readonly file: string; readonly reason: string }
  /** The disk itself failed; nothing is known about what it holds. */
  | { readonly kind: "failed"; readonly error: DiskError };

/** Where a disk is broken, and how one can tell, in words for a person. */
export type Damage = { readonly file: string; readonly offset: number; readonly reason: string };

/** Bytes at the end of the log that were never flushed, hence never acknowledged, and have been cut off. */
export type TornTail = { readonly file: string; readonly offset: number; readonly bytesLost: number };

/** The durable state found at opening. */
export type Recovered = {
  readonly hardState: HardState;
  /** The newest snapshot, or `null` if the log goes back to its first entry. */
  readonly snapshot: Snapshot | null;
  /** Contiguous, up to the end of the log; entries that the snapshot covers may precede those after it. */
  readonly entries: readonly Entry[];
  readonly tornTail: TornTail | null;
  /** A newer snapshot that is broken, where the older one and the log still held everything. */
  readonly damagedSnapshot: Damage | null;
  /** Files that are not ours. They were left alone. */
  readonly foreignFiles: readonly string[];
};

/** What consensus wants durable, as one unit: after a crash all of it is there or (if not acknowledged) a prefix of it. */
export type SaveBatch = {
  /** The new hard state, or `null` if it is unchanged. */
  readonly hardState: HardState | null;
  /** Contiguous. An entry at or before the end of the log replaces what stood there and everything after it (§3.5). */
  readonly entries: readonly Entry[];
  /** A snapshot received from a leader: it replaces the whole log (§5.1, Figure 5.3); `entries` then follow it. */
  readonly snapshot: Snapshot | null;
};

/** How much there is, and how much was done. */
export type StorageStatistics = {
  /** Log and snapshots together. */
  readonly sizeBytes: number;
  readonly segments: number;
  /** What the log has grown by since the last snapshot was asked for or installed: a measure of when to compact. */
  readonly logBytesSinceSnapshot: number;
  /** Flushes of the log since opening, and the saves that they made durable: how many saves share a flush. */
  readonly flushes: number;
  readonly saves: number;
};

/** The durable state of a running member. */
export interface Storage {
  /**
   * Makes a batch durable. `done` calls come in the order of the saves. Saves that come while a flush is under way
   * gather and share the next one. After the first failure the storage is dead: that save and those waiting fail with the
   * same error, later ones do so within the call, and the board has to stop.
   *
   * Throws if the entries leave a gap in the log: that is a mistake of the caller, never of a disk.
   */
  save(batch: SaveBatch, done: Done<null>): void;

  /**
   * Keeps the board's own snapshot of an applied entry, and forgets the log up to it except for the last
   * `trailingEntries` entries that it covers (a little more stays: whole segments go). Waits for earlier saves, never
   * holds up later ones. A failure (a full disk, say) leaves everything as it was and hurts nobody.
   *
   * Throws if the log does not reach to the snapshot.
   */
  compact(snapshot: Snapshot, trailingEntries: number, done: Done<null>): void;

  /** The last index of the log, with all saves counted in that were asked for. */
  readonly lastIndex: LogIndex;

  /** What killed this storage, or `null` while it lives. */
  readonly failure: DiskError | null;

  statistics(): StorageStatistics;
}
