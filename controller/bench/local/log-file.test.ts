import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LogFile } from "./log-file.ts";

let folder: string;
let out: PassThrough;
let err: PassThrough;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "adrift-log-file-"));
  out = new PassThrough();
  err = new PassThrough();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("given a board that cannot go on, then the reason in its log is its last word, also when it says it twice", async () => {
  const log = new LogFile(join(folder, "log"));
  log.follow(out, err);
  out.write('{"level":"info","msg":"started"}\n{"level":"fatal","reason":"log-1 is ');
  out.write('damaged","msg":"this board cannot go on"}\n');
  err.write("log-1 is damaged\n\nand more\n");
  await expect.poll(() => log.lastErrors).toEqual(["log-1 is damaged", "and more"]);
  expect(readFileSync(log.path, "utf8")).toContain("cannot go on");
});

test("given that its file cannot be written, then nothing else stops", async () => {
  const log = new LogFile(join(folder, "missing", "log"));
  log.follow(out, err);
  err.write("still heard\n");
  await expect.poll(() => log.lastErrors).toEqual(["still heard"]);
});
