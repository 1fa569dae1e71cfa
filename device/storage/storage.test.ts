import { describe, expect, test } from "vitest";
import { formatStorage, openStorage } from "./index.ts";
import { MemoryDisk } from "./memory-disk.fixture.ts";
import {
  batch,
  boot,
  commands,
  compact,
  formattedDisk,
  openDisk,
  openWhole,
  save,
  snapshotAt,
  voted,
} from "./storage.fixture.ts";
import type { Opened } from "./storage.ts";

describe("a disk is opened", () => {
  test("given a new disk, then it is empty, also if there are files of others", () => {
    const disk = new MemoryDisk();
    disk.files.set("lost-and-found", new Uint8Array(3));
    expect(openDisk(disk)).toEqual({ kind: "empty" });
  });

  test("given a formatted disk, then its member starts from nothing", () => {
    const { boot: found, recovered, storage } = openWhole(formattedDisk());
    expect(found).toEqual(boot);
    expect(recovered).toEqual({
      hardState: { term: 0, votedFor: null },
      snapshot: null,
      entries: [],
      tornTail: null,
      damagedSnapshot: null,
      foreignFiles: [],
    });
    expect(storage.lastIndex).toBe(0);
  });

  test("given formatting interrupted at any moment, then the disk opens as empty and can be formatted again", () => {
    for (let steps = 0; steps < 4; steps += 1) {
      const disk = new MemoryDisk();
      formatStorage(disk, boot, () => {});
      for (let step = 0; step < steps; step += 1) disk.step();
      const after = disk.copy();
      expect(openDisk(after)).toEqual({ kind: "empty" });
      formatStorage(after, boot, () => {});
      after.settle();
      expect(openDisk(after).kind).toBe("ready");
    }
  });

  test("given a disk with a log, when it is formatted for a new member, then nothing of the old one is left", () => {
    const disk = formattedDisk();
    const { storage } = openWhole(disk, { segmentBytesMax: 100 });
    save(disk, storage, { hardState: voted(3), entries: commands(1, 9) });
    save(disk, storage, { entries: commands(10, 12) });
    compact(disk, storage, 4, 2);
    disk.files.set("notes", new Uint8Array(1));
    formatStorage(disk, { ...boot, member: "ada.2" }, () => {});
    disk.settle();
    const { boot: found, recovered } = openWhole(disk);
    expect(found.member).toBe("ada.2");
    expect(recovered).toMatchObject({ hardState: { term: 0 }, entries: [], snapshot: null, foreignFiles: ["notes"] });
    expect([...disk.files.keys()].sort()).toEqual(["boot", "log-0000000000000001", "notes"]);
  });

  test("given the disk of another board or cluster, then it is refused, and both are named", () => {
    const results: Opened[] = [];
    const disk = formattedDisk();
    for (const identity of [
      { ...boot, board: "bob" },
      { ...boot, cluster: "other" },
    ]) {
      openStorage(disk, identity, {}, (opened) => results.push(opened));
    }
    disk.settle();
    expect(results).toEqual([
      {
        kind: "refused",
        file: "boot",
        reason: "the disk belongs to board ada of cluster bench, and this is board bob of cluster bench",
      },
      {
        kind: "refused",
        file: "boot",
        reason: "the disk belongs to board ada of cluster bench, and this is board ada of cluster other",
      },
    ]);
  });

  test("given a segment of another member among ours, then the disk is refused", () => {
    const other = new MemoryDisk();
    formatStorage(other, { ...boot, member: "ada.2" }, () => {});
    other.settle();
    const disk = formattedDisk();
    disk.files.set("log-0000000000000001", other.files.get("log-0000000000000001") ?? new Uint8Array(0));
    expect(openDisk(disk)).toMatchObject({
      kind: "refused",
      file: "log-0000000000000001",
      reason: expect.stringContaining("ada.2 (board ada, cluster bench)"),
    });
  });

  test("given a disk that fails, then opening fails with its error", () => {
    const disk = formattedDisk();
    disk.error = { kind: "failed", message: "The card was pulled out." };
    expect(openDisk(disk)).toEqual({ kind: "failed", error: disk.error });
  });

  test("given files of others beside the log, then they are named and left alone", () => {
    const disk = formattedDisk();
    for (const file of ["log-12", "notes", "snapshot-latest"]) disk.files.set(file, new Uint8Array(2));
    expect(openWhole(disk).recovered.foreignFiles).toEqual(["log-12", "notes", "snapshot-latest"]);
    expect([...disk.files.keys()]).toEqual(expect.arrayContaining(["log-12", "notes", "snapshot-latest"]));
  });
});

