import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { checkHistory, parseEvent } from "../check/index.ts";
import { endOfLongestGap } from "./fail-over.ts";
import { figureOf } from "./figure.ts";
import { runLoop } from "./load/closed-loop.ts";
import { Latencies } from "./load/latencies.ts";
import type { LoadClient } from "./load/load-client.ts";
import { HistoryRecorder } from "./load/recorder.ts";
import { MemoryWatch, residentBytes } from "./memory.ts";
import { rowOf } from "./row.ts";
import type { SpeedReport } from "./speed.ts";
import { tableText } from "./table.ts";

const folder = mkdtempSync(join(tmpdir(), "adrift-speed-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("figures", () => {
  it("given rounds, then the middle one counts, and of two middles what lies between", () => {
    expect(figureOf([5, 1, 3])).toEqual({ median: 3, least: 1, most: 5, values: [5, 1, 3] });
    expect(figureOf([4, 1, 2, 3])?.median).toBe(2.5);
    expect(figureOf([null, 7])).toMatchObject({ median: 7, values: [7] });
    expect(figureOf([null])).toBeNull();
  });

  it("given any latencies, then so many of them are no longer than a quantile says, and no fewer", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1_000 }), { minLength: 1, maxLength: 200 }), (values) => {
        const latencies = new Latencies();
        for (const value of values) latencies.add(value);
        for (const share of [0.5, 0.99, 1]) {
          const [quantile = null] = latencies.quantiles([share]);
          const within = values.filter((value) => value <= (quantile ?? -1)).length;
          const below = values.filter((value) => value < (quantile ?? -1)).length;
          expect(within).toBeGreaterThanOrEqual(share * values.length);
          expect(below).toBeLessThan(share * values.length);
        }
      }),
      { numRuns: 50 },
    );
    expect(new Latencies().quantiles([0.5])).toEqual([null]);
  });

  it("given more latencies than there was room for, then none is forgotten", () => {
    const latencies = new Latencies();
    for (let value = 1; value <= 200_000; value += 1) latencies.add(value);
    expect(latencies.quantiles([0.5, 1])).toEqual([100_000, 200_000]);
  });

  it("given acknowledgements around a fault, then the wait ends where the longest gap does", () => {
    expect(endOfLongestGap([80, 90, 101, 102, 500, 501], 100)).toBe(500);
    expect(endOfLongestGap([80, 90, 400, 401], 100)).toBe(400);
  });
});

describe("the load", () => {
  it("given a cluster that answers, then what it did is a history that is linearizable", async () => {
    const path = join(folder, "history.jsonl");
    const recorder = new HistoryRecorder(path);
    const client = inMemory();
    const settings = { inFlight: 8, durationMs: 30, keys: 4, valueBytes: 64 };
    const written = await runLoop(client, recorder, { ...settings, operation: "write" });
    const read = await runLoop(client, recorder, { ...settings, operation: "read" });
    recorder.close();
    expect(Math.min(written.operations, read.operations)).toBeGreaterThan(8);
    expect([written.failed, read.failed]).toEqual([0, 0]);
    const lines = readFileSync(path, "utf8").trimEnd().split("\n");
    const verdict = checkHistory(lines.map((line, at) => parseEvent(line, "line", at + 1)));
    expect(verdict.verdict).toBe("valid");
    expect(verdict.statistics.operations).toBeGreaterThanOrEqual(written.operations + read.operations);
  });

  it("given writes that nobody acknowledges, then they are failed, and open in the history", async () => {
    const path = join(folder, "lost.jsonl");
    const recorder = new HistoryRecorder(path);
    const client = { ...inMemory(), write: () => wait().then(() => Promise.reject(new Error("lost"))) };
    const lost = await runLoop(client, recorder, {
      operation: "write",
      inFlight: 2,
      durationMs: 10,
      keys: 4,
      valueBytes: 64,
    });
    recorder.close();
    expect(lost.operations).toBe(0);
    expect(lost.failed).toBeGreaterThan(0);
    expect(readFileSync(path, "utf8")).toContain('"type":"info"');
  });

  it("given a value that comes back changed, then nothing is measured any more", async () => {
    const client = { ...inMemory(), read: () => wait().then(() => "17......x") };
    const loop = { operation: "read", inFlight: 1, durationMs: 10, keys: 1, valueBytes: 64 } as const;
    await expect(runLoop(client, null, loop)).rejects.toThrow(/nobody wrote/);
  });
});

describe("memory", () => {
  it.runIf(process.platform === "linux")("of this process is known, of one that is gone it is not", () => {
    expect(residentBytes(process.pid)).toBeGreaterThan(10_000_000);
    expect(residentBytes(2 ** 30)).toBeNull();
    const watch = new MemoryWatch(() => new Map([["one", process.pid]]));
    expect(watch.stop()).toBeGreaterThan(10_000_000);
  });
});

describe("the table", () => {
  const rows = [
    rowOf("writes a second", 1_000, "operations a second", [
      [24_000, 26_000, 25_000],
      [5_900, 6_100, 6_000],
    ]),
    rowOf("write latency, p50", 1, "milliseconds", [[0.61], [1.27]]),
    rowOf("fail-over, leader cut off", 1, "milliseconds", [[431, 520], []]),
    rowOf("memory of a member, most", 1_000, "megabytes", [[null], [91.4]]),
  ];
  const report: SpeedReport = { adrift: "adrift 1.2.3", peer: "etcd 3.4.23", rows, verdicts: [] };
  const plain = (_colour: string, text: string) => text;

  it("given a peer, then it shows both, and ours by theirs", () => {
    expect(tableText(report, plain)).toBe(
      [
        "                           in flight  adrift 1.2.3         spread  etcd 3.4.23       spread  ratio",
        "writes a second                1,000      25,000/s  24,000-26,000      6,000/s  5,900-6,100   4.17",
        "write latency, p50                 1       0.61 ms      0.61-0.61      1.27 ms    1.27-1.27   0.48",
        "fail-over, leader cut off          1        476 ms        431-520            -",
        "memory of a member, most       1,000             -                       91 MB        91-91",
        "",
      ].join("\n"),
    );
  });

  it("given no peer, then it shows ours alone", () => {
    expect(tableText({ ...report, peer: null }, plain).split("\n")[1]).toBe(
      "writes a second                1,000      25,000/s  24,000-26,000",
    );
  });
});

function inMemory(): LoadClient {
  const values = new Map<string, string>();
  return {
    write: (key, value) =>
      wait().then(() => {
        values.set(key, value);
      }),
    read: (key) => wait().then(() => values.get(key) ?? null),
    close: () => Promise.resolve(),
  };
}

function wait(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
