/** A disk that can be told to be bad, for benches that have no bad disk at hand. */

import type { Disk, DiskError, Done } from "../../storage/disk.ts";
import type { DiskCondition } from "../orders.ts";

/** A disk, and the hand on it. */
export type FaultyDisk = {
  readonly disk: Disk;
  /** From now on the disk is in this condition. What a stalled disk held back ends once it stalls no longer, in order. */
  setCondition(condition: DiskCondition): void;
};

/** Puts a hand on a disk. */
export function createFaultyDisk(disk: Disk): FaultyDisk {
  let condition: DiskCondition = { kind: "healthy" };
  const heldBack: (() => void)[] = [];
  /** Files of which bytes found no room. They stay broken, room or not: a gap must never be followed by more. */
  const broken = new Set<string>();

  function end(tell: () => void): void {
    if (condition.kind === "stalled") heldBack.push(tell);
    else tell();
  }

  /** `done`, unless the disk stalls when the operation ends. */
  function unlessStalled<Value>(done: Done<Value>): Done<Value> {
    return (result) => end(() => done(result));
  }

  /** The same for what waits for the card. */
  function slowed(done: Done<null>): Done<null> {
    if (condition.kind !== "slow") return unlessStalled(done);
    const endMs = performance.now() + condition.flushUs / 1000;
    return (result) => {
      const leftMs = Math.max(0, Math.ceil(endMs - performance.now()));
      setTimeout(() => end(() => done(result)), leftMs);
    };
  }

  function refuse(file: string, done: Done<null>): void {
    setImmediate(() => end(() => done({ ok: false, error: full(file) })));
  }

  return {
    setCondition(next) {
      condition = next;
      while (condition.kind !== "stalled") {
        const tell = heldBack.shift();
        if (tell === undefined) return;
        tell();
      }
    },
    disk: {
      list: (done) => disk.list(unlessStalled(done)),
      read: (file, done) => disk.read(file, unlessStalled(done)),
      append(file, bytes) {
        if (condition.kind === "full") broken.add(file);
        if (!broken.has(file)) disk.append(file, bytes);
      },
      flush(file, done) {
        if (condition.kind === "full") broken.add(file);
        if (broken.has(file)) refuse(file, done);
        else disk.flush(file, slowed(done));
      },
      replace(file, bytes, done) {
        if (condition.kind === "full") {
          refuse(file, done);
          return;
        }
        broken.delete(file);
        disk.replace(file, bytes, slowed(done));
      },
      remove(file, done) {
        broken.delete(file);
        disk.remove(file, unlessStalled(done));
      },
    },
  };
}

function full(file: string): DiskError {
  return { kind: "full", message: `${file} could not be written: the disk was told to be full.` };
}
