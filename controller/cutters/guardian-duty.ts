/** What a guardian does: it waits for the end of its controller, or for a lease that runs out, and heals. */

import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { isAlive, type ProcessIdentity, parseIdentity } from "../../device/board/disk/process-identity.ts";
import { type LedgerRecord, readLedger } from "./ledger.ts";
import { healEntry } from "./ledger-heal.ts";

/** How often the leases of a controller that lives are looked at. */
const lookEveryMs = 1_000;
/**
 * A controller that lives has this much longer for a lease that has run out: after the laptop was closed and opened, both
 * wake up at once.
 */
const graceMs = 3_000;
/** For so long it tries to heal. What is left then, the next run or `adrift heal` finds in the ledger. */
const healMsMax = 300_000;
const pauseMsMin = 100;
const pauseMsMax = 5_000;

/**
 * Stands guard until nothing of this controller is cut any more and it has gone.
 *
 * @param identity the controller, as `parseIdentity` reads it
 */
export async function stand(folder: string, identity: string): Promise<void> {
  const owner = parseIdentity(identity);
  if (owner === null) throw new Error(`${identity} names no process.`);
  process.stdin.resume();
  process.stdin.on("error", () => undefined);
  const ended = once(process.stdin, "end");
  // The drivers are loaded before they are needed in a hurry.
  process.stdout.on("error", () => undefined);
  process.stdout.write("ready\n");
  await Promise.race([ended, watchLeases(folder, owner)]);
  await healAllOf(folder, owner);
}

/** Resolves when a lease has run out and was not renewed: the controller hangs, and has been ended. */
async function watchLeases(folder: string, owner: ProcessIdentity): Promise<void> {
  for (;;) {
    await sleep(lookEveryMs);
    if (!(await hasOverdue(folder, owner))) continue;
    await sleep(graceMs);
    if (!(await hasOverdue(folder, owner))) continue;
    // As long as it lives it has the devices, and might cut again whatever is healed. So it ends first.
    if (await isAlive(owner)) end(owner);
    return;
  }
}

async function hasOverdue(folder: string, owner: ProcessIdentity): Promise<boolean> {
  const nowMs = Date.now();
  return (await recordsOf(folder, owner)).some(({ untilMs }) => untilMs < nowMs);
}

function end({ pid }: ProcessIdentity): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has just gone.
  }
}

/** Heals what the controller has left, again and again. While it still lives, as it does at its end, it heals by itself. */
async function healAllOf(folder: string, owner: ProcessIdentity): Promise<void> {
  const untilMs = performance.now() + healMsMax;
  for (let pauseMs = pauseMsMin; performance.now() < untilMs; pauseMs = Math.min(2 * pauseMs, pauseMsMax)) {
    const records = await recordsOf(folder, owner);
    if (records.length === 0) return;
    if (await isAlive(owner)) pauseMs = pauseMsMin / 2;
    else await Promise.all(byDevice(records).map((each) => healInTurn(folder, each)));
    await sleep(Math.min(pauseMs, untilMs - performance.now()));
  }
}

/** Devices are healed side by side, what is behind one of them in turn. */
function byDevice(records: readonly LedgerRecord[]): readonly (readonly LedgerRecord[])[] {
  const groups = new Map<string, LedgerRecord[]>();
  for (const record of records) {
    const key = record.entry.devices.join();
    groups.set(key, [...(groups.get(key) ?? []), record]);
  }
  return [...groups.values()];
}

async function healInTurn(folder: string, records: readonly LedgerRecord[]): Promise<void> {
  // What cannot be healed now is tried again.
  for (const record of records) await healEntry(folder, record).catch(() => undefined);
}

async function recordsOf(folder: string, owner: ProcessIdentity): Promise<readonly LedgerRecord[]> {
  const files = await readLedger(folder);
  return files.flatMap((file) => (file.entry !== null && isSame(file.entry.owner, owner) ? [file] : []));
}

function isSame(one: ProcessIdentity, other: ProcessIdentity): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
