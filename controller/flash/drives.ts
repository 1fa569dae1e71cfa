/** The drives of this machine, and which of them may be written over. */

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import * as z from "zod/mini";
import { CardFailure } from "./card-failure.ts";

/** A whole drive, as the system sees it. */
export type Drive = {
  /** `/dev/sdb`. */
  readonly path: string;
  readonly kind: string;
  readonly sizeBytes: number;
  readonly model: string;
  /** By which it is joined: `usb`, `mmc`, `sata`, ...; `null` where the system does not say. */
  readonly transport: string | null;
  readonly isRemovable: boolean;
  readonly isReadOnly: boolean;
  /** The labels of its file systems. */
  readonly labels: readonly string[];
  /** Where it, or a part of it, is mounted. */
  readonly mountPoints: readonly string[];
};

/** Lists what drives there are. */
export type DriveList = () => Promise<readonly Drive[]>;

/** Larger is no card, but somebody's disk. What is sold as 512 GB has up to this much. */
const cardBytesMax = 513_000_000_000;

/** Why a drive must not be written, in a sentence with what to do; `null` if it may be. */
export function refusalOf(drive: Drive, neededBytes: number | null): string | null {
  const { path, mountPoints } = drive;
  if (drive.kind !== "disk") {
    return `${path} is no whole drive (${drive.kind}): name the drive itself, such as /dev/sdb or /dev/mmcblk0.`;
  }
  if (drive.sizeBytes === 0) return `${path} is empty: no card is in the reader. Put one in.`;
  if (mountPoints.some((place) => place === "/" || place.startsWith("/boot") || place === "[SWAP]")) {
    return `${path} is the drive from which this machine runs. Name the card's.`;
  }
  const isCardReader = drive.isRemovable || drive.transport === "usb" || drive.transport === "mmc";
  if (!isCardReader) return `${path} (${drive.model}) cannot be removed, so it is no card. Name the card's drive.`;
  if (drive.sizeBytes > cardBytesMax) {
    return `${path} (${drive.model}) has ${gigabytes(drive.sizeBytes)}: too large for a card. Name the card's drive.`;
  }
  if (mountPoints.length > 0) {
    return `${path} is in use: it is mounted at ${mountPoints.join(", ")}. Unmount it (umount ${mountPoints.join(" ")}), and try again.`;
  }
  if (drive.isReadOnly) return `${path} is read-only: push the small switch at the edge of the card's adapter up.`;
  if (neededBytes !== null && drive.sizeBytes < neededBytes) {
    return `${path} has ${gigabytes(drive.sizeBytes)}, but the image needs ${gigabytes(neededBytes)}. Take a larger card.`;
  }
  return null;
}

/** A drive in a few words: what a person recognizes it by. */
export function describeDrive({ path, model, sizeBytes, labels }: Drive): string {
  const names = labels.length === 0 ? "no labels" : `labels: ${labels.join(", ")}`;
  return `${path}  ${gigabytes(sizeBytes)}  ${model}  (${names})`;
}

/** A size for people. */
export function gigabytes(sizeBytes: number): string {
  if (sizeBytes < 1e9) return `${(sizeBytes / 1e6).toFixed(1)} MB`;
  return `${(sizeBytes / 1e9).toFixed(1)} GB`;
}

const columns = "PATH,TYPE,SIZE,MODEL,VENDOR,RM,HOTPLUG,RO,TRAN,LABEL,MOUNTPOINTS";
const listMsMax = 10_000;

const device = z.object({
  path: z.string(),
  type: z.string(),
  size: z.nullable(z.number()),
  model: z.nullable(z.string()),
  vendor: z.nullable(z.string()),
  rm: z.boolean(),
  hotplug: z.boolean(),
  ro: z.boolean(),
  tran: z.nullable(z.string()),
  label: z.nullable(z.string()),
  mountpoints: z.array(z.nullable(z.string())),
  get children() {
    return z.optional(z.array(device));
  },
});
const listing = z.object({ blockdevices: z.array(device) });

type Device = z.output<typeof device>;

/** The drives of this machine, by lsblk. @throws {CardFailure} where there is none. */
export async function listDrives(): Promise<readonly Drive[]> {
  const run = promisify(execFile);
  const { stdout } = await run("lsblk", ["--json", "--bytes", "--output", columns], { timeout: listMsMax }).catch(
    (error: unknown) => {
      throw new CardFailure(
        `The drives of this machine cannot be listed (${error instanceof Error ? error.message.trim() : String(error)}). ` +
          "Cards are written on Linux, with lsblk of util-linux 2.37 or later; elsewhere write an image with --out, and put it on the card " +
          "with Raspberry Pi Imager (no customisation).",
      );
    },
  );
  return parseListing(stdout);
}

/** Reads what lsblk prints. */
export function parseListing(text: string): readonly Drive[] {
  return listing.parse(JSON.parse(text)).blockdevices.flatMap((each) => driveOf(each));
}

/** A drive; and its parts, so that whoever names one of them is told what it is. */
function driveOf(found: Device): readonly Drive[] {
  const parts = partsOf(found);
  const drive: Drive = {
    path: found.path,
    kind: found.type === "loop" ? "disk" : found.type,
    sizeBytes: found.size ?? 0,
    model:
      [found.vendor, found.model]
        .map((word) => word?.trim() ?? "")
        .join(" ")
        .trim() || "unnamed",
    transport: found.tran ?? (/^\/dev\/mmcblk\d+$/.test(found.path) ? "mmc" : null),
    isRemovable: found.rm || found.hotplug,
    isReadOnly: found.ro,
    labels: parts.flatMap(({ label }) => (label === null ? [] : [label])),
    mountPoints: parts.flatMap(({ mountpoints }) => mountpoints.filter((place) => place !== null)),
  };
  return [drive, ...(found.children ?? []).flatMap((child) => driveOf(child))];
}

function partsOf(found: Device): readonly Device[] {
  return [found, ...(found.children ?? []).flatMap((child) => partsOf(child))];
}
