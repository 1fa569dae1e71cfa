import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";

const command = fileURLToPath(new URL("../../bin/adrift.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "adrift-process-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the process", () => {
  it("given that its reader has seen enough, then it goes on quietly and ends with its verdict", async () => {
    const child = spawn(process.execPath, [command, "demo"], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    let err = "";
    child.stderr.on("data", (piece: Buffer) => {
      err += piece.toString();
    });
    child.stdout.destroy();
    const status = await new Promise((resolve) => child.once("close", resolve));
    expect({ status, err }).toEqual({ status: 0, err: "" });
  });

  it.skipIf(!existsSync("/dev/full"))("given a full disk below its output, then it says so, and fails", async () => {
    const full = openSync("/dev/full", "w");
    const child = spawn(process.execPath, [command, "--help"], { cwd: folder, stdio: ["ignore", full, "pipe"] });
    closeSync(full);
    let err = "";
    child.stderr?.on("data", (piece: Buffer) => {
      err += piece.toString();
    });
    const status = await new Promise((resolve) => child.once("close", resolve));
    expect({ status, err }).toEqual({
      status: 1,
      err: expect.stringMatching(/^What .* cannot be written.*ENOSPC.*\n$/),
    });
  });

  it("given wrong arguments, then its status is 64", async () => {
    const child = spawn(process.execPath, [command, "run", "--seed", "x"], { cwd: folder, stdio: "ignore" });
    expect(await new Promise((resolve) => child.once("close", resolve))).toBe(64);
  });
});
