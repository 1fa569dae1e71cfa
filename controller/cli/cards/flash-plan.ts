/** What `adrift flash` is asked to do, read and checked before anything is touched. */

import { readFileSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { type Bench, parseBench } from "../../../hardware/bench.ts";
import { unknownName } from "../../../hardware/suggestion.ts";
import { checkAddresses } from "../../flash/addresses.ts";
import { type BoardCard, boardCard } from "../../flash/board-card.ts";
import { decideFounding, type Founding } from "../../flash/card-record.ts";
import { type Drive, type DriveList, refusalOf } from "../../flash/drives.ts";
import { Fat } from "../../flash/fat.ts";
import { type FirstBoot, findFirstBoot } from "../../flash/first-boot.ts";
import { type ImageFile, openImage } from "../../flash/image-file.ts";
import { type NodeArchive, readNodeArchive } from "../../flash/node-archive.ts";
import { checkOutFile } from "../../flash/out-file.ts";
import { refuseWithoutNode } from "../../flash/put-board.ts";
import { findBench, unreadable } from "../files.ts";
import { UsageError } from "../shell.ts";

/** The options of `adrift flash`, as given. */
export type FlashOptions = {
  readonly image?: string;
  readonly drive?: readonly string[];
  readonly out?: readonly string[];
  readonly bench: string;
  readonly node?: string;
  readonly sshKey?: string;
  readonly found?: true;
  readonly join?: true;
  readonly yes?: true;
  readonly dryRun?: true;
};

/** Where a card's content goes. */
export type Destination =
  | { readonly kind: "drive"; readonly drive: Drive }
  | {
      readonly kind: "file";
      readonly path: string;
      readonly name: string;
      /** Whether a file that is there is replaced. */
      readonly replaces: boolean;
    };

/** All that is to be done. */
export type FlashPlan = {
  readonly bench: Bench;
  /** `null`: the cards hold a system already. */
  readonly image: ImageFile | null;
  /** Which kind of system is in the image; `null` where that shows on the card only. */
  readonly system: FirstBoot | null;
  readonly cards: readonly { readonly board: BoardCard; readonly destination: Destination; readonly founds: boolean }[];
  readonly founding: Founding;
  readonly node: (NodeArchive & { readonly name: string }) | null;
  readonly ssh: { readonly name: string; readonly key: string } | null;
};

/** Reads and checks. @throws {UsageError} or `CardFailure` with what to do now */
export async function planFlash(
  folder: string,
  boards: readonly string[],
  options: FlashOptions,
  listDrives: DriveList,
): Promise<FlashPlan> {
  const { name, text } = findBench(options.bench, folder);
  const bench = parseBench(text, name);
  const benchFolder = dirname(resolve(folder, options.bench));
  checkBoards(bench, boards);
  checkAddresses(bench);
  const places = pair(boards, options);
  if (options.found === true && options.join === true) {
    throw new UsageError(
      "--found and --join say opposite things: a new cluster, or one that goes on. Give one of them.",
    );
  }
  const intent = options.found === true ? "found" : options.join === true ? "join" : null;
  const founding = decideFounding(benchFolder, bench, boards, intent);
  const prepared = boards.map((board) => boardCard(bench, benchFolder, board, founding.founders));
  const node = options.node === undefined ? null : await readNode(folder, options.node);
  const ssh = readSshKey(folder, options.sshKey);

  const sources = [options.image, options.node, options.bench].flatMap((name) =>
    name === undefined ? [] : [resolve(folder, name)],
  );
  const files = places.kind === "file" ? outFiles(folder, places.names, sources) : null;
  const image = options.image === undefined ? null : await openImage(resolve(folder, options.image), options.image);
  const system = image === null ? null : systemIn(image);
  if (system !== null) for (const board of prepared) refuseWithoutNode(system, board, node !== null);
  const destinations = files ?? (await findDrives(folder, places.names, image, listDrives));
  const cards = prepared.map((board, at) => {
    const destination = destinations[at];
    if (destination === undefined) throw new Error("a board without a destination");
    return { board, destination, founds: founding.founds(board.board) };
  });
  return { bench, image, system, cards, founding, node, ssh };
}

function checkBoards(bench: Bench, boards: readonly string[]): void {
  const known = bench.boards.map(({ name }) => name);
  for (const [at, board] of boards.entries()) {
    if (!known.includes(board)) throw new UsageError(capitalized(unknownName(`board of ${bench.name}`, board, known)));
    if (boards.indexOf(board) < at) throw new UsageError(`${board} is named twice: each board has one card.`);
  }
}

type Places = { readonly kind: "drive" | "file"; readonly names: readonly string[] };

/** The first board goes to the first drive, the second to the second. */
function pair(boards: readonly string[], { drive = [], out = [], image }: FlashOptions): Places {
  if (drive.length > 0 && out.length > 0) {
    throw new UsageError("--drive and --out are two ways: write cards, or image files. Give one of them.");
  }
  if (out.length > 0 && image === undefined) {
    throw new UsageError("--out needs --image FILE: the system that the board's files are added to.");
  }
  const kind = out.length > 0 ? "file" : "drive";
  const names = kind === "file" ? out : drive;
  if (names.length === 0) {
    throw new UsageError(
      `Where is the card of ${boards[0]}? Give its drive, as in --drive /dev/sdb ("lsblk" lists the drives: the card's is the one ` +
        "that comes when you plug it in), or --out FILE for an image file.",
    );
  }
  if (names.length !== boards.length) {
    const example = boards.map(
      (_, at) => `--${kind === "file" ? `out card-${at + 1}.img` : `drive /dev/sd${"bcdefgh"[at] ?? "x"}`}`,
    );
    throw new UsageError(
      `${boards.length} boards (${boards.join(", ")}), but ${names.length} places (${names.join(", ")}): each board needs one, in the ` +
        `same order, as in: adrift flash ${boards.join(" ")} ${example.join(" ")}`,
    );
  }
  const twice = names.find((name, at) => names.indexOf(name) < at);
  if (twice !== undefined) throw new UsageError(`${twice} is named twice: each board needs a card of its own.`);
  return { kind, names };
}

/** Looked at before anything is written; `null` where an unusual image does not show it so early. */
function systemIn({ beginning, bootPartition, name }: ImageFile): FirstBoot | null {
  const read = (offset: number, length: number): Uint8Array => {
    const from = bootPartition.startBytes + offset;
    if (from + length > beginning.length) throw new TooFarIn();
    return beginning.subarray(from, from + length);
  };
  try {
    return findFirstBoot(new Fat({ read, write: () => undefined }, name, new Date(0)), name);
  } catch (error) {
    if (error instanceof TooFarIn) return null;
    throw error;
  }
}

class TooFarIn extends Error {}

function outFiles(folder: string, names: readonly string[], sources: readonly string[]): readonly Destination[] {
  const files = names.map((name) => {
    const { path, exists } = checkOutFile(resolve(folder, name), name, sources);
    return { kind: "file", name, path, replaces: exists } as const;
  });
  const twice = files.find((one, at) => files.findIndex(({ path }) => path === one.path) < at);
  if (twice !== undefined) throw new UsageError(`${twice.name} is named twice: each board needs an image of its own.`);
  return files;
}

async function findDrives(
  folder: string,
  names: readonly string[],
  image: ImageFile | null,
  listDrives: DriveList,
): Promise<readonly Destination[]> {
  const drives = await listDrives();
  const found = names.map((name) => {
    const path = realPath(resolve(folder, name));
    const drive = drives.find((each) => each.path === path);
    if (drive === undefined) throw new UsageError(noSuchDrive(name, drives));
    const refusal = refusalOf(drive, image?.sizeBytes ?? null);
    if (refusal !== null) throw new UsageError(refusal);
    return { kind: "drive", drive } as const;
  });
  const twice = found.find((one, at) => found.findIndex(({ drive }) => drive.path === one.drive.path) < at);
  if (twice !== undefined)
    throw new UsageError(`${twice.drive.path} is named twice: each board needs a card of its own.`);
  return found;
}

function noSuchDrive(name: string, drives: readonly Drive[]): string {
  const cards = drives.filter((drive) => refusalOf(drive, null) === null).map(({ path }) => path);
  const there = cards.length === 0 ? "No card is plugged in." : `These could be cards: ${cards.join(", ")}.`;
  return `${name} is no drive of this machine. ${there}`;
}

/** What a link such as /dev/disk/by-id/... leads to. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

async function readNode(folder: string, given: string): Promise<FlashPlan["node"]> {
  return { ...(await readNodeArchive(resolve(folder, given), given)), name: basename(given) };
}

/** The key that is named, or the usual one if there is one. A private key is never put on a card. */
function readSshKey(folder: string, given: string | undefined): FlashPlan["ssh"] {
  const name = given ?? join(homedir(), ".ssh", "id_ed25519.pub");
  let key: string;
  try {
    key = readFileSync(resolve(folder, name), "utf8");
  } catch (error) {
    if (given === undefined) return null;
    throw unreadable(name, error);
  }
  if (/^(ssh-|ecdsa-|sk-)\S+ [A-Za-z0-9+/=]+/m.test(key) && !/PRIVATE KEY/.test(key)) return { name, key };
  throw new UsageError(
    `${name} holds no public SSH key (one line that begins with ssh-ed25519 or the like). Name the .pub file.`,
  );
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
