import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findLog, provision } from "../../../device/board/disk/data-folder.ts";
import { parseBench } from "../../../hardware/bench.ts";
import { found } from "./founding.ts";

const three = parseBench("name: table\nboards: 3", "bench.yaml");
const five = parseBench("name: table\nboards: 5", "bench.yaml");
const founders = ["pi-1", "pi-2", "pi-3"];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "adrift-founding-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const path = (...names: readonly string[]) => join(folder, ...names);

function record(content: object): void {
  writeFileSync(path("bench.json"), JSON.stringify({ format: 1, cluster: "table", founders, ...content }));
}

describe("a cluster in a folder", () => {
  test("given a new folder, then all boards of the bench found it, and the next time they go on", async () => {
    expect(await found(folder, three)).toEqual({ founders, newcomers: [] });
    expect(await findLog(path("pi-2"))).toEqual({ cluster: "table", board: "pi-2", member: "pi-2" });
    expect(await found(folder, three)).toEqual({ founders, newcomers: [] });
  });

  test.each(["pi-2", "pi-2/log"])("given that %s is removed, then that board joins anew", async (removed) => {
    await found(folder, three);
    rmSync(path(removed), { recursive: true });
    expect(await found(folder, three)).toEqual({ founders, newcomers: ["pi-2"] });
    expect(await findLog(path("pi-2"))).toBe("none");
  });

  test("given that all boards' folders are removed, then it is refused until the record is removed too", async () => {
    await found(folder, three);
    for (const name of founders) rmSync(path(name), { recursive: true });
    await expect(found(folder, three)).rejects.toThrow("no board has its data any more");
    rmSync(path("bench.json"));
    expect(await found(folder, three)).toEqual({ founders, newcomers: [] });
  });

  test("given a bench with more boards, then the others ask to be taken in", async () => {
    await found(folder, three);
    expect(await found(folder, five)).toEqual({ founders, newcomers: ["pi-4", "pi-5"] });
    expect(readdirSync(folder).sort()).toEqual(["bench.json", ...founders]);
  });

  test("given a bench that lacks a founder, or a board that has stored something, then it is refused", async () => {
    await found(folder, three);
    const two = parseBench("name: table\nboards: 2", "bench.yaml");
    await expect(found(folder, two)).rejects.toThrow("but table has no pi-3");
    await provision(path("pi-4"), { cluster: "table", board: "pi-4" });
    await expect(found(folder, three)).rejects.toThrow("holds what pi-4 stored");
  });

  test("given a bench of another cluster, then it is refused", async () => {
    await found(folder, three);
    const other = parseBench("name: shelf\nboards: 3", "bench.yaml");
    await expect(found(folder, other)).rejects.toThrow("holds the cluster table, but the cluster of shelf is shelf");
  });

  test("given that its founding was cut short, then it is founded to the end", async () => {
    record({ state: "founding" });
    await provision(path("pi-1"), { cluster: "table", board: "pi-1" });
    mkdirSync(path("pi-2", "log"), { recursive: true });
    writeFileSync(path("pi-2", "log", "boot~"), "half");
    expect(await found(folder, five)).toEqual({ founders, newcomers: ["pi-4", "pi-5"] });
    for (const board of founders) expect(await findLog(path(board))).toMatchObject({ member: board });
    rmSync(path("pi-1"), { recursive: true });
    expect((await found(folder, three)).newcomers).toEqual(["pi-1"]);
  });

  test("given a damaged log, then its board is left to say so itself", async () => {
    await found(folder, three);
    writeFileSync(path("pi-1", "log", "boot"), "damaged");
    expect(await found(folder, three)).toEqual({ founders, newcomers: [] });
  });

  test("given boards without a record, then they are taken for founders if they are those of the bench", async () => {
    for (const board of founders) await provision(path(board), { cluster: "table", board });
    await expect(found(folder, five)).rejects.toThrow("no bench.json that says who founded their cluster");
    expect(await found(folder, three)).toEqual({ founders, newcomers: [] });
    expect((await found(folder, five)).newcomers).toEqual(["pi-4", "pi-5"]);
  });

  test.each(["", "{}", '{"format":2}'])("given %j as its record, then nothing is begun", async (text) => {
    writeFileSync(path("bench.json"), text);
    await expect(found(folder, three)).rejects.toThrow("does not say who founded this cluster");
    expect(readdirSync(folder)).toEqual(["bench.json"]);
  });

  test("given a board's folder with something else in it, then nothing is begun", async () => {
    mkdirSync(path("pi-3"));
    writeFileSync(path("pi-3", "photo"), "");
    await expect(found(folder, three)).rejects.toThrow("holds no board's log");
    expect(readdirSync(folder)).toEqual(["pi-3"]);
  });
});