describe("batches are saved", () => {
  test("given saved hard state and entries, when the disk is opened again, then they are there", () => {
    const disk = formattedDisk();
    const { storage } = openWhole(disk);
    const configuration = snapshotAt(1).configuration;
    const entries = [
      { kind: "empty", index: 1, term: 1 } as const,
      { kind: "configuration", index: 2, term: 1, configuration } as const,
      ...commands(3, 4),
    ];
    expect(save(disk, storage, { hardState: voted(1), entries })).toEqual({ ok: true, value: null });
    expect(save(disk, storage, { hardState: { term: 2, votedFor: null } })).toEqual({ ok: true, value: null });
    expect(openWhole(disk).recovered).toMatchObject({
      hardState: { term: 2, votedFor: null },
      entries,
      tornTail: null,
    });
  });

  test("given a log, when an entry in its middle is saved anew, then it replaces everything from there on", () => {
    const disk = formattedDisk();
    const { storage } = openWhole(disk);
    save(disk, storage, { entries: commands(1, 5) });
    save(disk, storage, { entries: commands(3, 4, 2) });
    expect(storage.lastIndex).toBe(4);
    expect(openWhole(disk).recovered.entries).toEqual([...commands(1, 2), ...commands(3, 4, 2)]);
  });

  test("given a gap in the entries, then saving throws and names the entry", () => {
    const { storage } = openWhole(formattedDisk());
    expect(() => storage.save(batch({ entries: commands(2, 2) }), () => {})).toThrow("Entry 2 cannot be saved");
    const [first, , third] = commands(1, 3);
    const torn = [first, third].filter((entry) => entry !== undefined);
    expect(() => storage.save(batch({ entries: torn }), () => {})).toThrow("Entry 3 cannot be saved where entry 2");
  });

  test("given one save, then its hard state and entries go out with one append and one flush", () => {
    const disk = formattedDisk();
    const { storage } = openWhole(disk);
    disk.journal.length = 0;
    storage.save(batch({ hardState: voted(1), entries: commands(1, 3) }), () => {});
    expect(disk.journal).toEqual(["append log-0000000000000001", "flush log-0000000000000001"]);
  });

  test("given saves while a flush is under way, then they share the next one, and end in order", () => {
    const disk = formattedDisk();
    const { storage } = openWhole(disk);
    disk.journal.length = 0;
    const ended: number[] = [];
    for (let index = 1; index <= 5; index += 1) {
      storage.save(batch({ entries: commands(index, index) }), ({ ok }) => ok && ended.push(index));
    }
    disk.step();
    expect(ended).toEqual([1]);
    disk.step();
    expect(ended).toEqual([1, 2, 3, 4, 5]);
    expect(disk.journal.filter((line) => line.startsWith("flush"))).toHaveLength(2);
    expect(storage.statistics()).toMatchObject({ saves: 5, flushes: 2 });
  });

  test("given saves asked for by those whose saves have ended, then they share a flush too", () => {
    const disk = formattedDisk();
    const { storage } = openWhole(disk);
    const again = (index: number) => () => storage.save(batch({ entries: commands(index, index) }), () => {});
    storage.save(batch({ entries: commands(1, 1) }), () => {});
    storage.save(batch({ entries: commands(2, 2) }), again(4));
    storage.save(batch({ entries: commands(3, 3) }), again(5));
    disk.settle();
    expect(storage.statistics()).toMatchObject({ saves: 5, flushes: 3 });
    expect(openWhole(disk).recovered.entries).toEqual(commands(1, 5));
  });

  test("given a flush that fails, then that save, those waiting and all later ones fail, and nothing is tried again", () => {
    const disk = formattedDisk();
    const { storage } = openWhole(disk);
    save(disk, storage, { entries: commands(1, 1) });
    disk.error = { kind: "full", message: "The card is full." };
    const results: unknown[] = [];
    storage.save(batch({ entries: commands(2, 2) }), (result) => results.push(result));
    storage.save(batch({ entries: commands(3, 3) }), (result) => results.push(result));
    disk.settle();
    const { error } = disk;
    disk.error = null;
    disk.journal.length = 0;
    storage.save(batch({ entries: commands(4, 4) }), (result) => results.push(result));
    disk.settle();
    expect(results).toEqual(Array.from({ length: 3 }, () => ({ ok: false, error })));
    expect(storage.failure).toEqual(error);
    expect(disk.journal).toEqual([]);
  });
});

