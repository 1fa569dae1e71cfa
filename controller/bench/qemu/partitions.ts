/** Where the partitions of an image are, by its MBR. */

import { closeSync, openSync, readSync } from "node:fs";

/** A partition, in bytes. */
export type Partition = { readonly offset: number; readonly size: number };

const sectorBytes = 512;
const table = { offset: 446, entryBytes: 16, entries: 4 };

/** The partitions of an image, in the table's order; none if it has no MBR. */
export function findPartitions(image: string): readonly Partition[] {
  const sector = Buffer.alloc(sectorBytes);
  const file = openSync(image, "r");
  try {
    readSync(file, sector, 0, sectorBytes, 0);
  } finally {
    closeSync(file);
  }
  if (sector.readUInt16LE(sectorBytes - 2) !== 0xaa55) return [];
  const places = Array.from({ length: table.entries }, (_, index) => table.offset + index * table.entryBytes);
  return places
    .map((place) => ({
      offset: sector.readUInt32LE(place + 8) * sectorBytes,
      size: sector.readUInt32LE(place + 12) * sectorBytes,
    }))
    .filter(({ size }) => size > 0);
}
