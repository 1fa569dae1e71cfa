/**
 * The ledger: what programs of this user have cut, on disk before any device is told, until the device itself says that it
 * is whole again. Whoever finds an entry whose owner is dead knows what to heal, and how to reach the device.
 *
 * An entry is a file of its own, so that processes do not meet in one, and a damaged file is one entry. It is written once.
 * To renew a lease is to touch the file: that needs no room on the disk and cannot damage anything.
 */

import { randomBytes } from "node:crypto";
import { readdir, readFile, stat, utimes } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { errorCode } from "../../device/board/disk/data-folder-error.ts";
import { Folder, makeFolder } from "../../device/board/disk/folder.ts";
import { isAlive, type ProcessIdentity } from "../../device/board/disk/process-identity.ts";
import { crc32c } from "../../device/crc32c.ts";
import type { Bench } from "../../hardware/bench.ts";
import type { CutDirection } from "../../sim/network-types.ts";
import { CutterFailure } from "./cutter.ts";
import type { HostPlace } from "./surroundings.ts";

/** What an entry says. It holds no password, only the file in which one stands. */
export type LedgerEntry = {
  /** The process that cut it and renews the lease. */
  readonly owner: ProcessIdentity;
  /** The lease runs out so long after it was last renewed. */
  readonly leaseMs: number;
  readonly what: LeasedThing;
  /** The devices that have to be told, as `devices.ts` names them. */
  readonly devices: readonly string[];
  readonly bench: Bench;
  /** Where relative paths of the bench's file begin. */
  readonly folder: string;
  /** The machines of the bench on which commands have to be run, by their names. */
  readonly hosts: Readonly<Record<string, HostPlace>>;
};

/** What can be left behind: a cut cable, a board without power, or something that a broker withholds. */
export type LeasedThing =
  | { readonly kind: "cable"; readonly cable: string; readonly direction: CutDirection }
  | { readonly kind: "power"; readonly board: string }
  | { readonly kind: "pair"; readonly from: string; readonly to: string };

/** A file of the ledger. */
export type LedgerFile =
  | { readonly path: string; readonly entry: LedgerEntry; readonly untilMs: number }
  /** It is there and cannot be read; `reason` says why. */
  | { readonly path: string; readonly entry: null; readonly reason: string };

/** A file of the ledger that can be read. */
export type LedgerRecord = Extract<LedgerFile, { readonly untilMs: number }>;

/** Where the ledger stands unless a bench has one of its own: it survives the machine's restart, as a closed port does. */
export function usualLedgerFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const { XDG_STATE_HOME: stateHome = "" } = environment;
  return join(stateHome === "" ? join(homedir(), ".local", "state") : stateHome, "adrift", "cuts");
}

/** See the head of this file. */
export class Ledger {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Makes the folder if need be; nobody else may enter it. @throws {CutterFailure} */
  static async open(folder: string): Promise<Ledger> {
    try {
      await makeFolder(folder);
      await refuseStrangers(folder);
    } catch (error) {
      throw ledgerFailure(folder, error);
    }
    return new Ledger(folder);
  }

  /** Puts an entry into the ledger; resolves with its path when no power cut can take it away. @throws {CutterFailure} */
  async add(entry: LedgerEntry): Promise<string> {
    const name = `${nameOf(entry.what)}-${randomBytes(6).toString("hex")}${suffix}`;
    try {
      const folder = await Folder.open(this.folder);
      await folder.replace(name, encode(entry)).finally(() => folder.close());
    } catch (error) {
      throw ledgerFailure(this.folder, error);
    }
    return join(this.folder, name);
  }

  /** Removes an entry, durably. An entry that is not there is no failure. @throws {CutterFailure} */
  async remove(path: string): Promise<void> {
    try {
      const folder = await Folder.open(this.folder);
      await folder.remove(path.slice(this.folder.length + 1)).finally(() => folder.close());
    } catch (error) {
      if (errorCode(error) !== "ENOENT") throw ledgerFailure(this.folder, error);
    }
  }

  /** What the ledger says. */
  list(): Promise<readonly LedgerFile[]> {
    return readLedger(this.folder);
  }
}