describe("segments follow each other", () => {
  const options = { segmentBytesMax: 400 };

  test("given a log larger than a segment, then it goes on in further ones, and all of it is found again", () => {
    const disk = formattedDisk();
    const { storage } = openWhole(disk, options);
    for (let index = 1; index <= 40; index += 1) {
      save(disk, storage, { hardState: voted(index), entries: commands(index, index) });
    }
    expect(storage.statistics().segments).toBeGreaterThan(5);
    const { recovered, storage: again } = openWhole(disk, options);
    expect(recovered).toMatchObject({ hardState: voted(40), entries: commands(1, 40) });
    save(disk, again, { entries: commands(41, 41) });
    expect(openWhole(disk, options).recovered.entries).toEqual(commands(1, 41));
  });

  test("given a full segment, then it is flushed to its end before the next one exists", () => {
    const disk = formattedDisk();
    const { storage } = openWhole(disk, options);
    save(disk, storage, { entries: commands(1, 9) });
    disk.journal.length = 0;
    save(disk, storage, { entries: commands(10, 10) });
    expect(disk.journal).toEqual([
      "flush log-0000000000000001",
      "replace log-0000000000000002",
      "append log-0000000000000002",
      "flush log-0000000000000002",
      "append log-0000000000000002",
    ]);
  });
});

