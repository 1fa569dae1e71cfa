import fs, {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { diskSuite } from "../../storage/disk.suite.ts";
import type { DiskResult } from "../../storage/disk.ts";
import { type FileDisk, type FileDiskOptions, openFileDisk } from "./file-disk.ts";
import { bytes, ended, flushed, temporaryFolder } from "./folder.fixture.ts";

const success = { ok: true, value: null };

diskSuite("a disk of files", async () => {
  const folder = mkdtempSync(join(tmpdir(), "adrift-disk-"));
  let disk = await openFileDisk(folder);
  return {
    disk: () => disk,
    settle: () => ended((done) => disk.list(() => setImmediate(done, undefined))),
    restart: async () => {
      await disk.close();
      disk = await openFileDisk(folder);
    },
    cutPower: null,
    dispose: async () => {
      await disk.close();
      rmSync(folder, { recursive: true });
    },
  };
});

afterEach(() => {
  vi.restoreAllMocks();
});

async function openDisk(folder = temporaryFolder(), options: FileDiskOptions = {}): Promise<FileDisk> {
  const disk = await openFileDisk(folder, options);
  onTestFinished(() => disk.close());
  return disk;
}

describe("opening a folder as a disk", () => {
  test("given no such folder, then it is made, for this user alone", async () => {
    const folder = join(temporaryFolder(), "card", "log");
    await openDisk(folder);
    expect(fs.statSync(folder).mode & 0o777).toBe(0o700);
  });

  test("given a file in its place, or a file on the way there, then the refusal says so", async () => {
    const file = join(temporaryFolder(), "file");
    writeFileSync(file, "");
    for (const path of [file, join(file, "log")]) {
      await expect(openFileDisk(path)).rejects.toMatchObject({
        name: "DataFolderError",
        message: `${path}: this is not a folder, or a part of the path is a file. Choose another path.`,
      });
    }
  });

  test.skipIf(process.getuid?.() === 0)("given a folder of somebody else, then the refusal says so", async () => {
    const folder = temporaryFolder();
    chmodSync(folder, 0o500);
    await expect(openFileDisk(folder)).rejects.toThrow(/this user may not write there/);
  });

  test("given a place where no folder can be made, then the refusal says so", async () => {
    await expect(openFileDisk("/proc/adrift/log")).rejects.toThrow(/^\/proc\/adrift\/log: there is no such folder/);
  });

  test("given a replacement that a crash interrupted, then the old file is there and the unfinished one goes", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "boot"), "old");
    writeFileSync(join(folder, "boot~"), "ne");
    const disk = await openDisk(folder);
    expect(readdirSync(folder)).toEqual(["boot"]);
    expect(await ended((done) => disk.list(done))).toEqual({ ok: true, value: ["boot"] });
  });

  test("given folders and names of other kinds, then they are not listed and left alone", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "lost+found"));
    mkdirSync(join(folder, "log-1"));
    writeFileSync(join(folder, "README"), "");
    const disk = await openDisk(folder);
    expect(await ended((done) => disk.list(done))).toEqual({ ok: true, value: [] });
    expect(readdirSync(folder)).toEqual(["README", "log-1", "lost+found"]);
  });
});