/** Lets the lease of an entry begin anew. @throws if the entry is gone */
export async function renewEntry(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now);
}

/** What a ledger says; nothing if there is none. */
export async function readLedger(folder: string): Promise<readonly LedgerFile[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw ledgerFailure(folder, error);
  }
  const files = await Promise.all(
    names
      .filter((name) => name.endsWith(suffix))
      .sort()
      .map((name) => readEntry(join(folder, name))),
  );
  return files.filter((file) => file !== null);
}

/** The entries whose owners have died without healing. */
export async function abandoned(files: readonly LedgerFile[]): Promise<readonly LedgerRecord[]> {
  const records = files.filter((file): file is LedgerRecord => file.entry !== null);
  const lives = await Promise.all(records.map(({ entry }) => isAlive(entry.owner)));
  return records.filter((_, index) => lives[index] === false);
}

/** For people: `the cable pi-3 of the bench rack`. */
export function describeThing({ what, bench }: LedgerEntry): string {
  return `${wordsFor(what)} of the bench ${bench.name}`;
}

function wordsFor(what: LeasedThing): string {
  switch (what.kind) {
    case "cable":
      return `the cable ${what.cable}`;
    case "power":
      return `the power of ${what.board}`;
    case "pair":
      return `what ${what.from} says to ${what.to}`;
    default:
      return what satisfies never;
  }
}

const suffix = ".cut";
const heading = "adrift-cut 1";

/** An entry is its checksum and then one line of JSON, so that whatever is read back is what was written. */
function encode(entry: LedgerEntry): Uint8Array {
  const json = JSON.stringify(entry);
  return Buffer.from(`${heading} ${checksum(json)}\n${json}\n`);
}

async function readEntry(path: string): Promise<LedgerFile | null> {
  try {
    const { mtimeMs } = await stat(path);
    const entry = decode(await readFile(path, "utf8"));
    return { path, entry, untilMs: mtimeMs + entry.leaseMs };
  } catch (error) {
    if (errorCode(error) === "ENOENT") return null;
    return { path, entry: null, reason: error instanceof Error ? error.message : String(error) };
  }
}

function decode(text: string): LedgerEntry {
  const [head = "", json = ""] = text.split("\n");
  if (!head.startsWith("adrift-cut ")) throw new Error("it does not begin as an entry does");
  if (!head.startsWith(`${heading} `)) throw new Error("another version of Adrift wrote it");
  if (head !== `${heading} ${checksum(json)}`)
    throw new Error("its checksum is wrong, so a part of it is damaged or lost");
  // By its checksum this is, to the letter, what `encode` made of an entry.
  return JSON.parse(json) as LedgerEntry;
}

function checksum(json: string): string {
  const bytes = Buffer.from(json);
  return crc32c(bytes, 0, bytes.length).toString(16).padStart(8, "0");
}

function nameOf(what: LeasedThing): string {
  switch (what.kind) {
    case "cable":
      return `cable-${what.cable}`;
    case "power":
      return `power-${what.board}`;
    case "pair":
      return `pair-${what.from}-${what.to}`;
    default:
      return what satisfies never;
  }
}

/** Names in the ledger decide what is told to devices: nobody else may put one there. */
async function refuseStrangers(folder: string): Promise<void> {
  const { uid, mode } = await stat(folder);
  if (uid === process.getuid?.() && (mode & 0o077) === 0) return;
  throw new CutterFailure(
    `${folder}: others may enter this folder, in which stands what is cut. Make it yours alone: chmod 700 ${folder}`,
  );
}

function ledgerFailure(folder: string, error: unknown): CutterFailure {
  if (error instanceof CutterFailure) return error;
  const cause = error instanceof Error ? error.message : String(error);
  const remedy = remedies[errorCode(error)] ?? "Put that right, or set XDG_STATE_HOME to a folder where you may write.";
  return new CutterFailure(
    `What is cut is written down before it is cut, in ${folder}, and that failed (${cause}). ${remedy}`,
  );
}

const remedies: Readonly<Record<string, string>> = {
  ENOSPC: "There is no space left: make room on this disk.",
  EDQUOT: "This user's share of the disk is used up: make room.",
};
