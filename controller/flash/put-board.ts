/** Puts a board on a boot partition: its folder `adrift`, and what the system reads by itself. */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { BoardCard, CardFile } from "./board-card.ts";
import { CardFailure } from "./card-failure.ts";
import type { Fat } from "./fat.ts";
import { type FirstBoot, findFirstBoot, readText, type SystemSettings, writeText } from "./first-boot.ts";
import type { NodeArchive } from "./node-archive.ts";

/** What goes on a card beside the board's own description. */
export type PutSettings = {
  readonly card: BoardCard;
  /** The bundle, `board.mjs`. */
  readonly program: Uint8Array;
  /** A copy of Node for the board; `null`: it fetches the system's. */
  readonly node: NodeArchive | null;
  /** Whether it is given a log in which it has a vote: with it a cluster begins. */
  readonly founds: boolean;
  readonly sshKey: string | null;
  /** Which writing of a card this is: 32 hexadecimal digits. */
  readonly id: string;
  readonly now: Date;
};

const folder = "adrift";
const images = fileURLToPath(new URL("../../hardware/image/", import.meta.url));

const systemFiles = [
  "install-first-boot.sh",
  "first-boot.sh",
  "adrift-first-boot.service",
  "adrift.service",
  "adrift-back-off.conf",
  "adrift-update.conf",
  "adrift-update.sh",
  "adrift-update-receive.mjs",
  "adrift-update-trial.service",
  "sysusers.conf",
  "90-adrift.rules",
  "journald.conf",
  "watchdog.conf",
  "timesyncd.conf",
] as const;
const slowCableFile = "10-adrift-100mbps.link";
const consoleFile = "adrift-console.conf";

/** See the head of this file. `name` is what messages call the card. @throws {CardFailure} if the system is not known */
export function putBoard(boot: Fat, name: string, settings: PutSettings): void {
  const { card, id, sshKey } = settings;
  const firstBoot = findFirstBoot(boot, name);
  refuseWithoutNode(firstBoot, card, settings.node !== null);
  const system: SystemSettings = { hostname: card.board, address: card.address, sshKey, card: id };
  const extra = firstBoot.extraFiles(system).map(({ path, text }) => ({ path, content: Buffer.from(text) }));
  const files = [...boardFiles(settings), ...extra];
  boot.remove(folder);
  for (const { path, content } of files) boot.write(path, content);
  writeText(boot, `${folder}/SHA256SUMS`, sumsOf(files));
  boot.remove("adrift-failed.txt");
  if (card.hasConsole) freeSerialLine(boot);
  firstBoot.hook(boot, system);
}

/** A board that cannot come by Node would never start. @throws {CardFailure} */
export function refuseWithoutNode(firstBoot: FirstBoot, { board, address }: BoardCard, hasNode: boolean): void {
  if (hasNode || firstBoot.bringsNode) return;
  const download =
    "download Node 20.19 or later for Linux arm64 (node-v….tar.xz) from https://nodejs.org/dist/, and add --node FILE.";
  if (address !== null) {
    throw new CardFailure(
      `${board} has the fixed address ${address}, and so no way to the Internet by which it could fetch Node. Bring it along: ${download}`,
    );
  }
  if (firstBoot.kind === "firstrun") {
    throw new CardFailure(
      `${firstBoot.title} has only a Node that is too old for a board. Bring one along: ${download}`,
    );
  }
}

function boardFiles({ card, program, node, founds, id, now }: PutSettings): readonly CardFile[] {
  const text = (path: string, content: string): CardFile => ({
    path: `${folder}/${path}`,
    content: Buffer.from(content),
  });
  const names = [...systemFiles, ...(card.isSlow ? [slowCableFile] : []), ...(card.hasConsole ? [consoleFile] : [])];
  return [
    ...names.map((name) => ({ path: `${folder}/${name}`, content: readFileSync(`${images}${name}`) })),
    { path: `${folder}/board.mjs`, content: program },
    text("board.yaml", card.configuration),
    text("name", `${card.board}\n`),
    text("card", `${id}\n`),
    text("flashed-at", `${Math.floor(now.getTime() / 1000)}\n`),
    ...(founds ? [text("founds", `${card.board}\n`)] : []),
    ...(node === null ? [] : [{ path: `${folder}/node.tar.${node.packing}`, content: node.content }]),
    ...card.keys,
  ];
}

/** In the form of sha256sum, with paths from the folder on. */
function sumsOf(files: readonly CardFile[]): string {
  return files
    .map(({ path, content }) => {
      const sum = createHash("sha256").update(content).digest("hex");
      return `${sum}  ${path.slice(folder.length + 1)}\n`;
    })
    .join("");
}

/** What the kernel and a login would say on it would stand between what the board says. */
function freeSerialLine(boot: Fat): void {
  const commandLine = readText(boot, "cmdline.txt");
  writeText(boot, "cmdline.txt", commandLine.replace(/console=(serial0|ttyAMA0|ttyS0)(,\S+)? ?/, ""));
  const configuration = readText(boot, "config.txt");
  if (/^enable_uart=1$/m.test(configuration)) return;
  const joint = configuration === "" || configuration.endsWith("\n") ? "" : "\n";
  writeText(boot, "config.txt", `${configuration}${joint}\n[all]\nenable_uart=1\n`);
}
