/** What a power cut or a failing card can do to the bytes of a log, and what recovery makes of it. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { crc32c } from "../crc32c.ts";
import type { Entry, HardState } from "../raft/types.ts";
import { asciiBytes, readAscii } from "./ascii.ts";
import type { MemoryDisk } from "./memory-disk.fixture.ts";
import { encodeSnapshot } from "./snapshot-file.ts";
import {
  batch,
  commands,
  compact,
  formattedDisk,
  openDisk,
  openWhole,
  save,
  snapshotAt,
  voted,
} from "./storage.fixture.ts";
import type { Recovered } from "./storage.ts";

const firstSegment = "log-0000000000000001";

describe("a disk keeps room behind what was written", () => {
  test("given zeros behind the last record, then nothing is torn, and the log goes on where it ended", () => {
    for (const room of [1, 31, 32, 4_096]) {
      const disk = formattedDisk();
      const { storage } = openWhole(disk);
      save(disk, storage, { hardState: voted(1), entries: commands(1, 3) });
      makeRoom(disk, firstSegment, room);
      const { recovered, storage: again } = openWhole(disk);
      expect(recovered).toMatchObject({ hardState: voted(1), entries: commands(1, 3), tornTail: null });
      save(disk, again, { entries: commands(4, 4) });
      expect(openWhole(disk).recovered).toMatchObject({ entries: commands(1, 4), tornTail: null });
    }
  });

  test("given zeros behind the records of every segment, then the whole log is there", () => {
    const disk = formattedDisk();
    const { storage } = openWhole(disk, { segmentBytesMax: 100 });
    for (let index = 1; index <= 9; index += 1) save(disk, storage, { entries: commands(index, index) });
    const segments = [...disk.files.keys()].filter((file) => file.startsWith("log-"));
    expect(segments.length).toBeGreaterThan(3);
    for (const segment of segments) makeRoom(disk, segment, 512);
    expect(openWhole(disk).recovered).toMatchObject({ entries: commands(1, 9), tornTail: null });
  });

  test("given zeros in the place of a record of an earlier segment, then that is damage", () => {
    const disk = formattedDisk();
    const { storage } = openWhole(disk, { segmentBytesMax: 100 });
    for (let index = 1; index <= 9; index += 1) save(disk, storage, { entries: commands(index, index) });
    const bytes = disk.files.get(firstSegment) ?? new Uint8Array(0);
    bytes.fill(0, bytes.length - 70);
    expect(openDisk(disk).kind).toBe("damaged");
  });

  test("given zeros in the place of a record that a later one calls flushed, then that is damage", () => {
    const disk = formattedDisk();
    const { storage } = openWhole(disk);
    save(disk, storage, { entries: commands(1, 2) });
    const end = disk.files.get(firstSegment)?.length ?? 0;
    save(disk, storage, { entries: commands(3, 3) });
    disk.files.get(firstSegment)?.fill(0, end - 60, end - 30);
    expect(openDisk(disk).kind).toBe("damaged");
  });

  function makeRoom(disk: MemoryDisk, file: string, zeros: number): void {
    disk.files.set(file, Uint8Array.from([...(disk.files.get(file) ?? []), ...new Uint8Array(zeros)]));
  }
});

describe("a power cut tears what was not flushed", () => {
  /** Everything before `acknowledged` is durable; what follows was appended and its flush never ended. */
  function interrupted(): { disk: MemoryDisk; flushedBytes: number; bytes: Uint8Array } {
    const disk = formattedDisk();
    const { storage } = openWhole(disk);
    save(disk, storage, { hardState: voted(1), entries: commands(1, 2) });
    storage.save(batch({ entries: commands(3, 4) }), () => {});
    const flushedBytes = disk.files.get(firstSegment)?.length ?? 0;
    disk.settle();
    storage.save(batch({ hardState: voted(2), entries: commands(3, 6, 2) }), () => {});
    return { disk, flushedBytes, bytes: disk.files.get(firstSegment) ?? new Uint8Array(0) };
  }

  /** The states between the last acknowledged save and the one under way, one record after the other. */
  const states: readonly { hardState: HardState; entries: readonly Entry[] }[] = [
    { hardState: voted(1), entries: commands(1, 4) },
    { hardState: voted(2), entries: commands(1, 4) },
    ...[3, 4, 5, 6].map((last) => ({
      hardState: voted(2),
      entries: [...commands(1, 2), ...commands(3, last, 2)],
    })),
  ];

  /** Opens the log with these bytes: nothing acknowledged may be missing, and the log must be able to go on. */
  function recoveredFrom(disk: MemoryDisk, bytes: Uint8Array): Recovered {
    const cut = disk.copy();
    cut.files.set(firstSegment, bytes);
    const { recovered, storage } = openWhole(cut);
    expect(states).toContainEqual({ hardState: recovered.hardState, entries: recovered.entries });
    const next = recovered.entries.length + 1;
    save(cut, storage, { entries: commands(next, next, 3) });
    const again = openWhole(cut).recovered;
    expect(again).toMatchObject({ entries: [...recovered.entries, ...commands(next, next, 3)], tornTail: null });
    return recovered;
  }

  test("given any prefix of it, then what was acknowledged is there, and what was cut off is said", () => {
    const { disk, flushedBytes, bytes } = interrupted();
    const seen = new Set<number>();
    for (let length = flushedBytes; length <= bytes.length; length += 1) {
      const { tornTail, entries, hardState } = recoveredFrom(disk, bytes.slice(0, length));
      seen.add(
        states.findIndex((state) => state.entries.length === entries.length && state.hardState.term === hardState.term),
      );
      if (tornTail !== null) {
        expect(tornTail.file).toBe(firstSegment);
        expect(tornTail.offset).toBeGreaterThanOrEqual(flushedBytes);
        expect(tornTail.offset + tornTail.bytesLost).toBe(length);
      }
    }
    expect(recoveredFrom(disk, bytes).tornTail).toBeNull();
    expect(seen.size).toBeGreaterThan(4);
  });

  test("given sectors that reached the disk in any order, then what was acknowledged is there", () => {
    const { disk, flushedBytes, bytes } = interrupted();
    const sectors = fc.infiniteStream(fc.boolean());
    fc.assert(
      fc.property(sectors, fc.integer({ min: 1, max: 64 }), (kept, sectorBytes) => {
        const torn = bytes.slice();
        for (let start = flushedBytes; start < torn.length; start += sectorBytes) {
          if (!kept.next().value) torn.fill(0, start, start + sectorBytes);
        }
        recoveredFrom(disk, torn);
      }),
      { numRuns: 200 },
    );
  });

  test("given any garbage in its place, then what was acknowledged is there", () => {
    const { disk, flushedBytes, bytes } = interrupted();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (garbage) => {
        recoveredFrom(disk, Uint8Array.from([...bytes.subarray(0, flushedBytes), ...garbage]));
      }),
      { numRuns: 200 },
    );
  });

  test("given bytes that only the operating system's memory holds, when the log is opened, then they are written anew", () => {
    const disk = interrupted().disk.copy();
    openDisk(disk);
    expect(disk.journal).toEqual([`replace ${firstSegment}`]);
  });
});

