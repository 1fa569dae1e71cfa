/**
 * The simulated disk: a board's card, and the operating system's memory before it.
 *
 * What is appended is in memory at once and on the card only after a flush. A process that dies leaves the memory as it
 * is; a power cut leaves of it what chance decides. Everything follows from the injected generator and schedule.
 */

import type { Random } from "../device/random.ts";
import type { Disk, DiskResult, Done } from "../device/storage/index.ts";
import { flipBit, SimFile } from "./disk-file.ts";
import type { RangeUs } from "./mqtt-timing.ts";

/** What a simulated disk needs. */
export type SimDiskOptions = {
  /** Has something happen so many microseconds later, in virtual time. */
  readonly schedule: (delayUs: number, completion: () => void) => void;
  readonly random: Random;
  readonly timing: DiskTiming;
};

/** How long an operation takes; a value from the first to the second is drawn each time. */
export type DiskTiming = {
  readonly flushUs: RangeUs;
  /** Replacing or removing a file: flushes of the file and of the folder. */
  readonly changeUs: RangeUs;
  /** Reading a file, or the list of files. */
  readonly readUs: RangeUs;
};

/** A good disk: what `fdatasync` takes on Linux with a solid-state one. */
export const goodDiskTiming: DiskTiming = { flushUs: [200, 1_000], changeUs: [400, 2_000], readUs: [50, 200] };

/** A byte that has changed by itself. */
export type RottenByte = { readonly file: string; readonly offset: number };

/** A replacement or removal on its way. */
type Change = { readonly file: string; readonly bytes: Uint8Array | null };

/** The disk of one simulated board, through all its boots, and the faults that it can suffer. */
export class SimDisk {
  readonly #schedule: SimDiskOptions["schedule"];
  readonly #random: Random;
  readonly #timing: DiskTiming;
  readonly #files = new Map<string, SimFile>();
  /** Asked for, and not yet done: at a cut each may have happened or not. */
  readonly #changes = new Set<Change>();
  /** Counts the boots. What an earlier boot asked for never arrives, and it can ask for nothing more. */
  #epoch = 0;
  #stalled = false;
  /** What would have ended while the disk was stalled. */
  #held: (() => void)[] = [];
  #slowness = 1;
  #full = false;
  #corruptsNextRead = false;
  #flushes = 0;

  constructor(options: SimDiskOptions) {
    this.#schedule = options.schedule;
    this.#random = options.random;
    this.#timing = options.timing;
  }

  /** The disk as the process sees it that is started now; it works until the process or the power goes. */
  mount(): Disk {
    const epoch = this.#epoch;
    const timing = this.#timing;
    return {
      list: (done) => this.#later(epoch, timing.readUs, () => done(success([...this.#files.keys()].sort()))),
      read: (file, done) => this.#later(epoch, timing.readUs, () => done(this.#read(file))),
      append: (file, bytes) => this.#append(epoch, file, bytes),
      flush: (file, done) => this.#flush(epoch, file, done),
      replace: (file, bytes, done) => this.#change(epoch, { file, bytes: bytes.slice() }, done),
      remove: (file, done) => this.#change(epoch, { file, bytes: null }, done),
    };
  }

