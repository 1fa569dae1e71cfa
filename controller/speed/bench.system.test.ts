import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { etcdVersion } from "./etcd-cluster.ts";

const command = fileURLToPath(new URL("../../bin/adrift.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "adrift-bench-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const etcdIsMissing = etcdVersion() === null && process.env["CI"] === undefined;
const small = ["--seconds", "1", "--rounds", "1", "--faults", "1"];

describe("adrift bench", () => {
  it("given boards alone, then it measures what was asked for, and judges what clients saw", async () => {
    const { status, out } = await adrift(["bench", ...small, "--only", "writes", "cut", "--check"]);
    expect(status).toBe(0);
    expect(out).toMatch(/^writes a second +1,000 +[\d,]+\/s/m);
    expect(out).toMatch(/^fail-over, leader cut off +1 +[\d,.]+ ms/m);
    expect(out.match(/^VALID/gm)).toHaveLength(2);
    expect(out.split("\n").every((line) => line.length <= 100 || line.startsWith("VALID"))).toBe(true);
  });

  it("given Ctrl-C, then it leaves nothing behind", async () => {
    const child = spawn(process.execPath, [command, "bench", "--seconds", "2"], {
      cwd: folder,
      env: { ...process.env, TMPDIR: folder },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const status = await new Promise((resolve) => {
      child.once("close", resolve);
      child.stderr.on("data", (piece: Buffer) => piece.toString().includes("warming up") && child.kill("SIGINT"));
    });
    expect(status).toBe(2);
    expect(readdirSync(folder).filter((name) => name.startsWith("adrift-"))).toEqual([]);
    expect(commandLines().filter((line) => line.includes(folder))).toEqual([]);
  });
});

describe.skipIf(etcdIsMissing)(etcdIsMissing ? "beside etcd (not installed: skipped)" : "beside etcd", () => {
  it("given both, then each row holds the ratio", async () => {
    const { status, out } = await adrift(["bench", ...small, "--vs", "etcd", "--json"]);
    expect(status).toBe(0);
    const { adrift: ours, peer, rows } = JSON.parse(out);
    expect([ours, peer]).toEqual([expect.stringMatching(/^adrift /), expect.stringMatching(/^etcd /)]);
    const names = rows.map(({ what, inFlight }: { what: string; inFlight: number | null }) => `${what} ${inFlight}`);
    expect(names).toEqual([
      "start to first votes null",
      ...["write", "read"].flatMap((operation) =>
        [1, 64, 1_000].flatMap((inFlight) => [
          `${operation}s a second ${inFlight}`,
          `${operation} latency, p50 ${inFlight}`,
          `${operation} latency, p99 ${inFlight}`,
          ...(operation === "write" && inFlight === 1_000 ? [`memory of a member, most ${inFlight}`] : []),
        ]),
      ),
      "fail-over, leader killed 1",
      "fail-over, leader cut off 1",
    ]);
    const compared = rows.filter(({ what }: { what: string }) => what !== "fail-over, leader cut off");
    expect(compared.every(({ ratio }: { ratio: number | null }) => ratio !== null && ratio > 0)).toBe(true);
  });
});

async function adrift(args: readonly string[]): Promise<{ readonly status: unknown; readonly out: string }> {
  const child = spawn(process.execPath, [command, ...args], { cwd: folder, stdio: ["ignore", "pipe", "ignore"] });
  let out = "";
  child.stdout.on("data", (piece: Buffer) => {
    out += piece.toString();
  });
  const status = await new Promise((resolve) => child.once("close", resolve));
  return { status, out };
}

/** The command lines of all processes, where the system tells them. */
function commandLines(): readonly string[] {
  if (process.platform !== "linux") return [];
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.map((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8");
    } catch {
      return "";
    }
  });
}
