/** A disk that is full, and one that has become read-only: small real ones, which only root may mount. */

import { execFileSync } from "node:child_process";
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { boot, commands } from "../../storage/storage.fixture.ts";
import { openDataFolder, provision } from "./data-folder.ts";
import { openFileDisk } from "./file-disk.ts";
import { bytes, contentsOf, ended, flushed, opened, openedWhole, saved } from "./folder.fixture.ts";

const isRoot = process.platform === "linux" && process.getuid?.() === 0;
if (!isRoot) console.warn("Full and read-only disks are left out: mounting them needs root on Linux.");

describe.skipIf(!isRoot)("a real disk of one MiB", () => {
  let folder = "";

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "adrift-mount-"));
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]);
  });
  afterEach(() => {
    execFileSync("umount", ["--lazy", folder]);
    rmSync(folder, { recursive: true });
  });

  test("given a log that fills it, then the save that fails says so, and what was acknowledged is there", async () => {
    const data = join(folder, "data");
    await provision(data, boot);
    writeFileSync(join(folder, "ballast"), new Uint8Array(700_000));
    const { logFolder, close } = await openDataFolder(data);
    const disk = await openFileDisk(logFolder);
    const { storage } = await openedWhole(disk, { segmentBytesMax: 40_000 });
    let acknowledged = 0;
    for (;;) {
      const index = acknowledged + 1;
      const [command] = commands(index, index);
      if (command?.kind !== "command") throw new Error("A command was asked for.");
      const result = await saved(storage, { entries: [{ ...command, data: "x".repeat(3_000) }] });
      if (!result.ok) {
        expect(result.error).toMatchObject({ kind: "full", message: expect.stringMatching(/disk is full. Make room/) });
        break;
      }
      acknowledged = index;
    }
    expect(acknowledged).toBeGreaterThan(50);
    expect(await saved(storage, { entries: commands(acknowledged + 2, acknowledged + 2) })).toMatchObject({
      ok: false,
      error: { kind: "full" },
    });
    await disk.close();
    await close();
    // The room that was kept for more is given back; somebody else takes it.
    fill(join(folder, "filler"));

    await expect(openDataFolder(data)).rejects.toThrow(/there is no space left. Make room/);
    const whileFull = contentsOf(logFolder);
    const disk2 = await openFileDisk(logFolder);
    expect(await opened(disk2)).toMatchObject({ kind: "failed", error: { kind: "full" } });
    expect(contentsOf(logFolder)).toEqual(whileFull);
    await disk2.close();

    rmSync(join(folder, "ballast"));
    rmSync(join(folder, "filler"));
    const again = await openDataFolder(data);
    const disk3 = await openFileDisk(again.logFolder);
    const { storage: healed, recovered } = await openedWhole(disk3);
    expect(recovered.entries.length).toBeGreaterThanOrEqual(acknowledged);
    expect(recovered.entries.every(({ index }, at) => index === at + 1)).toBe(true);
    const next = recovered.entries.length + 1;
    expect(await saved(healed, { entries: commands(next, next) })).toMatchObject({ ok: true });
    await disk3.close();
    await again.close();
  });

  test("given that it is read-only, then opening it is refused, and says what to do", async () => {
    const data = join(folder, "data");
    await provision(data, boot);
    execFileSync("mount", ["-o", "remount,ro", folder]);
    for (const open of [() => openDataFolder(data), () => openFileDisk(join(data, "log"))]) {
      await expect(open()).rejects.toMatchObject({
        name: "DataFolderError",
        message: expect.stringMatching(/it cannot be written. Mount its disk with write access/),
      });
    }
    await expect(provision(join(folder, "other"), boot)).rejects.toMatchObject({ name: "DataFolderError" });
  });

  test("given that it becomes read-only while it is used, then flushes and replacements fail, and reading goes on", async () => {
    const disk = await openFileDisk(join(folder, "log"));
    expect(await ended((done) => disk.replace("boot", bytes("old"), done))).toMatchObject({ ok: true });
    execFileSync("mount", ["-o", "remount,ro", folder]);
    const failure = {
      ok: false,
      error: { kind: "failed", message: expect.stringMatching(/has become read-only/) },
    };
    expect(await flushed(disk, "log-1", "a")).toMatchObject(failure);
    expect(await ended((done) => disk.replace("boot", bytes("new"), done))).toMatchObject(failure);
    expect(await ended((done) => disk.remove("boot", done))).toMatchObject(failure);
    expect(await ended((done) => disk.read("boot", done))).toEqual({ ok: true, value: bytes("old") });
    await disk.close();
  });
});

/** Takes all the space that is left. */
function fill(file: string): void {
  expect(() => {
    for (;;) appendFileSync(file, new Uint8Array(4_096));
  }).toThrow(/ENOSPC/);
}
