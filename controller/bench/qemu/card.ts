/**
 * The card of a virtual board, as two disks: a copy of the image's root, in which only what differs is stored, and a boot
 * partition with the files that `adrift flash` puts there. So a virtual board has the first boot of a real one.
 */

import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BoardConfiguration } from "../../../device/board/configuration.ts";
import { formatBoardConfiguration } from "../../../device/board/format-configuration.ts";
import { keyFiles } from "../../../device/mqtt/read-keys.ts";
import { run } from "../netns/ip.ts";
import type { BaseImage } from "./base-image.ts";

/** The files that make a board of a card. */
export type CardFiles = {
  readonly configuration: BoardConfiguration;
  /** The board's program. */
  readonly program: string;
  /** The folder of keys. */
  readonly keys: string;
  /** For systemd-networkd. */
  readonly network: string;
  /** Whether the board founds the cluster; otherwise it asks to be taken in. */
  readonly founds: boolean;
};

/** What a card is made of. */
export type CardSettings = CardFiles & {
  /** Where both disks are made. */
  readonly folder: string;
  readonly image: BaseImage;
};

/** The two disks. */
export type Card = { readonly root: string; readonly boot: string };

const services = fileURLToPath(new URL("../../../hardware/image/", import.meta.url));
const serviceFiles = [
  "90-adrift.rules",
  "adrift-back-off.conf",
  "adrift.service",
  "journald.conf",
  "sysusers.conf",
  "timesyncd.conf",
  "watchdog.conf",
];
const bootBytes = 32 * 1024 * 1024;

/** Where the keys stand on a board. */
export const keysOnBoard = (board: string): BoardConfiguration["keys"] => keyFiles("/etc/adrift/keys", board);

/** Makes a card; whatever was on an older one is gone. @throws {BenchFailure} */
export async function makeCard(settings: CardSettings): Promise<Card> {
  const { folder, image, configuration } = settings;
  const { board } = configuration;
  const card = { root: join(folder, `${board}.qcow2`), boot: join(folder, `${board}.boot`) };
  const files = join(folder, `${board}.files`);
  for (const path of [card.root, card.boot, files]) rmSync(path, { recursive: true, force: true });

  writeCardFiles(join(files, "adrift"), settings);
  await run(["mformat", "-C", "-T", String(bootBytes / 512), "-v", "RASPIFIRM", "-i", card.boot, "::"]);
  await run(["mcopy", "-s", "-i", card.boot, join(files, "adrift"), "::/"]);
  rmSync(files, { recursive: true });

  const { path, root } = image;
  const base = `json:${JSON.stringify({ driver: "raw", ...root, file: { driver: "file", filename: path } })}`;
  await run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", base, card.root]);
  return card;
}

/** Writes the folder `adrift` of a boot partition. */
export function writeCardFiles(folder: string, settings: CardFiles): void {
  const { configuration, program, keys, network, founds } = settings;
  const { board } = configuration;
  mkdirSync(join(folder, "keys"), { recursive: true, mode: 0o700 });
  for (const file of serviceFiles) copyFileSync(join(services, file), join(folder, file));
  copyFileSync(program, join(folder, "board.mjs"));
  for (const file of Object.values(keyFiles(keys, board))) {
    copyFileSync(file, join(folder, "keys", file.slice(file.lastIndexOf("/") + 1)));
  }
  const texts: Readonly<Record<string, string>> = {
    "board.yaml": formatBoardConfiguration(configuration),
    "50-adrift.network": network,
    card: `${board} ${Date.now()}\n`,
    "flashed-at": `${Math.floor(Date.now() / 1_000)}\n`,
    hostname: `${board}\n`,
    name: `${board}\n`,
    ...(founds ? { founds: "" } : {}),
  };
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), text, { mode: 0o600 });
  writeFileSync(join(folder, "SHA256SUMS"), checksums(folder));
}

function checksums(folder: string): string {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files
    .map(({ parentPath, name }) => join(parentPath, name))
    .map((path) => `${sha256(path)}  ./${path.slice(folder.length + 1)}\n`)
    .join("");
}

function sha256(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}