describe("writing to a disk of files", () => {
  test("given flushes while another is under way, then all of them share the next one", async () => {
    const flushTimesUs: number[] = [];
    const disk = await openDisk(temporaryFolder(), { observeFlush: (us) => flushTimesUs.push(us) });
    const first = flushed(disk, "log-1", "first,");
    await new Promise(process.nextTick);
    const others = Array.from({ length: 50 }, (_, at) => flushed(disk, "log-1", `${at},`));
    expect(await Promise.all([first, ...others])).toEqual(Array.from({ length: 51 }, () => success));
    expect(flushTimesUs).toHaveLength(2);
    expect(Math.min(...flushTimesUs)).toBeGreaterThan(0);
  });

  test("given appended bytes for which nobody waits, then they reach the file soon all the same", async () => {
    const folder = temporaryFolder();
    const disk = await openDisk(folder);
    disk.append("log-1", bytes("mark"));
    await vi.waitFor(() => expect(written(folder, "log-1")).toBe("mark"));
    expect(await flushed(disk, "log-1", " and more")).toEqual(success);
    expect(written(folder, "log-1")).toBe("mark and more");
  });

  test("given bytes written without a flush, when the file is flushed, then they are written durably too", async () => {
    const disk = await openDisk();
    disk.append("log-1", bytes("one "));
    await ended((done) => disk.read("log-1", done));
    const write = vi.spyOn(fs, "writev");
    await flushed(disk, "log-1", "two");
    const [call] = write.mock.calls;
    expect(write).toHaveBeenCalledTimes(1);
    expect(withoutZeros(Buffer.concat((call?.[1] ?? []) as Buffer[]))).toBe("one two");
    expect(call?.[2]).toBe(0);
  });

  test("given small writes, then the file grows by stretches of zeros, which go when it is let go of", async () => {
    const folder = temporaryFolder();
    const disk = await openFileDisk(folder);
    for (let number = 0; number < 60; number += 1) await flushed(disk, "log-1", "x".repeat(2_000));
    const size = statSync(join(folder, "log-1")).size;
    expect(size).toBe(2 * 64 * 1024);
    expect(written(folder, "log-1")).toBe("x".repeat(60 * 2_000));
    expect(await ended((done) => disk.read("log-1", done))).toEqual({ ok: true, value: bytes("x".repeat(60 * 2_000)) });
    await disk.close();
    expect(statSync(join(folder, "log-1")).size).toBe(60 * 2_000);
  });

  test("given a large write, then it makes no room", async () => {
    const folder = temporaryFolder();
    const disk = await openDisk(folder);
    await flushed(disk, "log-1", "x".repeat(100_000));
    expect(statSync(join(folder, "log-1")).size).toBe(100_000);
  });

  test("given a new file, then the folder is flushed before the file's first flush succeeds", async () => {
    const disk = await openDisk();
    const fsync = vi.spyOn(fs, "fsync");
    await flushed(disk, "log-1", "a");
    const calls = fsync.mock.calls.length;
    expect(calls).toBe(2);
    await flushed(disk, "log-1", "b");
    expect(fsync).toHaveBeenCalledTimes(calls);
  });

  test("given a write of which the operating system takes a part, then the rest is written after it", async () => {
    const folder = temporaryFolder();
    const disk = await openDisk(folder);
    await flushed(disk, "log-1", "zero ");
    const write = fs.write;
    vi.spyOn(fs, "write").mockImplementation(((
      file: number,
      piece: Uint8Array,
      offset: number,
      length: number,
      position: number,
      done: (error: Error | null, written: number, piece: Uint8Array) => void,
    ) => write(file, piece, offset, Math.min(length, 3), position, done)) as typeof fs.write);
    expect(await flushed(disk, "log-1", "one two three")).toEqual(success);
    expect(written(folder, "log-1")).toBe("zero one two three");
  });

  test("given many files, then only a few are held open", async () => {
    const folder = temporaryFolder();
    const disk = await openDisk(folder);
    for (let number = 0; number < 20; number += 1) await flushed(disk, `log-${number}`, "a");
    for (let number = 0; number < 20; number += 1) await flushed(disk, `log-${number}`, "b");
    await ended((done) => disk.list(done));
    const open = openFilesIn(folder);
    if (open !== null) expect(open.length).toBeLessThanOrEqual(2 * 4 + 1);
    expect(written(folder, "log-7")).toBe("ab");
  });

  test("given a name that could lead out of the folder, then it is refused as a mistake", async () => {
    const disk = await openDisk();
    for (const name of ["../boot", "a/b", "Boot", "", "boot~"]) {
      expect(() => disk.replace(name, bytes(""), () => {})).toThrow(RangeError);
    }
  });

  test("given a closed disk, then what was asked before has ended, and what is asked later fails", async () => {
    const folder = temporaryFolder();
    const disk = await openFileDisk(folder);
    disk.append("log-1", bytes("a"));
    let ok: boolean | null = null;
    disk.replace("boot", bytes("b"), (result) => {
      ok = result.ok;
    });
    await disk.close();
    expect(ok).toBe(true);
    expect(written(folder, "log-1")).toBe("a");
    disk.append("log-1", bytes("b"));
    expect(await ended((done) => disk.flush("log-1", done))).toMatchObject({ ok: false, error: { kind: "failed" } });
    expect(openFilesIn(folder) ?? []).toEqual([]);
    await disk.close();
  });
});

