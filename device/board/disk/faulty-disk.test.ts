import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { diskSuite } from "../../storage/disk.suite.ts";
import { MemoryDisk } from "../../storage/memory-disk.fixture.ts";
import { createFaultyDisk, type FaultyDisk } from "./faulty-disk.ts";
import { bytes, ended } from "./folder.fixture.ts";

diskSuite("a disk that could be told to be bad and is not", () => {
  const memory = new MemoryDisk();
  const { disk } = createFaultyDisk(memory);
  return { disk: () => disk, settle: () => memory.settle(), restart: () => {}, cutPower: null, dispose: () => {} };
});

let memory: MemoryDisk;
let faulty: FaultyDisk;
const told: string[] = [];

beforeEach(() => {
  memory = new MemoryDisk();
  faulty = createFaultyDisk(memory);
  told.length = 0;
});
afterEach(() => {
  vi.useRealTimers();
});

function tell(what: string): (result: { readonly ok: boolean }) => void {
  return ({ ok }) => told.push(`${what} ${ok ? "ok" : "failed"}`);
}

describe("a stalled disk", () => {
  test("given anything asked of it, then nothing ends until it stalls no longer, and then all of it, in order", () => {
    faulty.disk.append("log-1", bytes("a"));
    faulty.disk.flush("log-1", tell("flush before"));
    faulty.setCondition({ kind: "stalled" });
    faulty.disk.replace("boot", bytes("b"), tell("replace"));
    faulty.disk.read("boot", tell("read"));
    faulty.disk.list(tell("list"));
    faulty.disk.remove("boot", tell("remove"));
    memory.settle();
    expect(told).toEqual([]);
    faulty.setCondition({ kind: "healthy" });
    expect(told).toEqual(["flush before ok", "replace ok", "read ok", "list ok", "remove ok"]);
  });

  test("given that it stalls again while it catches up, then the rest waits again", () => {
    faulty.setCondition({ kind: "stalled" });
    faulty.disk.list(() => faulty.setCondition({ kind: "stalled" }));
    faulty.disk.list(tell("second"));
    memory.settle();
    faulty.setCondition({ kind: "healthy" });
    expect(told).toEqual([]);
    faulty.setCondition({ kind: "healthy" });
    expect(told).toEqual(["second ok"]);
  });
});

describe("a slow disk", () => {
  test("given a flush and a replacement, then neither ends before its time, and reading takes no longer", () => {
    vi.useFakeTimers();
    faulty.setCondition({ kind: "slow", flushUs: 20_000 });
    faulty.disk.append("log-1", bytes("a"));
    faulty.disk.flush("log-1", tell("flush"));
    faulty.disk.replace("boot", bytes("b"), tell("replace"));
    faulty.disk.read("log-1", tell("read"));
    memory.settle();
    vi.advanceTimersByTime(19);
    expect(told).toEqual(["read ok"]);
    vi.advanceTimersByTime(1);
    expect(told).toEqual(["read ok", "flush ok", "replace ok"]);
  });
});

describe("a full disk", () => {
  test("given an append and a flush, then the flush fails as full, and the file holds what it held", async () => {
    faulty.disk.append("log-1", bytes("a"));
    faulty.setCondition({ kind: "full" });
    faulty.disk.append("log-1", bytes("b"));
    expect(await ended((done) => faulty.disk.flush("log-1", done))).toMatchObject({
      ok: false,
      error: { kind: "full" },
    });
    expect(memory.files.get("log-1")).toEqual(bytes("a"));
  });

  test("given a replacement, then it fails as full, and the old file stays", async () => {
    memory.files.set("boot", bytes("old"));
    faulty.setCondition({ kind: "full" });
    expect(await ended((done) => faulty.disk.replace("boot", bytes("new"), done))).toMatchObject({
      ok: false,
      error: { kind: "full" },
    });
    expect(memory.files.get("boot")).toEqual(bytes("old"));
  });

  test("given bytes that found no room, when there is room again, then nothing follows the gap", async () => {
    faulty.setCondition({ kind: "full" });
    faulty.disk.append("log-1", bytes("a"));
    faulty.setCondition({ kind: "healthy" });
    faulty.disk.append("log-1", bytes("b"));
    expect(await ended((done) => faulty.disk.flush("log-1", done))).toMatchObject({
      ok: false,
      error: { kind: "full" },
    });
    expect(memory.files.has("log-1")).toBe(false);
  });
});