describe("the log is compacted", () => {
  const options = { segmentBytesMax: 300 };

  function grown(): { disk: MemoryDisk; storage: ReturnType<typeof openWhole>["storage"] } {
    const disk = formattedDisk();
    const { storage } = openWhole(disk, options);
    save(disk, storage, { hardState: voted(7) });
    for (let index = 1; index <= 30; index += 1) save(disk, storage, { entries: commands(index, index) });
    return { disk, storage };
  }

  test("given a snapshot, then the log before it goes but for the trailing entries, and everything is found again", () => {
    const { disk, storage } = grown();
    const before = storage.statistics();
    expect(compact(disk, storage, 20, 5)).toEqual({ ok: true, value: null });
    const after = storage.statistics();
    expect(after.segments).toBeLessThan(before.segments);
    expect(after.sizeBytes).toBeLessThan(before.sizeBytes);
    expect(before.logBytesSinceSnapshot).toBeGreaterThan(1_000);
    expect(after.logBytesSinceSnapshot).toBeLessThan(500);
    const { recovered } = openWhole(disk, options);
    expect(recovered.snapshot).toEqual(snapshotAt(20));
    expect(recovered.hardState).toEqual(voted(7));
    const first = recovered.entries[0]?.index ?? 0;
    expect(first).toBeGreaterThan(10);
    expect(first).toBeLessThanOrEqual(16);
    expect(recovered.entries).toEqual(commands(first, 30));
  });

  test("given a second snapshot, then the first goes only after it is durable, and before any segment", () => {
    const { disk, storage } = grown();
    compact(disk, storage, 10, 0);
    disk.journal.length = 0;
    compact(disk, storage, 20, 0);
    const changes = disk.journal.filter((line) => !line.startsWith("flush") && !line.startsWith("append"));
    expect(changes.slice(0, 2)).toEqual(["replace snapshot-0000000000000020-1", "remove snapshot-0000000000000010-1"]);
    const removed = changes.slice(2);
    expect(removed.length).toBeGreaterThan(1);
    expect(removed).toEqual(removed.toSorted());
  });

  test("given saves going on, then compaction does not hold them up", () => {
    const { disk, storage } = grown();
    const ended: string[] = [];
    storage.compact(snapshotAt(20), 0, () => ended.push("compacted"));
    storage.save(batch({ entries: commands(31, 31) }), () => ended.push("saved"));
    disk.settle();
    expect(ended).toEqual(["saved", "compacted"]);
    expect(openWhole(disk, options).recovered.entries.at(-1)).toEqual(commands(31, 31)[0]);
  });

  test("given a snapshot of an entry that is not durable here yet, then the entry becomes so first", () => {
    const { disk, storage } = grown();
    disk.journal.length = 0;
    storage.save(batch({ entries: commands(31, 31) }), () => {});
    storage.compact(snapshotAt(31), 0, () => {});
    expect(disk.journal.some((line) => line.startsWith("replace snapshot"))).toBe(false);
    disk.settle();
    expect(disk.journal.findIndex((line) => line.startsWith("replace snapshot"))).toBeGreaterThan(2);
    expect(openWhole(disk, options).recovered.snapshot).toEqual(snapshotAt(31));
  });

  test("given a snapshot beyond the end of the log, then keeping it throws", () => {
    const { storage } = grown();
    expect(() => storage.compact(snapshotAt(31), 0, () => {})).toThrow("the log ends at 30");
  });

  test("given a disk that is full for the snapshot, then that fails alone: nothing is lost, and saves go on", () => {
    const { disk, storage } = grown();
    const results: unknown[] = [];
    storage.compact(snapshotAt(20), 0, (result) => results.push(result));
    stepUntil(disk, "replace snapshot");
    disk.error = { kind: "full", message: "The card is full." };
    disk.step();
    expect(results).toEqual([{ ok: false, error: disk.error }]);
    disk.error = null;
    expect(storage.failure).toBeNull();
    expect(save(disk, storage, { entries: commands(31, 31) }).ok).toBe(true);
    expect(openWhole(disk, options).recovered).toMatchObject({ snapshot: null, entries: commands(1, 31) });
  });

  test("given a segment that cannot be removed, then no later one is, and the next compaction tries again", () => {
    const { disk, storage } = grown();
    storage.compact(snapshotAt(20), 0, () => {});
    stepUntil(disk, "remove log");
    disk.error = { kind: "failed", message: "The card is read-only." };
    disk.settle();
    disk.error = null;
    expect(openWhole(disk.copy(), options).recovered.snapshot).toEqual(snapshotAt(20));
    expect(disk.files.has("log-0000000000000001")).toBe(true);
    compact(disk, storage, 25, 0);
    expect(disk.files.has("log-0000000000000001")).toBe(false);
  });

  test("given a crash at any moment of a compaction, then nothing is missing", () => {
    const { disk, storage } = grown();
    compact(disk, storage, 10, 2);
    storage.compact(snapshotAt(25), 2, () => {});
    for (let step = 0; step < 12; step += 1) {
      const { recovered } = openWhole(disk.copy(), options);
      expect([10, 25]).toContain(recovered.snapshot?.index);
      expect(recovered.entries.at(-1)).toEqual(commands(30, 30)[0]);
      expect(recovered.entries[0]?.index ?? 0).toBeLessThanOrEqual((recovered.snapshot?.index ?? 0) + 1);
      disk.step();
    }
    expect(openWhole(disk, options).recovered.snapshot?.index).toBe(25);
  });

  test("given overwritten entries in old segments, then these go only when no entry of theirs is needed", () => {
    const { disk, storage } = grown();
    save(disk, storage, { entries: commands(12, 14, 2) });
    storage.compact(snapshotAt(13, 2), 0, () => {});
    disk.settle();
    expect(openWhole(disk.copy(), options).recovered).toMatchObject({ snapshot: snapshotAt(13, 2) });
    expect(openWhole(disk, options).recovered.entries.at(-1)).toEqual(commands(14, 14, 2)[0]);
    for (let index = 15; index <= 60; index += 1) save(disk, storage, { entries: commands(index, index, 2) });
    storage.compact(snapshotAt(50, 2), 0, () => {});
    disk.settle();
    expect(disk.files.has("log-0000000000000001")).toBe(false);
  });
});