describe("a disk that fails", () => {
  test("given a write that fails, then it is final for that file, however well later ones would do", async () => {
    const folder = temporaryFolder();
    const disk = await openDisk(folder);
    await flushed(disk, "log-1", "a");
    failOnce("write", "EIO");
    const failed = await flushed(disk, "log-1", "b");
    expect(failed).toMatchObject({
      ok: false,
      error: { kind: "failed", message: expect.stringMatching(/log-1.*EIO/) },
    });
    expect(await flushed(disk, "log-1", "c")).toEqual(failed);
    expect(await ended((done) => disk.read("log-1", done))).toEqual(failed);
    expect(written(folder, "log-1")).toBe("a");
    expect(await flushed(disk, "log-2", "d")).toEqual(success);
    expect(await ended((done) => disk.replace("log-1", bytes("e"), done))).toEqual(success);
    expect(await flushed(disk, "log-1", "f")).toEqual(success);
    expect(written(folder, "log-1")).toBe("ef");
  });

  test("given bytes for which nobody waited and that could not be written, then the next flush fails", async () => {
    const disk = await openDisk();
    await flushed(disk, "log-1", "a");
    failOnce("write", "EIO");
    disk.append("log-1", bytes("b"));
    await ended((done) => disk.list(done));
    expect(await flushed(disk, "log-1", "c")).toMatchObject({ ok: false, error: { kind: "failed" } });
  });

  test.each(["ENOSPC", "EDQUOT"])("given a write that ends in %s, then the disk is full", async (code) => {
    const disk = await openDisk();
    failOnce("writev", code);
    expect(await flushed(disk, "log-1", "a")).toMatchObject({
      ok: false,
      error: { kind: "full", message: expect.stringContaining("Make room") },
    });
  });

  test("given a replacement for which there is no room, then the old file stays, and nothing else is left", async () => {
    const folder = temporaryFolder();
    const disk = await openDisk(folder);
    await ended((done) => disk.replace("boot", bytes("old"), done));
    failOnce("write", "ENOSPC");
    expect(await ended((done) => disk.replace("boot", bytes("new"), done))).toMatchObject({
      ok: false,
      error: { kind: "full" },
    });
    expect(readdirSync(folder)).toEqual(["boot"]);
    expect(await ended((done) => disk.read("boot", done))).toEqual({ ok: true, value: bytes("old") });
  });

  test("given a folder whose names could not be flushed, then no change of names succeeds any more", async () => {
    const disk = await openDisk();
    await flushed(disk, "log-1", "a");
    failOnce("fsync", "EIO");
    const results: DiskResult<null>[] = [
      await ended((done) => disk.remove("boot", done)),
      await ended((done) => disk.remove("boot", done)),
      await ended((done) => disk.replace("boot", bytes("new"), done)),
      await flushed(disk, "log-2", "a"),
    ];
    expect(results.map(({ ok }) => ok)).toEqual([false, false, false, false]);
    expect(await flushed(disk, "log-1", "b")).toEqual(success);
  });
});

/** Makes the next call of a function of node:fs end in an error of the operating system. */
/** What was written to a file; zeros at its end only keep room. */
function written(folder: string, name: string): string {
  return withoutZeros(readFileSync(join(folder, name)));
}

function withoutZeros(content: Buffer): string {
  return content.toString("utf8").replace(/\0+$/, "");
}

function failOnce(name: "write" | "writev" | "fsync", code: string): void {
  vi.spyOn(fs, name).mockImplementationOnce(((...parameters: unknown[]) => {
    const done = parameters.at(-1) as (error: Error) => void;
    setImmediate(done, Object.assign(new Error(`${code}: told so, ${name}`), { code }));
  }) as never);
}

/** Which files in a folder this process has open, or `null` where the operating system does not tell. */
function openFilesIn(folder: string): string[] | null {
  if (!existsSync("/proc/self/fd")) return null;
  return readdirSync("/proc/self/fd").flatMap((descriptor) => {
    try {
      const path = fs.readlinkSync(`/proc/self/fd/${descriptor}`);
      return path.startsWith(folder) ? [path] : [];
    } catch {
      return [];
    }
  });
}
