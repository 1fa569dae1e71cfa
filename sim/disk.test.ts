import { describe, expect, test } from "vitest";
import { createRandom } from "../device/random.ts";
import { diskSuite } from "../device/storage/disk.suite.ts";
import type { Disk, DiskResult } from "../device/storage/index.ts";
import { goodDiskTiming, SimDisk } from "./disk.ts";
import { EventQueue } from "./queue.ts";

diskSuite("the simulated disk", () => {
  const bench = simulated("suite");
  let disk = bench.disk.mount();
  return {
    disk: () => disk,
    settle: bench.settle,
    restart: () => {
      bench.disk.crashProcess();
      disk = bench.disk.mount();
    },
    cutPower: () => {
      bench.disk.cutPower();
      disk = bench.disk.mount();
    },
    dispose: () => {},
  };
});

describe("the power is cut", () => {
  test("given bytes that were not flushed, then over many cuts they are lost, torn, there with holes, and whole", () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 200; seed += 1) {
      const { disk, settle } = simulated(seed);
      const process = disk.mount();
      process.append("log", filled(300));
      process.flush("log", () => {});
      settle();
      process.append("log", filled(2_000));
      disk.cutPower();
      const content = disk.durableContent().get("log") ?? new Uint8Array(0);
      const tail = content.subarray(300);
      expect(content.subarray(0, 300)).toEqual(filled(300));
      if (tail.length === 0) seen.add("lost");
      else if (tail.includes(0)) seen.add("holes");
      else seen.add(tail.length < 2_000 ? "torn" : "whole");
      // Sectors of 512 bytes are there or not, as a whole, and what was durable stays.
      for (let offset = 512; offset < content.length; offset += 512) {
        const sector = content.subarray(offset, offset + 512);
        expect(new Set(sector).size).toBe(1);
      }
    }
    expect([...seen].sort()).toEqual(["holes", "lost", "torn", "whole"]);
  });

  test("given a file that was never flushed, then its name may be lost too", () => {
    const present = new Set<boolean>();
    for (let seed = 0; seed < 20; seed += 1) {
      const { disk } = simulated(seed);
      disk.mount().append("log", filled(10));
      disk.cutPower();
      present.add(disk.durableContent().has("log"));
    }
    expect(present).toEqual(new Set([true, false]));
  });

  test("given the same seed, then the same is lost", () => {
    const contents = [1, 1, 2].map((seed) => {
      const { disk } = simulated(seed);
      const process = disk.mount();
      for (const file of ["a", "b", "c"]) process.append(file, filled(5_000));
      disk.cutPower();
      return [...disk.durableContent()].map(([file, bytes]) => [file, bytes.length, bytes.indexOf(0)]);
    });
    expect(contents[0]).toEqual(contents[1]);
    expect(contents[0]).not.toEqual(contents[2]);
  });
});

describe("a boot ends", () => {
  for (const [how, end] of [
    ["the power is cut", (disk: SimDisk) => disk.cutPower()],
    ["the process dies", (disk: SimDisk) => disk.crashProcess()],
    ["the card is changed for an empty one", (disk: SimDisk) => disk.wipe()],
  ] as const) {
    test(`given operations under way, when ${how}, then none of them is ever reported, and the old boot does nothing more`, () => {
      const { disk, settle } = simulated("epoch");
      const old = disk.mount();
      let reported = 0;
      const ask = (): void => {
        old.append("log", filled(10));
        old.flush("log", () => (reported += 1));
        old.replace("boot", filled(10), () => (reported += 1));
        old.remove("boot", () => (reported += 1));
        old.list(() => (reported += 1));
      };
      ask();
      end(disk);
      const before = [...disk.durableContent().keys()];
      ask();
      settle();
      expect(reported).toBe(0);
      expect([...disk.durableContent().keys()]).toEqual(before);
    });
  }

  test("given bytes that were not flushed, when only the process dies, then they are still there, and still not durable", () => {
    const { disk, settle } = simulated("crash");
    disk.mount().append("log", filled(100));
    disk.crashProcess();
    const results: DiskResult<Uint8Array>[] = [];
    disk.mount().read("log", (result) => results.push(result));
    settle();
    expect(results).toEqual([{ ok: true, value: filled(100) }]);
    expect(disk.durableContent().size).toBe(0);
  });

  test("given a wiped card, then nothing is left", () => {
    const { disk, settle } = simulated("wipe");
    disk.mount().replace("boot", filled(10), () => {});
    settle();
    disk.wipe();
    expect(disk.durableContent().size).toBe(0);
  });
});

