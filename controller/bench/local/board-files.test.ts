import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { empty, flipBit } from "./board-files.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "adrift-board-files-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("a bit of a card", () => {
  test("turns over, one alone, wherever chance says", () => {
    writeFileSync(join(folder, "a"), Buffer.from([0, 0]));
    writeFileSync(join(folder, "b"), Buffer.from([0xff, 0xff]));
    const draws = [3, 7];
    expect(flipBit(folder, () => draws.shift() ?? 0)).toEqual({ file: "b", offset: 1 });
    expect([...readFileSync(join(folder, "a")), ...readFileSync(join(folder, "b"))]).toEqual([0, 0, 0xff, 0x7f]);
  });

  test("given that nothing is stored yet, then none turns over", () => {
    writeFileSync(join(folder, "empty"), "");
    mkdirSync(join(folder, "folder"));
    expect(flipBit(folder)).toBeNull();
  });
});

test("a new card holds nothing", () => {
  writeFileSync(join(folder, "log"), "entries");
  mkdirSync(join(folder, "snapshots"));
  empty(folder);
  expect(readdirSync(folder)).toEqual([]);
});
