/** Node for the boards, as nodejs.org packs it: looked into before it is put on cards, for a board without it never starts. */

import { type FileHandle, open, readFile, stat } from "node:fs/promises";
import { CardFailure } from "./card-failure.ts";
import { firstBytes, packingOf, readAt, unpackGzip, unpackXz } from "./packed.ts";
import { xzSize } from "./xz-size.ts";

/** An archive with Node for Linux on arm64. */
export type NodeArchive = { readonly packing: "xz" | "gz"; readonly content: Uint8Array };

/** The oldest Node that a board's program runs on. */
const oldest = { major: 20, minor: 19 };
const whatToTake = "Take node-v….-linux-arm64.tar.xz, 20.19 or later, from https://nodejs.org/dist/.";

/** Reads it. @throws {CardFailure} if it is missing, cut off, or something else. `name` is for messages. */
export async function readNodeArchive(path: string, name: string): Promise<NodeArchive> {
  const packing = await packingOfArchive(path, name);
  const top = await topFolder(path, name, packing);
  const [, major, minor, platform] = /^(?:\.\/)?node-v(\d+)\.(\d+)\.\d+-([^/]+)\//.exec(top) ?? [];
  if (platform === undefined) throw new CardFailure(`${name} holds no Node. ${whatToTake}`);
  const version = `${major}.${minor}`;
  if (platform !== "linux-arm64") {
    throw new CardFailure(`${name} is Node ${version} for ${platform}, but boards need linux-arm64. ${whatToTake}`);
  }
  if (Number(major) < oldest.major || (Number(major) === oldest.major && Number(minor) < oldest.minor)) {
    throw new CardFailure(`${name} is Node ${version}: too old for a board. ${whatToTake}`);
  }
  return { packing, content: await readFile(path) };
}

/** How it is packed. @throws {CardFailure} if its end is missing, as far as the end says so. */
async function packingOfArchive(path: string, name: string): Promise<NodeArchive["packing"]> {
  const file = await openFile(path, name);
  try {
    const packing = packingOf(await readAt(file, 0, 6));
    if (packing !== "xz" && packing !== "gz")
      throw new CardFailure(`${name} is no Node for a Raspberry Pi. ${whatToTake}`);
    if (packing === "xz") {
      const { size } = await file.stat();
      const unpackedBytes = await xzSize((offset, length) => readAt(file, offset, length), size);
      if (unpackedBytes === null) throw new CardFailure(`${name} is cut off: its end is missing. Download it again.`);
    }
    return packing;
  } finally {
    await file.close();
  }
}

async function openFile(path: string, name: string): Promise<FileHandle> {
  const kind = await stat(path).catch((error: unknown) => {
    const why =
      error instanceof Error && "code" in error && error.code === "ENOENT" ? "there is no such file" : String(error);
    throw new CardFailure(`${name}: ${why}. ${whatToTake}`);
  });
  if (!kind.isFile()) throw new CardFailure(`${name} is no file. ${whatToTake}`);
  return await open(path, "r").catch((error: unknown) => {
    throw new CardFailure(`${name} cannot be read: ${error instanceof Error ? error.message : String(error)}.`);
  });
}

const headerBytes = 512;
const nameBytes = 100;

/** The name of the first entry of a tar archive; all of Node is in one folder. */
async function topFolder(path: string, name: string, packing: NodeArchive["packing"]): Promise<string> {
  const header = await (packing === "xz" ? firstBytes(unpackXz(path), headerBytes) : beginningOfGzip(path)).catch(
    (error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw new CardFailure(`${name} is damaged (${why}). Download it again.`);
    },
  );
  return Buffer.from(header.subarray(0, nameBytes)).toString("latin1").split("\0")[0] ?? "";
}

/** A .gz does not say how much is in it: whether it is whole shows only at the end. */
async function beginningOfGzip(path: string): Promise<Uint8Array> {
  let beginning: Uint8Array = new Uint8Array();
  for await (const chunk of unpackGzip(path)) {
    if (beginning.length < headerBytes) beginning = Buffer.concat([beginning, chunk]);
  }
  return beginning;
}
