/**
 * The card of a virtual board, as two disks: a copy of the image's root, in which only what differs is stored, and a boot
 * partition on which stands what `adrift flash` puts there. So a virtual board has the first boot of a real one.
 */

import { randomBytes } from "node:crypto";
import { closeSync, openSync, readFileSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { BoardConfiguration } from "../../../device/board/configuration.ts";
import { formatBoardConfiguration } from "../../../device/board/format-configuration.ts";
import { keyFiles } from "../../../device/mqtt/read-keys.ts";
import type { BoardCard } from "../../flash/board-card.ts";
import { Fat } from "../../flash/fat.ts";
import { putBoard } from "../../flash/put-board.ts";
import { run } from "../netns/ip.ts";
import type { BaseImage } from "./base-image.ts";
import type { Partition } from "./partitions.ts";

/** What makes a board of a card. */
export type BoardOnCard = {
  readonly configuration: BoardConfiguration;
  readonly address: string;
  /** The board's program. */
  readonly program: string;
  /** The folder of keys. */
  readonly keys: string;
  /** Whether the board founds the cluster; otherwise it asks to be taken in. */
  readonly founds: boolean;
};

/** What a card is made of. */
export type CardSettings = BoardOnCard & {
  /** Where both disks are made. */
  readonly folder: string;
  readonly image: BaseImage;
};

/** The two disks. */
export type Card = { readonly root: string; readonly boot: string };

const bootBytes = 32 * 1024 * 1024;
const sectorBytes = 512;

/** Where the keys stand on a board. */
export const keysOnBoard = (board: string): BoardConfiguration["keys"] => keyFiles("/etc/adrift/keys", board);

/** Makes a card; whatever was on an older one is gone. @throws {BenchFailure} */
export async function makeCard(settings: CardSettings): Promise<Card> {
  const { folder, image, configuration } = settings;
  const { board } = configuration;
  const card = { root: join(folder, `${board}.qcow2`), boot: join(folder, `${board}.boot`) };
  for (const path of [card.root, card.boot]) rmSync(path, { force: true });

  const sectors = String(bootBytes / sectorBytes);
  await run(["mformat", "-C", "-T", sectors, "-v", "RASPIFIRM", "-i", card.boot, "::"]);
  await run(["mcopy", "-i", card.boot, image.mark, "::/"]);
  putOnCard(card.boot, { offset: 0, size: bootBytes }, settings);

  const { path, root } = image;
  const base = `json:${JSON.stringify({ driver: "raw", ...root, file: { driver: "file", filename: path } })}`;
  await run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", base, card.root]);
  return card;
}

/** Puts a board on a boot partition of our own image, as `adrift flash` does. @throws {CardFailure} */
export function putOnCard(file: string, { offset, size }: Partition, settings: BoardOnCard): void {
  const bytes = Buffer.alloc(size);
  const descriptor = openSync(file, "r+");
  try {
    readSync(descriptor, bytes, 0, size, offset);
    const now = new Date();
    const partition = {
      read: (from: number, length: number) => bytes.subarray(from, from + length),
      write: (from: number, piece: Uint8Array) => bytes.set(piece, from),
    };
    putBoard(new Fat(partition, file, now), file, {
      card: boardCard(settings),
      program: readFileSync(settings.program),
      node: null,
      founds: settings.founds,
      sshKey: null,
      id: randomBytes(16).toString("hex"),
      now,
    });
    writeSync(descriptor, bytes, 0, size, offset);
  } finally {
    closeSync(descriptor);
  }
}

function boardCard({ configuration, address, keys }: BoardOnCard): BoardCard {
  const { board } = configuration;
  const files = Object.values(keyFiles(keys, board));
  return {
    ...{ board, address, hasConsole: false, isSlow: false },
    configuration: formatBoardConfiguration(configuration),
    keys: files.map((path) => ({
      path: `adrift/keys/${path.slice(keys.length + 1)}`,
      content: readFileSync(path),
    })),
  };
}