describe("a bit flips in what was flushed", () => {
  /** Several segments, a snapshot without which they are not enough, and behind the last record its mark. */
  function grown(): MemoryDisk {
    const disk = formattedDisk();
    const { storage } = openWhole(disk, { segmentBytesMax: 500 });
    save(disk, storage, { hardState: voted(3) });
    for (let index = 1; index <= 16; index += 1) save(disk, storage, { entries: commands(index, index) });
    compact(disk, storage, 8, 1);
    save(disk, storage, { entries: commands(17, 18) });
    return disk;
  }
  const markBytes = 32;

  test("given any bit of any file, then that is damage, whose file and place are named, and nothing is changed", () => {
    const disk = grown();
    const files = [...disk.files];
    const lastSegment = files
      .map(([file]) => file)
      .filter((file) => file.startsWith("log"))
      .sort()
      .at(-1);
    expect(files.length).toBeGreaterThanOrEqual(5);
    for (const [file, bytes] of files) {
      const flushedBytes = file === lastSegment ? bytes.length - markBytes : bytes.length;
      for (let bit = 0; bit < flushedBytes * 8; bit += 1) {
        const flipped = flipBit(disk, file, bit);
        const before = flipped.files.get(file);
        const opened = openDisk(flipped);
        if (opened.kind !== "damaged")
          throw new Error(`Bit ${bit} of ${file} was flipped, and the disk is ${opened.kind}.`);
        if (opened.damage.file !== file)
          throw new Error(`Bit ${bit} of ${file} was flipped, and ${opened.damage.file} named.`);
        expect(opened.damage.offset).toBeLessThanOrEqual(bit >> 3);
        if (flipped.journal.length > 0 || flipped.files.get(file) !== before) throw new Error("The disk was changed.");
      }
    }
  });

  test("given any bit of the mark behind everything, then nothing is missing, and the mark is cut off", () => {
    const disk = grown();
    const file =
      [...disk.files.keys()]
        .filter((name) => name.startsWith("log"))
        .sort()
        .at(-1) ?? "";
    const length = disk.files.get(file)?.length ?? 0;
    for (let bit = (length - markBytes) * 8; bit < length * 8; bit += 1) {
      const { recovered } = openWhole(flipBit(disk, file, bit));
      expect(recovered.entries.at(-1)?.index).toBe(18);
      expect(recovered.tornTail).toEqual({ file, offset: length - markBytes, bytesLost: markBytes });
    }
  });

  test("given a bit of what a repair left behind the log, then nothing is missing, or it is damage", () => {
    const disk = formattedDisk();
    save(disk, openWhole(disk).storage, { entries: commands(1, 2) });
    openWhole(disk);
    const length = disk.files.get(firstSegment)?.length ?? 0;
    const repaired = disk.copy();
    for (let bit = 0; bit < length * 8; bit += 1) {
      const opened = openDisk(flipBit(repaired, firstSegment, bit));
      if (opened.kind === "ready") expect(opened.recovered.entries).toEqual(commands(1, 2));
      else expect(opened.kind).toBe("damaged");
    }
    // Saved after the repair, and the power goes before anything says that this was flushed.
    openWhole(disk).storage.save(batch({ entries: commands(3, 3) }), () => {});
    const repairedLength = disk.files.get(firstSegment)?.length ?? 0;
    for (let bit = length * 8; bit < repairedLength * 8; bit += 1) {
      const opened = openDisk(flipBit(disk, firstSegment, bit));
      if (opened.kind === "ready") expect(opened.recovered.entries.slice(0, 2)).toEqual(commands(1, 2));
      else expect(opened.kind).toBe("damaged");
    }
  });

  test("given damage, then the result says whose disk it is, so that its board can start over", () => {
    const disk = grown();
    expect(openDisk(flipBit(disk, "snapshot-0000000000000008-1", 400))).toMatchObject({
      kind: "damaged",
      boot: { member: "ada" },
    });
    expect(openDisk(flipBit(disk, "boot", 400))).toMatchObject({ kind: "damaged", boot: null });
  });
});

