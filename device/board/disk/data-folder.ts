/**
 * The folder in which a board keeps what must outlive its process:
 *
 *     log/      the log and the snapshots
 *     flight/   the flight recorder
 *     boot      how often the board has started
 *     lock/     who uses the folder now
 */

import { access, constants, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type BootRecord, bootFile, decodeBootRecord } from "../../storage/boot-record.ts";
import type { DiskResult } from "../../storage/disk.ts";
import { formatStorage } from "../../storage/index.ts";
import { sealText, unsealText } from "../../storage/sealed-text.ts";
import { DataFolderError, errorCode, folderError } from "./data-folder-error.ts";
import { openFileDisk } from "./file-disk.ts";
import { Folder, makeFolder, unfinishedSuffix } from "./folder.ts";
import { takeFolderLock } from "./folder-lock.ts";

/** A data folder that this process alone uses. */
export type DataFolder = {
  /** For `openFileDisk`. */
  readonly logFolder: string;
  readonly flightFolder: string;
  /** A number that grows with each start of the board, over a lost disk too unless the clock is far behind. */
  readonly boot: number;
  /** Lets another process have the folder. */
  close(): Promise<void>;
};

/**
 * Takes a data folder, which is made if need be, and counts the start. Rejects with a `DataFolderError` if it cannot be
 * used, or if another board uses it.
 */
export async function openDataFolder(path: string): Promise<DataFolder> {
  try {
    await makeFolder(path);
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
    const lock = await takeFolderLock(join(path, "lock"));
    try {
      const logFolder = join(path, logName);
      const flightFolder = join(path, "flight");
      await makeFolder(logFolder);
      await makeFolder(flightFolder);
      const boot = await countStart(path);
      return { logFolder, flightFolder, boot, close: () => lock.release() };
    } catch (error) {
      await lock.release();
      throw error;
    }
  } catch (error) {
    throw folderError(path, error);
  }
}

/** Whether there is nothing in a data folder yet, or no such folder. */
export async function isEmptyDataFolder(path: string): Promise<boolean> {
  try {
    const names = await readdir(path);
    // Every new file system of the ext family has this folder.
    return names.every((name) => name === "lost+found");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return true;
    throw folderError(path, error);
  }
}

/**
 * Makes the data folder of a board that has never run: its log is empty, and the board votes under its own name. Rejects
 * with a `DataFolderError` if the folder holds anything, since what it holds may be a promise that a board has made.
 */
export async function provision(
  path: string,
  { cluster, board }: { readonly cluster: string; readonly board: string },
): Promise<void> {
  if (!(await isEmptyDataFolder(path))) {
    throw new DataFolderError(
      `${path}: the folder is not empty. Choose another one, or, if no board will ever need what it holds, empty it.`,
    );
  }
  const disk = await openFileDisk(join(path, logName));
  try {
    const formatted = await new Promise<DiskResult<null>>((resolve) => {
      formatStorage(disk, { cluster, board, member: board }, resolve);
    });
    if (!formatted.ok) throw new DataFolderError(formatted.error.message);
  } finally {
    await disk.close();
  }
}

/** Whose log a data folder holds. `none`: a board that starts on it has promised nothing; `unreadable`: damaged. */
export type FoundLog = BootRecord | "none" | "unreadable";

/** Finds out whose log a data folder holds, which need not be there, and changes nothing. */
export async function findLog(path: string): Promise<FoundLog> {
  const logFolder = join(path, logName);
  try {
    const names = (await readdir(logFolder)).filter((name) => !name.endsWith(unfinishedSuffix));
    if (!names.includes(bootFile)) return names.length === 0 ? "none" : "unreadable";
    const read = decodeBootRecord(await readFile(join(logFolder, bootFile)));
    if (read.kind !== "whole") return "unreadable";
    return read.state === "formatted" ? read.boot : "none";
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return "none";
    throw folderError(logFolder, error);
  }
}

const logName = "log";
const bootName = "boot";
const sealKind = "adrift-boot-number";

/** Counts this start, durably. A board whose disk was wiped goes on from the clock, beyond all that it counted before. */
async function countStart(path: string): Promise<number> {
  const clockSeconds = Math.floor(Date.now() / 1000);
  const boot = Math.max((await readBoot(join(path, bootName))) + 1, clockSeconds);
  const folder = await Folder.open(path);
  try {
    await folder.clean();
    await folder.replace(bootName, sealText(sealKind, `${boot}\n`));
  } finally {
    await folder.close();
  }
  return boot;
}

/** The number of the last start; 0 if there was none. */
async function readBoot(file: string): Promise<number> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return 0;
    throw error;
  }
  const unsealed = unsealText(sealKind, bytes);
  if (unsealed.kind === "newer") {
    throw new DataFolderError(`${file}: ${unsealed.reason}. Install the version of adrift that ran here last.`);
  }
  const digits = unsealed.kind === "whole" ? /^(\d{1,15})\n$/.exec(unsealed.text)?.[1] : undefined;
  if (digits !== undefined) return Number(digits);
  const reason = unsealed.kind === "broken" ? unsealed.reason : "it holds no number";
  throw new DataFolderError(
    `${file}: the file is damaged: ${reason}. See that this machine's clock is right and remove the file: the board then counts on from the clock.`,
  );
}
