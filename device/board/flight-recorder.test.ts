import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { FlightRecord } from "../transport/envelope.ts";
import { type FlightRecorder, openFlightRecorder } from "./flight-recorder.ts";
import type { Happening } from "./happening.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "adrift-flight-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("given a flight recorder", () => {
  test("when something happens, then the record says what, when by both clocks, and in which boot", async () => {
    const recorder = await open({ boot: 3 });
    const record = recorder.record(brokerIs("left", true));
    expect(record).toEqual({ number: 1, boot: 3, wallUs: 1_000, monotonicUs: 10, happening: brokerIs("left", true) });
    expect(recorder.after(0, 10_000)).toEqual({ records: [record], last: 1 });
    await recorder.close();
  });

  test("when a piece is asked for, then it gets the oldest records that fit, and can go on from there", async () => {
    const recorder = await open();
    const records = recordMany(recorder, 10);
    const size = JSON.stringify(records[0]).length + 1;
    expect(recorder.after(2, 3 * (size + 1))).toEqual({ records: records.slice(2, 5), last: 10 });
    expect(recorder.after(9, 10 * size).records).toEqual(records.slice(9));
    expect(recorder.after(10, 10 * size)).toEqual({ records: [], last: 10 });
    await recorder.close();
  });

  test("when one record is larger than a piece, then it is given all the same, or nobody would get past it", async () => {
    const recorder = await open();
    const records = recordMany(recorder, 2);
    expect(recorder.after(0, 1).records).toEqual(records.slice(0, 1));
    await recorder.close();
  });

  test("when the board starts again, then all is still there, and no number is used twice", async () => {
    const before = await open({ boot: 1 });
    const old = recordMany(before, 3);
    await before.close();
    const recorder = await open({ boot: 2 });
    const record = recorder.record(brokerIs("left", true));
    expect(record.number).toBeGreaterThan(3);
    expect(recorder.after(0, 10_000).records).toEqual([...old, record]);
    await recorder.close();
  });

  test("when some time goes by, then its records are on the disk, again and again", async () => {
    const recorder = await open();
    const path = join(folder, "flight-b.jsonl");
    for (const lines of [1, 2]) {
      recorder.record(brokerIs("left", true));
      await vi.waitFor(() => expect(readFileSync(path, "utf8").trimEnd().split("\n")).toHaveLength(lines));
    }
    await recorder.close();
  });

  test("when the process ends at once, then its last words are written all the same", async () => {
    const before = await open({ boot: 1 });
    const records = recordMany(before, 3);
    before.writeNow();
    const recorder = await open({ boot: 2 });
    expect(recorder.after(0, 10_000).records).toEqual(records);
    await Promise.all([before.close(), recorder.close()]);
  });

  test("when it records for ever, then its files stay within their bounds and hold the newest", () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 120 }), { maxLength: 6 }), async (boots) => {
        const own = mkdtempSync(join(folder, "ring-"));
        let all: FlightRecord[] = [];
        for (const [boot, count] of boots.entries()) {
          const recorder = await open({ boot, folder: own, fileBytesMax: 2_000 });
          all = [...all, ...recordMany(recorder, count)];
          await recorder.close();
        }
        const recorder = await open({ boot: boots.length, folder: own, fileBytesMax: 2_000 });
        const { records } = recorder.after(0, 10_000);
        await recorder.close();
        expect(all.slice(all.length - records.length)).toEqual(records);
        const kept = JSON.stringify(records).length;
        expect(kept === JSON.stringify(all).length || kept > 1_500).toBe(true);
        for (const file of readdirSync(own)) expect(statSync(join(own, file)).size).toBeLessThanOrEqual(2_000);
      }),
      { numRuns: 20 },
    ));
});

describe("given files that are not as the recorder left them", () => {
  test("when the last line is torn, then it is left out, and what comes after it is whole", async () => {
    const before = await open();
    const old = recordMany(before, 3);
    await before.close();
    const file = join(folder, "flight-b.jsonl");
    truncateSync(file, statSync(file).size - 5);
    const recorder = await open({ boot: 2 });
    const fresh = recordMany(recorder, 2);
    await recorder.close();
    const again = await open({ boot: 3 });
    expect(again.after(0, 10_000).records).toEqual([...old.slice(0, 2), ...fresh]);
    await again.close();
  });

  test.each([
    ["a file of something else", () => writeFileSync(join(folder, "flight-b.jsonl"), "\u0000\u0001 nothing\n{}\n")],
    ["a folder", () => mkdirSync(join(folder, "flight-b.jsonl"))],
    ["a file far too large", () => writeFileSync(join(folder, "flight-b.jsonl"), "x".repeat(2_000_000))],
  ])("when one is %s, then it is put aside, and the recorder begins anew", async (_, damage) => {
    damage();
    const recorder = await open();
    recordMany(recorder, 2);
    await recorder.close();
    expect(recorder.lost).toBe(0);
    expect(readdirSync(folder).toSorted()).toEqual(["flight-b.jsonl", "flight-b.unreadable"]);
    expect(readFileSync(join(folder, "flight-b.jsonl"), "utf8").trimEnd().split("\n")).toHaveLength(2);
  });

  test("when nothing can be written, then it counts what is lost, and goes on as soon as it can", async () => {
    const blocked = join(folder, "flight");
    writeFileSync(blocked, "no folder");
    const recorder = await open({ folder: blocked });
    const records = recordMany(recorder, 3);
    await recorder.close();
    expect(recorder.lost).toBe(3);
    expect(recorder.after(0, 10_000).records).toEqual(records);

    rmSync(blocked);
    mkdirSync(blocked);
    const kept = recordMany(recorder, 2);
    await recorder.close();
    const again = await open({ folder: blocked, boot: 2 });
    expect(again.after(0, 10_000).records).toEqual(kept);
    expect(recorder.lost).toBe(3);
    await again.close();
  });
});

function open(settings: { boot?: number; folder?: string; fileBytesMax?: number } = {}): Promise<FlightRecorder> {
  return openFlightRecorder({ folder, boot: 1, wallUs: () => 1_000, monotonicUs: () => 10, ...settings });
}

function recordMany(recorder: FlightRecorder, count: number): FlightRecord[] {
  return Array.from({ length: count }, (_, at) => recorder.record(brokerIs("left", at % 2 === 0)));
}

function brokerIs(broker: string, up: boolean): Happening {
  return { kind: "connection", broker, up };
}