describe("files are missing or out of place", () => {
  function grown(): MemoryDisk {
    const disk = formattedDisk();
    const { storage } = openWhole(disk, { segmentBytesMax: 300 });
    for (let index = 1; index <= 12; index += 1) save(disk, storage, { entries: commands(index, index) });
    return disk;
  }

  test("given a segment missing in the middle, then that is damage, and the missing file is named", () => {
    const disk = grown();
    disk.files.delete("log-0000000000000002");
    expect(openDisk(disk)).toMatchObject({ kind: "damaged", damage: { file: "log-0000000000000002", offset: 0 } });
  });

  test("given the oldest segments missing, then that is damage, because no snapshot covers them", () => {
    const disk = grown();
    disk.files.delete(firstSegment);
    expect(openDisk(disk)).toMatchObject({
      kind: "damaged",
      damage: {
        file: "log-0000000000000002",
        reason: expect.stringMatching(/starts after entry \d+, and there is no/),
      },
    });
  });

  test("given all segments missing, then that is damage, and not a new disk", () => {
    const disk = grown();
    for (const file of [...disk.files.keys()]) if (file !== "boot") disk.files.delete(file);
    expect(openDisk(disk)).toMatchObject({ kind: "damaged", damage: { file: firstSegment } });
  });

  test("given an empty last segment, then that is damage: a segment is born with its header", () => {
    const disk = grown();
    const last = [...disk.files.keys()].filter((file) => file.startsWith("log")).length;
    const file = `log-${String(last + 1).padStart(16, "0")}`;
    disk.files.set(file, new Uint8Array(0));
    expect(openDisk(disk)).toMatchObject({ kind: "damaged", damage: { file, offset: 0 } });
  });

  test("given a segment twice under different numbers, then that is damage", () => {
    const disk = grown();
    disk.files.set("log-0000000000000002", disk.files.get(firstSegment) ?? new Uint8Array(0));
    expect(openDisk(disk)).toMatchObject({
      kind: "damaged",
      damage: { file: "log-0000000000000002", offset: 0, reason: expect.stringContaining("sequence number 1, where") },
    });
  });

  test("given a log but no boot record, then that is damage", () => {
    const disk = grown();
    disk.files.delete("boot");
    expect(openDisk(disk)).toMatchObject({ kind: "damaged", damage: { file: "boot" }, boot: null });
  });

  test("given a disk of a newer version of this software, then it is refused, not taken for damaged", () => {
    const disk = grown();
    disk.files.set("boot", withFormat(disk.files.get("boot") ?? new Uint8Array(0), 2));
    expect(openDisk(disk)).toEqual({
      kind: "refused",
      file: "boot",
      reason: "it has format 2, and this version reads formats up to 1",
    });
  });
});

