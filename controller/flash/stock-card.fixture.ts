/** Cards in memory, made without any tool, for quick tests. */

import { gzipSync } from "node:zlib";
import { type Bytes, HeldBack } from "./bytes.ts";
import { Fat } from "./fat.ts";

/** An empty FAT file system with clusters of one sector. */
export function formatFat(bits: 16 | 32, clusterCount: number): { readonly bytes: Bytes; readonly sizeBytes: number } {
  const bytes = new HeldBack({ read: (_offset, length) => new Uint8Array(length) });
  const tableSectors = Math.ceil(((clusterCount + 2) * bits) / 8 / 512);
  const reservedSectors = bits === 32 ? 32 : 1;
  const rootEntries = bits === 32 ? 0 : 512;
  const sectors = reservedSectors + 2 * tableSectors + rootEntries / 16 + clusterCount;
  const boot = new Uint8Array(512);
  const view = new DataView(boot.buffer);
  view.setUint16(11, 512, true);
  view.setUint8(13, 1);
  view.setUint16(14, reservedSectors, true);
  view.setUint8(16, 2);
  view.setUint16(17, rootEntries, true);
  view.setUint32(32, sectors, true);
  view.setUint16(22, bits === 16 ? tableSectors : 0, true);
  if (bits === 32) {
    view.setUint32(36, tableSectors, true);
    view.setUint32(44, 2, true);
    view.setUint16(48, 1, true);
  }
  view.setUint16(510, 0xaa55, true);
  bytes.write(0, boot);
  const first = new Uint8Array(bits === 32 ? 12 : 4).fill(0xff);
  for (let copy = 0; copy < 2; copy += 1) bytes.write((reservedSectors + copy * tableSectors) * 512, first);
  return { bytes, sizeBytes: sectors * 512 };
}

const startBytes = 1 << 20;
/** Behind the boot partition, as long as the test says nothing else. */
const rootBytes = 1 << 20;

/** An image like that of Raspberry Pi OS, but small: a boot partition with these files, and another one. */
export function stockImage(files: Readonly<Record<string, string>>): Uint8Array {
  const { bytes, sizeBytes } = formatFat(16, 8_000);
  const fat = new Fat(bytes, "stock", new Date(0));
  for (const [path, text] of Object.entries(files)) fat.write(path, Buffer.from(text));
  fat.save();
  const image = new Uint8Array(startBytes + sizeBytes + rootBytes).fill(0x5a);
  image.fill(0, 0, 512);
  image.set(bytes.read(0, sizeBytes), startBytes);
  const view = new DataView(image.buffer);
  writePartition(view, 0, 0x0c, startBytes, sizeBytes);
  writePartition(view, 1, 0x83, startBytes + sizeBytes, rootBytes);
  view.setUint16(510, 0xaa55, true);
  return image;
}

/** The boot partition of an image that `stockImage` made. */
export function bootOf(image: Uint8Array): Fat {
  const read = (offset: number, length: number): Uint8Array =>
    image.subarray(startBytes + offset, startBytes + offset + length);
  return new Fat({ read, write: () => undefined }, "image", new Date(0));
}

/** The files of Raspberry Pi OS with cloud-init, as far as they matter. */
export const cloudInitFiles = {
  "config.txt": "arm_64bit=1\n",
  "cmdline.txt": "console=serial0,115200 console=tty1 root=PARTUUID=1234abcd-02 rootwait ds=nocloud;i=stock\n",
  "user-data": "#cloud-config\n",
  "meta-data": "instance-id: stock\n",
  "network-config": "network: { version: 2 }\n",
} as const;

/** Those of Raspberry Pi OS before that. */
export const firstRunFiles = {
  "config.txt": "arm_64bit=1\n",
  "cmdline.txt": "console=serial0,115200 console=tty1 root=PARTUUID=1234abcd-02 rootwait init=/usr/lib/firstboot\n",
} as const;

function writePartition(view: DataView, index: number, type: number, start: number, size: number): void {
  const at = 446 + index * 16;
  view.setUint8(at + 4, type);
  view.setUint32(at + 8, start / 512, true);
  view.setUint32(at + 12, size / 512, true);
}

/** The beginning of an archive of Node: the entry of its folder, such as `node-v22.1.0-linux-arm64`. */
export function nodeArchive(folder: string): Uint8Array {
  const tar = Buffer.alloc(1_024);
  tar.write(`${folder}/`);
  return gzipSync(tar);
}