describe("the disk is in trouble", () => {
  test("given a stall, then nothing ends before it is over, and then everything does", () => {
    const { disk, settle } = simulated("stall");
    const { process, flushed } = writing(disk);
    disk.stall();
    process.append("log", filled(10));
    process.flush("log", flushed.push);
    settle();
    expect(flushed.results).toEqual([]);
    expect(disk.durableContent().size).toBe(0);
    disk.resume();
    expect(flushed.results).toEqual([]);
    settle();
    expect(flushed.results).toEqual([{ ok: true, value: null }]);
    expect(disk.flushes).toBe(1);
  });

  test("given a slow disk, then a flush takes so many times as long", () => {
    const { disk, queue } = simulated("slow");
    const { process, flushed } = writing(disk);
    disk.setSlowness(1_000);
    process.append("log", filled(10));
    process.flush("log", flushed.push);
    queue.runUntil(199_999);
    expect(flushed.results).toEqual([]);
    queue.runUntil(1_000_000);
    expect(flushed.results).toHaveLength(1);
  });

  test("given a full disk, then flushes and replacements fail as full, and work again when there is room", () => {
    const { disk, settle } = simulated("full");
    const { process, flushed } = writing(disk);
    process.append("log", filled(10));
    process.flush("log", flushed.push);
    settle();
    disk.setFull(true);
    process.append("log", filled(100));
    process.flush("log", flushed.push);
    process.replace("boot", filled(10), flushed.push);
    settle();
    disk.setFull(false);
    process.flush("log", flushed.push);
    process.replace("boot", filled(10), flushed.push);
    settle();
    expect(flushed.results.map((result) => (result.ok ? "done" : result.error.kind))).toEqual([
      "done",
      "full",
      "full",
      "done",
      "done",
    ]);
    expect(disk.durableContent().get("log")?.length).toBeLessThan(110);
  });

  test("given bit rot, then one bit changes, in what was durable before the last flush, and at most one a file", () => {
    const touched = new Set<number>();
    for (let seed = 0; seed < 50; seed += 1) {
      const { disk, settle } = simulated(seed);
      const process = disk.mount();
      expect(disk.rot()).toBeNull();
      for (let flush = 0; flush < 3; flush += 1) {
        process.append("log", filled(10));
        process.flush("log", () => {});
        settle();
      }
      const rotten = disk.rot();
      const content = disk.durableContent().get("log") ?? new Uint8Array(0);
      const offset = content.findIndex((byte) => byte !== 1);
      expect(rotten).toEqual({ file: "log", offset });
      expect(offset).toBeLessThan(20);
      expect(disk.rot()).toBeNull();
      touched.add(offset);
    }
    expect(touched.size).toBeGreaterThan(10);
  });

  test("given a corrupt read, then the bytes are wrong once, and right the next time", () => {
    const { disk, settle } = simulated("corrupt");
    const process = disk.mount();
    process.replace("boot", filled(10), () => {});
    settle();
    disk.corruptNextRead();
    const results: DiskResult<Uint8Array>[] = [];
    for (let read = 0; read < 2; read += 1) process.read("boot", (result) => results.push(result));
    settle();
    expect(results.map((result) => result.ok && result.value.every((byte) => byte === 1))).toEqual([false, true]);
  });
});

function simulated(seed: string | number) {
  const queue = new EventQueue();
  const disk = new SimDisk({
    schedule: (delayUs, completion) => queue.at(queue.nowUs + delayUs, completion),
    random: createRandom(seed),
    timing: goodDiskTiming,
  });
  const settle = (): void => {
    while (queue.step());
  };
  return { queue, disk, settle };
}

function writing(disk: SimDisk): {
  process: Disk;
  flushed: { results: DiskResult<null>[]; push: (result: DiskResult<null>) => void };
} {
  const results: DiskResult<null>[] = [];
  return { process: disk.mount(), flushed: { results, push: (result) => void results.push(result) } };
}

function filled(length: number): Uint8Array {
  return new Uint8Array(length).fill(1);
}
