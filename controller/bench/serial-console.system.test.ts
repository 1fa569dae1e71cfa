import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SerialLine } from "../../device/board/serial-line.ts";
import { encodeConsoleLine } from "../../device/transport/console-codec.ts";

const hasSocat = spawnSync("socat", ["-V"]).status === 0;
const program = fileURLToPath(new URL("serial-console-reader.fixture.ts", import.meta.url));
const withinMs = { timeout: 8_000, interval: 10 };

describe.skipIf(!hasSocat && !process.env["CI"])(
  "a serial line between a board and the controller (needs socat)",
  () => {
    let folder = "";
    let cable: ChildProcess | null = null;
    let reader: ChildProcess | null = null;
    let line: SerialLine | null = null;
    let seen: number[] = [];
    let troubles: unknown[] = [];
    let failures: string[] = [];
    const ends = () => ({ board: join(folder, "board"), controller: join(folder, "controller") });

    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), "adrift-console-"));
      [seen, troubles, failures] = [[], [], []];
    });
    afterEach(async () => {
      await stopReading();
      await line?.close();
      await unplug();
      rmSync(folder, { recursive: true, force: true });
    });

    async function plug(): Promise<void> {
      const { board, controller } = ends();
      cable = spawn("socat", [`pty,raw,echo=0,link=${board}`, `pty,raw,echo=0,link=${controller}`], {
        stdio: "ignore",
      });
      await vi.waitFor(() => expect(existsSync(board) && existsSync(controller)).toBe(true), withinMs);
    }
    async function unplug(): Promise<void> {
      const pulled = cable;
      cable = null;
      if (pulled === null) return;
      pulled.kill();
      await once(pulled, "exit");
    }
    function read(): void {
      const command = ["--import", "tsx", program, ends().controller];
      const child = spawn(process.execPath, command, { stdio: ["pipe", "pipe", "inherit"] });
      createInterface({ input: child.stdout }).on("line", (text) => {
        const heard: { readonly seq?: number; readonly trouble?: unknown } = JSON.parse(text);
        if (heard.seq === undefined) troubles.push(heard.trouble);
        else seen.push(heard.seq);
      });
      reader = child;
    }
    async function stopReading(): Promise<void> {
      const child = reader;
      reader = null;
      if (child === null) return;
      child.stdin?.end();
      expect(await once(child, "exit")).toEqual([0, null]);
    }
    function write(): SerialLine {
      line = new SerialLine({ path: ends().board, failed: (reason) => void failures.push(reason), retryMs: 20 });
      return line;
    }
    const text = (seq: number): string =>
      encodeConsoleLine({
        board: "pi-1",
        boot: 3,
        seq,
        role: "leader",
        term: 7,
        leader: "pi-1",
        commitIndex: 91,
        carrier: false,
        atUs: seq,
      });

    /** Lines may get lost, so a board goes on telling; so does this. */
    async function tellUntilSeen(told: SerialLine, seq: number): Promise<void> {
      await vi.waitFor(() => {
        told.write(text(seq));
        expect(seen.at(-1)).toBe(seq);
      }, withinMs);
    }

    it("when a board tells how it takes part, then the controller hears it, and again after the line was pulled and plugged", async () => {
      await plug();
      read();
      const told = write();
      await tellUntilSeen(told, 1);
      await unplug();
      await vi.waitFor(() => expect(troubles).toEqual([expect.stringContaining("cannot be read")]), withinMs);
      await plug();
      await tellUntilSeen(told, 2);
      expect(troubles).toEqual([expect.any(String), null]);
    });

    it("when there is no line at all, then both say so once, and begin when there is one", async () => {
      read();
      const told = write();
      told.write(text(1));
      await vi.waitFor(() => expect([troubles.length, failures.length]).toEqual([1, 1]), withinMs);
      expect(failures[0]).toContain("ENOENT");
      await plug();
      await tellUntilSeen(told, 2);
      expect([troubles.length, failures.length]).toEqual([2, 1]);
    });

    it("when nobody reads for long, then the board never waits, and what is read at last is new", async () => {
      await plug();
      const told = write();
      const beganMs = performance.now();
      for (let seq = 1; seq <= 3_000; seq += 1) {
        told.write(text(seq));
        if (seq % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      expect(performance.now() - beganMs).toBeLessThan(2_000);
      read();
      await tellUntilSeen(told, 5_000);
      expect(seen).toEqual(seen.toSorted((one, other) => one - other));
      expect(new Set(seen).size).toBeLessThan(3_000);
    });
  },
);
