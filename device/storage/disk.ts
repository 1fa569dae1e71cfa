/**
 * The little that storage asks of a disk.
 *
 * Nothing here blocks and nothing returns a promise: what takes time ends in a call of `done`, always later, never
 * within the call that asked (so the host decides when and in which order things complete). A `Disk` belongs to one
 * board; names are plain file names in one flat folder (`[a-z0-9.-]+`).
 */

/** Why an operation failed, in words for a person: what, which file, what to do. `full` is the one worth knowing apart. */
export type DiskError = { readonly kind: "full" | "missing" | "failed"; readonly message: string };

/** What an operation ends with. */
export type DiskResult<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: DiskError };

/** Told, exactly once, how an operation has ended. */
export type Done<Value> = (result: DiskResult<Value>) => void;

/** The disk of one board. */
export interface Disk {
  /** The names of all files, sorted. */
  list(done: Done<readonly string[]>): void;

  /**
   * A whole file. Fails with `missing` if there is none. One that was appended to when its process or its power ended may
   * have zeros behind what was appended: room that the disk had made for more.
   */
  read(file: string, done: Done<Uint8Array>): void;

  /**
   * Adds bytes at the end of a file, which is created if need be. Says nothing: until a later `flush` of the file has
   * succeeded the bytes may be lost, whole or in part, in any order, at a power cut. The caller leaves `bytes` alone.
   */
  append(file: string, bytes: Uint8Array): void;

  /**
   * Succeeds once everything appended to `file` before this call, and the file's name itself, would survive a power
   * cut. If it fails, what was appended since the last success is in an unknown state and must not be relied on.
   */
  flush(file: string, done: Done<null>): void;

  /** Puts `bytes` in the place of the whole file, durably and at once: after a power cut it is the old or the new. */
  replace(file: string, bytes: Uint8Array, done: Done<null>): void;

  /** Removes a file, durably. Succeeds if there is none. */
  remove(file: string, done: Done<null>): void;
}