describe("a snapshot is damaged", () => {
  function compacted(): MemoryDisk {
    const disk = formattedDisk();
    const { storage } = openWhole(disk, { segmentBytesMax: 300 });
    for (let index = 1; index <= 12; index += 1) save(disk, storage, { entries: commands(index, index) });
    compact(disk, storage, 8, 0);
    return disk;
  }
  const broken = asciiBytes("00000000 adrift-snapshot 1\n");

  test("given nothing older, then that is damage of the snapshot's file", () => {
    const disk = compacted();
    disk.files.set("snapshot-0000000000000008-1", broken);
    expect(openDisk(disk)).toMatchObject({
      kind: "damaged",
      damage: { file: "snapshot-0000000000000008-1", offset: 0 },
    });
  });

  test("given an older one and all entries since, then these are used, and the damage is said", () => {
    const disk = compacted();
    disk.files.set("snapshot-0000000000000010-1", broken);
    const { recovered } = openWhole(disk);
    expect(recovered.snapshot).toEqual(snapshotAt(8));
    expect(recovered.entries.at(-1)?.index).toBe(12);
    expect(recovered.damagedSnapshot).toMatchObject({ file: "snapshot-0000000000000010-1", offset: 0 });
    expect(disk.files.has("snapshot-0000000000000010-1")).toBe(false);
  });

  test("given one of a newer format, then the disk is refused", () => {
    const disk = compacted();
    const file = "snapshot-0000000000000008-1";
    disk.files.set(file, withFormat(disk.files.get(file) ?? new Uint8Array(0), 3));
    expect(openDisk(disk)).toMatchObject({ kind: "refused", file });
  });

  test("given one that never took its place in the log, then it is not used, and goes", () => {
    const disk = compacted();
    disk.files.set("snapshot-0000000000000099-7", encodeSnapshot(snapshotAt(99, 7)));
    disk.files.set("snapshot-0000000000000010-7", encodeSnapshot(snapshotAt(10, 7)));
    expect(openWhole(disk).recovered.snapshot).toEqual(snapshotAt(8));
    expect([...disk.files.keys()].filter((file) => file.startsWith("snapshot"))).toEqual([
      "snapshot-0000000000000008-1",
    ]);
  });
});

function flipBit(disk: MemoryDisk, file: string, bit: number): MemoryDisk {
  const flipped = disk.copy();
  const bytes = flipped.files.get(file) ?? new Uint8Array(0);
  bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return flipped;
}

/** The same sealed file as a later version would write it, with a checksum that is right. */
function withFormat(bytes: Uint8Array, format: number): Uint8Array {
  const text = readAscii(bytes, 8, bytes.length).replace(/^( adrift-\w+) \d+/, `$1 ${format}`);
  const unsealed = asciiBytes(`00000000${text}`);
  const checksum = crc32c(unsealed, 8, unsealed.length).toString(16).padStart(8, "0");
  return asciiBytes(`${checksum}${text}`);
}
