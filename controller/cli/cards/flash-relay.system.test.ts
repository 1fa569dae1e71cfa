import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { missingForSimavr, SimavrBoard } from "../../cutters/avr-board.fixture.ts";
import { relayHex } from "../../cutters/relay-firmware.fixture.ts";
import { exitStatus, type Shell, type Stream, UsageError } from "../shell.ts";
import { type FlashRelayOptions, flashRelay } from "./flash-relay.ts";

const missing = process.env["CI"] ? null : missingForSimavr();

describe("adrift flash relay, with a stand-in for avrdude", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "adrift-flash-relay-"));
    vi.stubEnv("PATH", `${folder}${delimiter}${process.env["PATH"]}`);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });

  const calls = (): string => readFileSync(join(folder, "calls"), "utf8");
  function standIn(body: string): void {
    const path = join(folder, "avrdude");
    writeFileSync(path, `#!/bin/sh\necho "$@" >> "${join(folder, "calls")}"\n${body}\n`);
    chmodSync(path, 0o755);
  }

  test("given a dry run, when there is not even a board, then it says what it would do and does nothing", async () => {
    standIn("exit 0");
    const { status, out, err } = await run({ port: "/dev/adrift-nowhere", dryRun: true });
    expect([status, out]).toEqual([exitStatus.done, "Nothing was written.\n"]);
    expect(err).toMatch(/avrdude -c arduino -p m328p -P \/dev\/adrift-nowhere .*flash:w:.*relay\.hex:i/);
    expect(calls).toThrow(/ENOENT/);
  });

  test("given no such port, then it says how to find the right one", async () => {
    await expect(run({ port: "/dev/adrift-nowhere", yes: true })).rejects.toThrow(UsageError);
  });

  test("given a person who does not say yes, then nothing is written", async () => {
    standIn("exit 0");
    expect(await run({ port: "/dev/null" }, "no\n")).toMatchObject({
      status: exitStatus.done,
      out: "Nothing was written.\n",
    });
    expect(calls).toThrow(/ENOENT/);
  });

  test("given no avrdude, then it says how to get it", async () => {
    vi.stubEnv("PATH", folder);
    await expect(run({ port: "/dev/null", yes: true })).rejects.toThrow(/apt install avrdude/);
  });

  test.each([
    ["stk500_getsync() attempt 10 of 10: not in sync: resp=0x00", /boot loader of an Arduino Uno/],
    ["can't open device: Permission denied", /dialout/],
    ["can't open device: Device or resource busy", /Another program uses/],
    ["verification error, first mismatch at byte 0x0000", /could not write the firmware:\n.*verification error/],
  ])("given an avrdude that says %s, then the reason is told", async (says, reason) => {
    standIn(`echo "avrdude: ${says}" >&2; exit 1`);
    await expect(run({ port: "/dev/null", yes: true })).rejects.toThrow(reason);
  });

  test.skipIf(missing !== null)("given a board, when it is written, then the firmware says who it is", async () => {
    standIn("exit 0");
    const board = await SimavrBoard.plugIn(relayHex);
    try {
      const { status, out } = await run({ port: board.path, json: true, yes: true });
      expect(status).toBe(exitStatus.done);
      expect(JSON.parse(out)).toMatchObject({
        isWritten: true,
        identity: { device: "adrift-relay 1.0.0, 6 channels" },
      });
      expect(calls()).toMatch(
        new RegExp(`^-c arduino -p m328p -P ${board.path} -b 115200 -D -U flash:w:\\S+relay.hex:i\\n$`),
      );
    } finally {
      await board.dispose();
    }
  });
});

type Ended = { readonly status: number; readonly out: string; readonly err: string };

async function run(options: FlashRelayOptions, input = ""): Promise<Ended> {
  const written = { out: "", err: "" };
  const streamTo = (name: "out" | "err"): Stream => ({
    write(text) {
      written[name] += text;
    },
    isTerminal: false,
    isColoured: false,
    isClosed: false,
    columns: 100,
  });
  const shell: Shell = {
    out: streamTo("out"),
    err: streamTo("err"),
    input: Readable.from([Buffer.from(input)]),
    folder: tmpdir(),
    commandLine: "adrift flash relay",
    noteInterruption: () => ({ isRequested: false }),
  };
  return { status: await flashRelay(shell, options), ...written };
}