  /** The power goes. What was not flushed is lost, torn anywhere, or there with holes; nothing under way is reported. */
  cutPower(): void {
    this.#endBoot();
    for (const [name, file] of this.#files) if (!file.cutPower(this.#random)) this.#files.delete(name);
  }

  /** The process goes. The operating system keeps what was appended; nothing under way is reported. */
  crashProcess(): void {
    this.#endBoot();
  }

  /** A new, empty card. */
  wipe(): void {
    this.#endBoot();
    this.#files.clear();
  }

  /** Nothing ends any more until `resume`. */
  stall(): void {
    this.#stalled = true;
  }

  resume(): void {
    this.#stalled = false;
    const held = this.#held;
    this.#held = [];
    for (const completion of held) this.#schedule(0, completion);
  }

  /** From now on everything takes so many times as long; 1 is the usual speed. */
  setSlowness(factor: number): void {
    this.#slowness = factor;
  }

  /** A full disk takes no more bytes; it still reads and removes. */
  setFull(full: boolean): void {
    this.#full = full;
  }

  /** One bit of what has long been durable flips. `null` if there is nothing of the kind. */
  rot(): RottenByte | null {
    const perishable = [...this.#files].filter(([, file]) => file.perishableLength > 0);
    const total = perishable.reduce((sum, [, file]) => sum + file.perishableLength, 0);
    if (total === 0) return null;
    let offset = this.#random.between(0, total);
    for (const [name, file] of perishable) {
      if (offset < file.perishableLength) {
        file.rot(offset, this.#random.between(0, 8));
        return { file: name, offset };
      }
      offset -= file.perishableLength;
    }
    return null;
  }

  /** The next file that is read comes back with a flipped bit, which the disk itself does not have. */
  corruptNextRead(): void {
    this.#corruptsNextRead = true;
  }

  /** What would surely be there after a power cut now, by file. */
  durableContent(): ReadonlyMap<string, Uint8Array> {
    const durable = new Map<string, Uint8Array>();
    for (const [name, file] of this.#files) {
      const content = file.durableContent();
      if (content !== null) durable.set(name, content);
    }
    return durable;
  }

  /** How many flushes have succeeded so far. */
  get flushes(): number {
    return this.#flushes;
  }

  #append(epoch: number, name: string, bytes: Uint8Array): void {
    if (epoch !== this.#epoch) return;
    let file = this.#files.get(name);
    if (file === undefined) {
      file = SimFile.appended();
      this.#files.set(name, file);
    }
    if (this.#full || file.overflowed) {
      // As much as there was room for: anything from nothing to all but the last byte.
      if (!file.overflowed) file.append(bytes.subarray(0, this.#random.between(0, Math.max(bytes.length, 1))));
      file.overflowed = true;
    } else {
      file.append(bytes);
    }
  }

  #flush(epoch: number, name: string, done: Done<null>): void {
    if (epoch !== this.#epoch) return;
    const file = this.#files.get(name);
    const length = file?.length ?? 0;
    const overflowed = file?.overflowed ?? false;
    if (file !== undefined) file.overflowed = false;
    this.#later(epoch, this.#timing.flushUs, () => {
      if (file === undefined) {
        done(missing(name));
      } else if (overflowed) {
        done(full(name));
      } else {
        file.flushed(length);
        this.#flushes += 1;
        done(nothing);
      }
    });
  }

  #change(epoch: number, change: Change, done: Done<null>): void {
    if (epoch !== this.#epoch) return;
    this.#changes.add(change);
    this.#later(epoch, this.#timing.changeUs, () => {
      this.#changes.delete(change);
      if (this.#full && change.bytes !== null) {
        done(full(change.file));
      } else {
        this.#carryOut(change);
        done(nothing);
      }
    });
  }

  #carryOut({ file, bytes }: Change): void {
    if (bytes === null) this.#files.delete(file);
    else this.#files.set(file, SimFile.replaced(bytes));
  }

  #read(name: string): DiskResult<Uint8Array> {
    const file = this.#files.get(name);
    if (file === undefined) return missing(name);
    const content = file.content();
    if (this.#corruptsNextRead && file.perishableLength > 0) {
      this.#corruptsNextRead = false;
      flipBit(content, this.#random.between(0, file.perishableLength), this.#random.between(0, 8));
    }
    return success(content);
  }

  /** Ends an operation of a boot after its time, unless the boot has ended by then; not while the disk is stalled. */
  #later(epoch: number, [minUs, maxUs]: RangeUs, completion: () => void): void {
    if (epoch !== this.#epoch) return;
    const delayUs = this.#random.between(minUs, maxUs + 1) * this.#slowness;
    this.#schedule(delayUs, () => this.#arrive(epoch, completion));
  }

  #arrive(epoch: number, completion: () => void): void {
    if (epoch !== this.#epoch) return;
    if (this.#stalled) this.#held.push(() => this.#arrive(epoch, completion));
    else completion();
  }

  #endBoot(): void {
    this.#epoch += 1;
    this.#held = [];
    for (const change of this.#changes) {
      const roomForIt = change.bytes === null || !this.#full;
      if (roomForIt && this.#random.chance(1, 2)) this.#carryOut(change);
    }
    this.#changes.clear();
  }
}

const nothing: DiskResult<null> = { ok: true, value: null };

function success<Value>(value: Value): DiskResult<Value> {
  return { ok: true, value };
}

function missing(file: string): DiskResult<never> {
  return { ok: false, error: { kind: "missing", message: `There is no file ${file} on the simulated disk.` } };
}

function full(file: string): DiskResult<never> {
  const message = `The simulated disk is full: ${file} could not be written. Make room, or heal the fault.`;
  return { ok: false, error: { kind: "full", message } };
}
