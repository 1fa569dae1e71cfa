import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Supervisor } from "./supervisor.ts";

const parts = ["systemd-notify", "python3"].filter((part) => spawnSync(part, ["--version"]).status !== 0);
const withinMs = { timeout: 8_000, interval: 10 };

/** Hears what systemd would, and lets go of what `systemd-notify` sends along to wait for. */
const listening = `
import array, os, socket, sys
heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
heard.bind(sys.argv[1])
while True:
    text, sent, _, _ = heard.recvmsg(4096, socket.CMSG_SPACE(64))
    for _, _, numbers in sent:
        for number in array.array("i", numbers[:len(numbers) // 4 * 4]):
            os.close(number)
    print(text.decode(), flush=True)
`;

describe.skipIf(parts.length > 0 && !process.env["CI"])(
  `given something that listens as systemd does (needs systemd-notify and python3)`,
  () => {
    let folder = "";
    let systemd: ChildProcess;
    let heard: string[] = [];
    let failures: string[] = [];
    let supervisor: Supervisor | null = null;

    beforeEach(async () => {
      folder = mkdtempSync(join(tmpdir(), "adrift-supervisor-"));
      [heard, failures] = [[], []];
      systemd = spawn("python3", ["-c", listening, join(folder, "socket")], { stdio: ["ignore", "pipe", "ignore"] });
      systemd.stdout?.on("data", (text: Buffer) => void heard.push(...text.toString().trim().split("\n")));
      await vi.waitFor(() => expect(existsSync(join(folder, "socket"))).toBe(true), withinMs);
    });
    afterEach(async () => {
      supervisor?.close();
      if (systemd.exitCode === null && systemd.signalCode === null) {
        systemd.kill();
        await once(systemd, "exit");
      }
      rmSync(folder, { recursive: true, force: true });
    });

    function begin(describe: () => string | null, watchdog: Record<string, string> = {}): Supervisor {
      const environment = { PATH: process.env["PATH"], NOTIFY_SOCKET: join(folder, "socket"), ...watchdog };
      supervisor = new Supervisor({ environment, describe, failed: (reason) => void failures.push(reason) });
      return supervisor;
    }

    test("when the board takes part, then it has started, once; and when it goes, that is told too", async () => {
      let state: string | null = null;
      const told = begin(() => state);
      told.changed();
      state = "follower of pi-2 in term 3, committed up to 8";
      told.changed();
      told.changed();
      await vi.waitFor(() => expect(heard).toContain("READY=1"), withinMs);
      told.close();
      await vi.waitFor(() => expect(heard).toContain("STOPPING=1"), withinMs);
      expect(heard.filter((line) => line === "READY=1")).toHaveLength(1);
      expect(heard).toContain(`STATUS=${state}`);
      expect(failures).toEqual([]);
    });

    test("when a watchdog waits, then it hears of the board in time, and of what has changed", async () => {
      let state = "candidate in term 4";
      begin(() => state, { WATCHDOG_USEC: "150000", WATCHDOG_PID: String(process.pid) });
      await vi.waitFor(() => expect(heard.filter((line) => line === "WATCHDOG=1").length).toBeGreaterThan(2), withinMs);
      state = "leader in term 4";
      await vi.waitFor(() => expect(heard).toContain("STATUS=leader in term 4"), withinMs);
    });

    test("when the watchdog is another process's, then it hears nothing", async () => {
      begin(() => "follower", { WATCHDOG_USEC: "30000", WATCHDOG_PID: "1" }).changed();
      await vi.waitFor(() => expect(heard).toContain("READY=1"), withinMs);
      expect(heard).not.toContain("WATCHDOG=1");
    });

    test("when nobody listens any more, then that is told once, and the board goes on", async () => {
      systemd.kill();
      await once(systemd, "exit");
      rmSync(join(folder, "socket"));
      begin(() => "follower", { WATCHDOG_USEC: "30000" }).changed();
      await vi.waitFor(() => expect(failures).toEqual([expect.stringContaining("systemd cannot be told")]), withinMs);
    });
  },
);
