import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { crc32c } from "../../crc32c.ts";
import { sealText } from "../../storage/sealed-text.ts";
import { boot } from "../../storage/storage.fixture.ts";
import { type DataFolder, isEmptyDataFolder, openDataFolder, provision } from "./data-folder.ts";
import { openFileDisk } from "./file-disk.ts";
import { openedWhole, saved, temporaryFolder } from "./folder.fixture.ts";
import { takeFolderLock } from "./folder-lock.ts";
import { thisProcess } from "./process-identity.ts";

async function openFolder(path: string): Promise<DataFolder> {
  const folder = await openDataFolder(path);
  onTestFinished(() => folder.close());
  return folder;
}

describe("opening a data folder", () => {
  test("given no such folder, then it is made, for this user alone, with all that stands in it", async () => {
    const path = join(temporaryFolder(), "pi-1");
    const { logFolder, flightFolder } = await openFolder(path);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(readdirSync(path)).toEqual(["boot", "flight", "lock", "log"]);
    expect([logFolder, flightFolder]).toEqual([join(path, "log"), join(path, "flight")]);
  });

  test("given a file in its place, then the refusal says so", async () => {
    const path = join(temporaryFolder(), "file");
    writeFileSync(path, "");
    await expect(openDataFolder(path)).rejects.toMatchObject({
      name: "DataFolderError",
      message: expect.stringMatching(/this is not a folder/),
    });
  });
});

describe("the boot number", () => {
  test("given several starts, then it grows with each, and begins at the clock", async () => {
    const path = temporaryFolder();
    const boots: number[] = [];
    for (let start = 0; start < 3; start += 1) {
      const folder = await openDataFolder(path);
      boots.push(folder.boot);
      await folder.close();
    }
    const [first = 0, second = 0, third = 0] = boots;
    expect(Math.abs(first - Date.now() / 1000)).toBeLessThan(60);
    expect(second).toBeGreaterThan(first);
    expect(third).toBeGreaterThan(second);
  });

  test("given a clock that is behind, then it grows all the same", async () => {
    const path = temporaryFolder();
    writeFileSync(join(path, "boot"), sealText("adrift-boot-number", "4000000000\n"));
    expect((await openFolder(path)).boot).toBe(4_000_000_001);
  });

  test("given any bit of its file turned over, then that is said, and the folder can be opened once it is removed", async () => {
    const path = temporaryFolder();
    const file = join(path, "boot");
    const whole = sealText("adrift-boot-number", "4000000000\n");
    for (let at = 0; at < whole.length; at += 1) {
      const damaged = whole.slice();
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
      writeFileSync(file, damaged);
      await expect(openDataFolder(path)).rejects.toThrow(/boot: the file is damaged: .* remove the file/);
      expect(new Uint8Array(readFileSync(file))).toEqual(damaged);
    }
  });

  test("given a file of a newer version, then the refusal says which version to install", async () => {
    const path = temporaryFolder();
    writeFileSync(join(path, "boot"), newer("adrift-boot-number", "1\n"));
    await expect(openDataFolder(path)).rejects.toThrow(/it has format 2, .* Install the version of adrift/);
  });
});

describe("the lock of a data folder", () => {
  test("given a board on it, when another one opens it, then that is refused and the process is named", async () => {
    const path = temporaryFolder();
    const folder = await openDataFolder(path);
    await expect(openDataFolder(path)).rejects.toMatchObject({
      name: "DataFolderError",
      message: expect.stringContaining(`process ${process.pid} holds this lock`),
    });
    await folder.close();
    await openFolder(path);
  });

  test("given a holder whose process number now belongs to another process, then the lock can be had", async () => {
    const { pid, start } = await thisProcess();
    // Elsewhere than on Linux only the number is known.
    if (start === null) return;
    for (const other of [
      { ...start, ticks: `${Number(start.ticks) - 1}` },
      { ...start, machineStart: "another" },
    ]) {
      const folder = temporaryFolder();
      writeFileSync(join(folder, "7"), JSON.stringify({ pid, start: other }));
      await takeFolderLock(folder);
      expect(readdirSync(folder)).toEqual(["8"]);
    }
  });

  test("given a holder that is gone, or a text that a power cut took away, then the lock can be had", async () => {
    for (const text of [JSON.stringify({ pid: 4_194_305, start: null }), "", "\0\0\0", "{}", '{"pid":-1}']) {
      const folder = temporaryFolder();
      writeFileSync(join(folder, "1"), text);
      await takeFolderLock(folder);
      expect(readdirSync(folder)).toEqual(["2"]);
    }
  });

  test("given a lock whose holder is gone, when many take it at once, then one has it", async () => {
    for (let round = 0; round < 10; round += 1) {
      const folder = temporaryFolder();
      writeFileSync(join(folder, "1"), "");
      const results = await Promise.allSettled(Array.from({ length: 8 }, () => takeFolderLock(folder)));
      expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    }
  });

  test("given holders that come and go, then never two hold it at once", async () => {
    const folder = temporaryFolder();
    let holders = 0;
    let turns = 0;
    async function comeAndGo(): Promise<void> {
      for (let attempt = 0; attempt < 40; attempt += 1) {
        const lock = await takeFolderLock(folder).catch(() => null);
        if (lock === null) continue;
        holders += 1;
        expect(holders).toBe(1);
        turns += 1;
        await new Promise((resolve) => setImmediate(resolve));
        holders -= 1;
        await lock.release();
      }
    }
    await Promise.all(Array.from({ length: 6 }, comeAndGo));
    expect(turns).toBeGreaterThan(5);
  });
});

describe("provisioning a data folder", () => {
  test("given an empty folder, then it holds the empty log of that board, which then can be opened", async () => {
    const path = join(temporaryFolder(), "pi-1");
    expect(await isEmptyDataFolder(path)).toBe(true);
    await provision(path, boot);
    expect(await isEmptyDataFolder(path)).toBe(false);
    const { logFolder } = await openFolder(path);
    const disk = await openFileDisk(logFolder);
    onTestFinished(() => disk.close());
    const { storage, boot: record, recovered } = await openedWhole(disk);
    expect(record).toEqual(boot);
    expect(recovered).toMatchObject({ hardState: { term: 0, votedFor: null }, entries: [] });
    expect(await saved(storage, { hardState: { term: 1, votedFor: "ada" } })).toMatchObject({ ok: true });
  });

  test("given a folder that holds anything, then it is refused and left as it is", async () => {
    const path = temporaryFolder();
    mkdirSync(join(path, "flight"));
    await expect(provision(path, boot)).rejects.toMatchObject({
      name: "DataFolderError",
      message: expect.stringContaining("the folder is not empty"),
    });
    expect(readdirSync(path)).toEqual(["flight"]);
  });

  test("given a new file system with nothing but its lost+found, then it is as good as empty", async () => {
    const path = temporaryFolder();
    mkdirSync(join(path, "lost+found"));
    await provision(path, boot);
    expect(existsSync(join(path, "log", "boot"))).toBe(true);
  });
});

/** A sealed file as a later version would write it. */
function newer(kind: string, text: string): Uint8Array {
  const own = Buffer.from(sealText(kind, text)).toString("latin1");
  const later = Buffer.from(own.replace(`${kind} 1`, `${kind} 2`), "latin1");
  later.write(crc32c(later, 8, later.length).toString(16).padStart(8, "0"), "latin1");
  return later;
}