describe("a snapshot from the leader replaces the log", () => {
  const options = { segmentBytesMax: 300 };

  test("given a log, when a snapshot takes its place, then what was there before is not revived", () => {
    const disk = formattedDisk();
    const { storage } = openWhole(disk, options);
    for (let index = 1; index <= 20; index += 1) save(disk, storage, { entries: commands(index, index) });
    save(disk, storage, { hardState: voted(4), snapshot: snapshotAt(10, 4), entries: commands(11, 12, 4) });
    expect(storage.lastIndex).toBe(12);
    const { recovered } = openWhole(disk, options);
    expect(recovered).toMatchObject({
      hardState: voted(4),
      snapshot: snapshotAt(10, 4),
      entries: commands(11, 12, 4),
    });
    expect([...disk.files.keys()].filter((file) => file.startsWith("log"))).toHaveLength(1);
  });

  test("given a snapshot beyond the log, then the log goes on after it, also after further boots", () => {
    const disk = formattedDisk();
    save(disk, openWhole(disk, options).storage, { entries: commands(1, 3) });
    save(disk, openWhole(disk, options).storage, { hardState: voted(2), snapshot: snapshotAt(50, 2) });
    save(disk, openWhole(disk, options).storage, { entries: commands(51, 52, 2) });
    const { recovered } = openWhole(disk, options);
    expect(recovered).toMatchObject({ snapshot: snapshotAt(50, 2), entries: commands(51, 52, 2) });
  });

  test("given a crash at any moment of the installation, then the log is the old one or the new one", () => {
    const disk = formattedDisk();
    const { storage } = openWhole(disk, options);
    save(disk, storage, { entries: commands(1, 9) });
    compact(disk, storage, 5, 0);
    let ended = false;
    storage.save(batch({ hardState: voted(4), snapshot: snapshotAt(7, 4) }), () => {
      ended = true;
    });
    for (let step = 0; step < 8; step += 1) {
      const { recovered } = openWhole(disk.copy(), options);
      const old = { snapshot: snapshotAt(5), hardState: { term: 0, votedFor: null } };
      expect(recovered).toMatchObject(
        recovered.snapshot?.index === 5 ? old : { snapshot: snapshotAt(7, 4), entries: [] },
      );
      if (ended) expect(recovered.snapshot?.index).toBe(7);
      disk.step();
    }
    expect(ended).toBe(true);
  });

  test("given saves waiting behind an installation, then all end in order", () => {
    const disk = formattedDisk();
    const { storage } = openWhole(disk, options);
    const ended: string[] = [];
    storage.save(batch({ entries: commands(1, 2) }), () => ended.push("entries"));
    storage.save(batch({ snapshot: snapshotAt(9, 3) }), () => ended.push("snapshot"));
    storage.save(batch({ entries: commands(10, 10, 3) }), () => ended.push("entry after it"));
    storage.save(batch({ snapshot: snapshotAt(20, 3) }), () => ended.push("another snapshot"));
    storage.save(batch({ hardState: voted(3) }), () => ended.push("hard state"));
    disk.settle();
    expect(ended).toEqual(["entries", "snapshot", "entry after it", "another snapshot", "hard state"]);
    expect(openWhole(disk, options).recovered).toMatchObject({
      hardState: voted(3),
      snapshot: snapshotAt(20, 3),
      entries: [],
    });
    expect([...disk.files.keys()].filter((file) => file.startsWith("snapshot"))).toEqual([
      "snapshot-0000000000000020-3",
    ]);
  });

  test("given a compaction that ends after an installation, then the older snapshot does not stay", () => {
    const disk = formattedDisk();
    const { storage } = openWhole(disk, options);
    save(disk, storage, { entries: commands(1, 9) });
    const results: unknown[] = [];
    storage.compact(snapshotAt(5), 0, (result) => results.push(result));
    storage.save(batch({ snapshot: snapshotAt(20, 3) }), (result) => results.push(result));
    disk.settle();
    expect(results).toEqual([
      { ok: true, value: null },
      { ok: true, value: null },
    ]);
    expect(openWhole(disk, options).recovered).toMatchObject({ snapshot: snapshotAt(20, 3), entries: [] });
    expect(disk.files.has("snapshot-0000000000000005-1")).toBe(false);
  });

  test("given a disk that cannot take the snapshot, then the log ends there", () => {
    const disk = formattedDisk();
    const { storage } = openWhole(disk, options);
    disk.error = { kind: "full", message: "The card is full." };
    expect(save(disk, storage, { snapshot: snapshotAt(9) })).toEqual({ ok: false, error: disk.error });
    expect(storage.failure).toEqual(disk.error);
  });
});

/** Completes what the disk was asked for until it has been asked for something that starts like this. */
function stepUntil(disk: MemoryDisk, request: string): void {
  disk.journal.length = 0;
  for (let step = 0; step < 100; step += 1) {
    if (disk.journal.some((line) => line.startsWith(request))) return;
    disk.step();
  }
  throw new Error(`The disk was never asked to ${request}.`);
}
