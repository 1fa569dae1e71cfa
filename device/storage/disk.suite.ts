/** What every `Disk` has to do, whatever it is made of: one suite for all of them. */

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Disk, DiskResult } from "./disk.ts";

/** A disk on the test bench, empty at first. */
export type DiskOnBench = {
  /** The disk as the process that runs now sees it. */
  disk(): Disk;
  /** Waits until everything that was asked of the disk has ended. */
  settle(): void | Promise<void>;
  /** Ends the process, which leaves the operating system's memory alone, and starts another. */
  restart(): void | Promise<void>;
  /** Cuts the power, and starts again; `null` where that cannot be done. */
  readonly cutPower: (() => void | Promise<void>) | null;
  dispose(): void | Promise<void>;
};

export function diskSuite(name: string, make: () => DiskOnBench | Promise<DiskOnBench>): void {
  describe(name, () => {
    let bench: DiskOnBench;
    beforeEach(async () => {
      bench = await make();
    });
    afterEach(() => bench.dispose());

    /** What an operation ends with. */
    async function ended<Value>(ask: (done: (result: DiskResult<Value>) => void) => void): Promise<DiskResult<Value>> {
      const results: DiskResult<Value>[] = [];
      ask((result) => results.push(result));
      expect(results, "an operation never ends within the call that asked for it").toEqual([]);
      await bench.settle();
      expect(results).toHaveLength(1);
      return results[0] ?? { ok: false, error: { kind: "failed", message: "it never ended" } };
    }
    const list = () => ended<readonly string[]>((done) => bench.disk().list(done));
    const flush = (file: string) => ended<null>((done) => bench.disk().flush(file, done));
    const replace = (file: string, text: string) =>
      ended<null>((done) => bench.disk().replace(file, bytes(text), done));
    const remove = (file: string) => ended<null>((done) => bench.disk().remove(file, done));
    const append = (file: string, text: string) => bench.disk().append(file, bytes(text));
    async function read(file: string): Promise<string> {
      const result = await ended<Uint8Array>((done) => bench.disk().read(file, done));
      return result.ok ? String.fromCharCode(...result.value) : result.error.kind;
    }

    test("given a new disk, then it lists no files and reads none", async () => {
      expect(await list()).toEqual({ ok: true, value: [] });
      expect(await read("log-1")).toBe("missing");
    });

    test("given appended bytes, when the file is read before any flush, then they are there in order", async () => {
      append("log-1", "one ");
      append("log-1", "two ");
      append("log-1", "three");
      expect(await read("log-1")).toBe("one two three");
    });

    test("given files written in any way, then they are listed by name", async () => {
      append("log-2", "b");
      append("log-1", "a");
      await replace("boot", "c");
      await flush("log-1");
      await flush("log-2");
      expect(await list()).toEqual({ ok: true, value: ["boot", "log-1", "log-2"] });
    });

    test("given flushed bytes, when another process starts, then it finds them and can go on behind them", async () => {
      append("log-1", "one");
      expect(await flush("log-1")).toEqual(success);
      await bench.restart();
      append("log-1", " two");
      expect(await flush("log-1")).toEqual(success);
      expect(await read("log-1")).toBe("one two");
    });

    test("given a file that was never written, when it is flushed, then that fails as missing", async () => {
      expect(await flush("log-1")).toMatchObject({ ok: false, error: { kind: "missing" } });
    });

    test("given a long file, when it is replaced by a short one, then nothing of the long one is left", async () => {
      await replace("boot", "a long text");
      expect(await replace("boot", "short")).toEqual(success);
      expect(await read("boot")).toBe("short");
    });

    test("given a replaced file, when bytes are appended, then they follow what it was replaced by", async () => {
      await replace("log-1", "one");
      append("log-1", " two");
      expect(await flush("log-1")).toEqual(success);
      expect(await read("log-1")).toBe("one two");
    });

    test("given a file, when it is removed, and removed again, then it is gone and both succeed", async () => {
      await replace("boot", "text");
      expect(await remove("boot")).toEqual(success);
      expect(await remove("boot")).toEqual(success);
      expect(await read("boot")).toBe("missing");
    });

    test("given flushes of several files under way at once, then each ends once", async () => {
      append("log-1", "a");
      append("log-2", "b");
      const results: string[] = [];
      for (const file of ["log-1", "log-2", "log-1"]) {
        bench.disk().flush(file, ({ ok }) => results.push(`${file} ${ok}`));
      }
      await bench.settle();
      expect(results.sort()).toEqual(["log-1 true", "log-1 true", "log-2 true"]);
    });

    test("given flushed and unflushed bytes, when the power is cut, then at least the flushed ones are there", async () => {
      for (let round = 0; round < 20; round += 1) {
        if (bench.cutPower === null) return;
        const file = `log-${round}`;
        append(file, "flushed");
        await flush(file);
        append(file, " and not flushed");
        await bench.cutPower();
        const text = await read(file);
        expect(text.slice(0, 7)).toBe("flushed");
        expect(text.length).toBeLessThanOrEqual("flushed and not flushed".length);
      }
    });

    test("given a replacement or removal under way, when the power is cut, then the file is the old or the new", async () => {
      for (let round = 0; round < 20; round += 1) {
        if (bench.cutPower === null) return;
        await replace("boot", "old");
        bench.disk().replace("boot", bytes("new"), () => {});
        await bench.cutPower();
        expect(["old", "new"]).toContain(await read("boot"));
        await replace("boot", "old");
        bench.disk().remove("boot", () => {});
        await bench.cutPower();
        expect(["old", "missing"]).toContain(await read("boot"));
      }
    });

    test("given replaced and removed files, when the power is cut, then they stay replaced and removed", async () => {
      if (bench.cutPower === null) return;
      await replace("boot", "old");
      await replace("boot", "new");
      await replace("log-1", "text");
      await remove("log-1");
      await bench.cutPower();
      expect(await list()).toEqual({ ok: true, value: ["boot"] });
      expect(await read("boot")).toBe("new");
    });
  });
}

const success = { ok: true, value: null };

function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
