/** The partition table in the first sector of a card (MBR). */

import { CardFailure } from "./card-failure.ts";

/** Where a partition lies. */
export type Partition = { readonly type: number; readonly startBytes: number; readonly sizeBytes: number };

const sectorBytes = 512;
const tableAt = 446;
const entryBytes = 16;
const fatTypes: ReadonlySet<number> = new Set([0x04, 0x06, 0x0b, 0x0c, 0x0e]);
/** The one entry of a table that only protects a GPT. */
const protectiveType = 0xee;

/** The boot partition: the first of type FAT. @throws {CardFailure} if there is none. `name` is for the message. */
export function findBootPartition(firstSector: Uint8Array, name: string): Partition {
  const partitions = readPartitions(firstSector, name);
  const boot = partitions.find(({ type }) => fatTypes.has(type));
  if (boot !== undefined) return boot;
  throw new CardFailure(
    `${name} has no boot partition (FAT), so it is not Raspberry Pi OS. Take Raspberry Pi OS Lite (64-bit) from ` +
      "https://www.raspberrypi.com/software/operating-systems/.",
  );
}

/** Where the last partition ends. @throws {CardFailure} if there is no partition table. `name` is for the message. */
export function endOfPartitions(firstSector: Uint8Array, name: string): number {
  return Math.max(0, ...readPartitions(firstSector, name).map(({ startBytes, sizeBytes }) => startBytes + sizeBytes));
}

function readPartitions(firstSector: Uint8Array, name: string): readonly Partition[] {
  const view = new DataView(firstSector.buffer, firstSector.byteOffset, firstSector.byteLength);
  if (view.byteLength < sectorBytes || view.getUint16(510, true) !== 0xaa55) {
    throw new CardFailure(
      `${name} does not begin with a partition table: it is no image of a card, or its writing was cut off. Write it ` +
        "again with --image and Raspberry Pi OS Lite (64-bit).",
    );
  }
  const entries = [0, 1, 2, 3].map((index) => {
    const at = tableAt + index * entryBytes;
    return {
      type: view.getUint8(at + 4),
      startBytes: view.getUint32(at + 8, true) * sectorBytes,
      sizeBytes: view.getUint32(at + 12, true) * sectorBytes,
    };
  });
  if (entries.some(({ type }) => type === protectiveType)) {
    throw new CardFailure(`${name} has a GPT partition table; a Raspberry Pi's card has an MBR. Take another image.`);
  }
  return entries.filter(({ type, sizeBytes }) => type !== 0 && sizeBytes > 0);
}
