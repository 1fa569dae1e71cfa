/** The log on files, as a person, a card or another version of this software may leave them. */

import { cpSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { crc32c } from "../../crc32c.ts";
import { boot, commands, snapshotAt, voted } from "../../storage/storage.fixture.ts";
import type { Opened } from "../../storage/storage.ts";
import { provision } from "./data-folder.ts";
import { openFileDisk } from "./file-disk.ts";
import { contentsOf, ended, opened, openedWhole, saved, temporaryFolder } from "./folder.fixture.ts";

const firstSegment = "log-0000000000000001";

/** The folder of a log with several segments and a snapshot, closed. */
async function grown(): Promise<string> {
  const path = temporaryFolder();
  await provision(path, boot);
  const folder = join(path, "log");
  const disk = await openFileDisk(folder);
  const { storage } = await openedWhole(disk, { segmentBytesMax: 400 });
  await saved(storage, { hardState: voted(3) });
  for (let index = 1; index <= 12; index += 1) await saved(storage, { entries: commands(index, index) });
  await ended((done) => storage.compact(snapshotAt(6), 1, done));
  await saved(storage, { entries: commands(13, 14) });
  await disk.close();
  return folder;
}

/** What opening a folder comes to; the disk is closed again. */
async function openFolder(folder: string): Promise<Opened> {
  const disk = await openFileDisk(folder);
  try {
    return await opened(disk);
  } finally {
    await disk.close();
  }
}

function entriesOf(result: Opened): number[] {
  return result.kind === "ready" ? result.recovered.entries.map(({ index }) => index) : [];
}

describe("a log on files", () => {
  test("given saves, a snapshot and many segments, when it is opened again, then everything is there", async () => {
    const result = await openFolder(await grown());
    expect(result).toMatchObject({ kind: "ready", recovered: { hardState: voted(3), snapshot: snapshotAt(6) } });
    expect(entriesOf(result).at(-1)).toBe(14);
  });

  test("given a last record torn at any byte, then what came before is there, and what was lost is said", async () => {
    const path = temporaryFolder();
    await provision(path, boot);
    const folder = join(path, "log");
    const disk = await openFileDisk(folder);
    const { storage } = await openedWhole(disk);
    await saved(storage, { entries: commands(1, 2) });
    const wholeBytes = await sizeAfter(folder, () => ended((done) => disk.flush(firstSegment, done)));
    await saved(storage, { entries: commands(3, 3) });
    await disk.close();
    const torn = join(path, "torn");
    // The record of entry 3 itself, without the mark of 32 bytes behind it.
    const endBytes = statSync(join(folder, firstSegment)).size - 32;
    for (let length = wholeBytes; length < endBytes; length += 1) {
      rmSync(torn, { recursive: true, force: true });
      cpSync(folder, torn, { recursive: true });
      truncateSync(join(torn, firstSegment), length);
      const result = await openFolder(torn);
      expect(entriesOf(result)).toEqual([1, 2]);
      const tornTail =
        length === wholeBytes ? null : { file: firstSegment, offset: wholeBytes, bytesLost: length - wholeBytes };
      expect(result).toMatchObject({ kind: "ready", recovered: { tornTail } });
    }
  });

  test("given a bit turned over in any file, then that is damage, which names the file, and nothing is changed", async () => {
    const folder = await grown();
    const last = readdirSync(folder)
      .filter((name) => name.startsWith("log-"))
      .at(-1);
    for (const name of readdirSync(folder)) {
      const whole = readFileSync(join(folder, name));
      // Behind everything stands a mark, which may be lost.
      const sizeBytes = name === last ? whole.length - 32 : whole.length;
      for (let at = 0; at < sizeBytes; at += 13) {
        const damaged = Buffer.from(whole);
        damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
        writeFileSync(join(folder, name), damaged);
        const before = contentsOf(folder);
        expect(await openFolder(folder)).toMatchObject({
          kind: "damaged",
          damage: { file: name, reason: expect.stringMatching(/\w+ \w+/) },
        });
        expect(contentsOf(folder)).toEqual(before);
      }
      writeFileSync(join(folder, name), whole);
    }
    expect((await openFolder(folder)).kind).toBe("ready");
  });

  test("given any file gone that is not the newest of the log, then that is damage, and nothing is changed", async () => {
    const folder = await grown();
    const names = readdirSync(folder);
    const newest = names.filter((name) => name.startsWith("log-")).at(-1);
    for (const name of names.filter((name) => name !== newest)) {
      const without = join(folder, "..", `without-${name}`);
      cpSync(folder, without, { recursive: true });
      rmSync(join(without, name));
      const before = contentsOf(without);
      expect(await openFolder(without)).toMatchObject({ kind: "damaged", damage: { reason: expect.any(String) } });
      expect(contentsOf(without)).toEqual(before);
    }
  });

  test.each([
    ["newer", 2],
    ["older", 0],
  ])("given a disk of a %s format, then it is refused, and nothing is changed", async (_, format) => {
    const folder = await grown();
    const file = join(folder, "boot");
    writeFileSync(file, withFormat(readFileSync(file), format));
    const before = contentsOf(folder);
    expect(await openFolder(folder)).toMatchObject({
      kind: "refused",
      file: "boot",
      reason: expect.stringContaining(`it has format ${format}, and this version reads`),
    });
    expect(contentsOf(folder)).toEqual(before);
  });

  test("given the card of another board, then it is refused, and nothing is changed", async () => {
    const path = temporaryFolder();
    await provision(path, { cluster: "bench", board: "grace" });
    const folder = join(path, "log");
    const before = contentsOf(folder);
    expect(await openFolder(folder)).toMatchObject({
      kind: "refused",
      reason: "the disk belongs to board grace of cluster bench, and this is board ada of cluster bench",
    });
    expect(contentsOf(folder)).toEqual(before);
  });

  test("given files of others beside it, then they are left alone", async () => {
    const folder = await grown();
    writeFileSync(join(folder, "notes.txt"), "mine");
    expect(await openFolder(folder)).toMatchObject({ kind: "ready", recovered: { foreignFiles: ["notes.txt"] } });
    expect(readFileSync(join(folder, "notes.txt"), "utf8")).toBe("mine");
  });
});

async function sizeAfter(folder: string, write: () => Promise<unknown>): Promise<number> {
  await write();
  return statSync(join(folder, firstSegment)).size;
}

/** A sealed file as a version with another format would write it, with a checksum that is right. */
function withFormat(sealed: Uint8Array, format: number): Uint8Array {
  const text = Buffer.from(sealed).toString("latin1");
  const other = Buffer.from(text.replace(/^(\w{8} adrift-\w+) \d+/, `$1 ${format}`), "latin1");
  other.write(crc32c(other, 8, other.length).toString(16).padStart(8, "0"), "latin1");
  return other;
}
