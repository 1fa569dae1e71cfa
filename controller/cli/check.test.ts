import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createTestShell } from "./shell.fixture.ts";

const shell = createTestShell();
const { adrift } = shell;
afterAll(() => shell.remove());

const write = (value: number, atUs: number) => [
  { process: "c1", type: "invoke", op: "write", key: "x", value, atUs },
  { process: "c1", type: "ok", op: "write", key: "x", value, atUs: atUs + 1 },
];
const read = (result: number, atUs: number) => [
  { process: "c2", type: "invoke", op: "read", key: "x", atUs },
  { process: "c2", type: "ok", op: "read", key: "x", result, atUs: atUs + 1 },
];

function history(...events: readonly object[]): string {
  return events.map((event) => `${JSON.stringify(event)}\n`).join("");
}

function file(name: string, text: string): string {
  writeFileSync(join(shell.folder, name), text);
  return name;
}

const valid = history(...write(1, 10), ...write(2, 20), ...read(2, 30));
const stale = history(...write(1, 10), ...write(2, 20), ...read(1, 30));

describe("adrift check", () => {
  it("given a history that can be put in order, then it is valid, and the status 0", async () => {
    const { status, out, err } = await adrift(["check", file("valid.jsonl", valid)]);
    expect({ status, err }).toEqual({ status: 0, err: "" });
    expect(out).toMatch(/^VALID {2}3 operations of 2 processes on 1 key: 3 ok\n/);
  });

  it("given a contradiction, then it draws the few operations that show it, and the status is 1", async () => {
    const { status, out } = await adrift(["check", file("stale.jsonl", stale)]);
    expect(status).toBe(1);
    expect(out).toMatch(/^INVALID/);
    expect(out).toMatch(/^ {2}c1 {2}write x 2 .*├──┤$/m);
    expect(out).toMatch(/^ {2}c2 {2}read x → 1 .*├──┤$/m);
  });

  it("given --json, then one document holds verdict and operations", async () => {
    const { out } = await adrift(["check", file("stale.jsonl", stale), "--json"]);
    const document = JSON.parse(out);
    expect(document.verdict).toBe("invalid");
    expect(document.operations).toContainEqual(expect.objectContaining({ process: "c2", op: "read", result: 1 }));
  });

  it("given -, then it reads standard input", async () => {
    expect((await adrift(["check", "-"], { input: valid })).status).toBe(0);
    expect((await adrift(["check", "-"], { input: stale })).status).toBe(1);
  });

  it("given an empty history, then it is valid", async () => {
    expect((await adrift(["check", "-"], { input: "" })).status).toBe(0);
  });

  it.each([
    ["a missing file", "nowhere.jsonl", "nowhere.jsonl: there is no such file.\n"],
    ["a folder", ".", ".: that is a folder.\n"],
  ])("given %s, then it says so, and the status is 64", async (_, given, message) => {
    expect(await adrift(["check", given])).toEqual({ status: 64, out: "", err: message });
  });

  it("given a malformed line, then it says which and why, and the status is 64", async () => {
    const { status, out, err } = await adrift(["check", file("broken.jsonl", `${valid}{"process":"c1"}\n`), "--json"]);
    expect({ status, out }).toEqual({ status: 64, out: "" });
    expect(err).toMatch(/^broken\.jsonl, line 7: "type" is missing/);
  });
});
