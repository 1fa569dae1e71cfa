import { describe, expect, it } from "vitest";
import type { Json } from "../../device/json.ts";
import type { BoardRecord } from "../bench/bench.ts";
import { flightEvents, mergeEvents } from "./flight-events.ts";

const zeroWallUs = 1_000_000;
const time = { zeroUs: 500, zeroWallUs, durationUs: 1_000, place: null };

function record(board: string, number: number, atUs: number, happening: Json, boot = 1): BoardRecord {
  return { board, record: { number, boot, wallUs: zeroWallUs + atUs, monotonicUs: 0, happening } };
}

const committed = (index: number): Json => ({ kind: "replica", event: { type: "committed", index } });
const started: Json = { kind: "process", state: "started", version: "1" };

function told(records: readonly BoardRecord[]): readonly string[] {
  return flightEvents(records, time).map((event) => {
    const what = event.kind === "board" && event.event.type === "committed" ? event.event.index : event.kind;
    return `${event.atUs} ${"board" in event ? event.board : ""} ${what}`;
  });
}

describe("the flight recorders of all boards", () => {
  it("given records of several boards, then they are told in the order of time", () => {
    const records = [
      record("pi-2", 1, 30, committed(3)),
      record("pi-1", 1, 10, committed(1)),
      record("pi-1", 2, 40, started),
    ];
    expect(told(records)).toEqual(["10 pi-1 1", "30 pi-2 3", "40 pi-1 happening"]);
  });

  it("given a record that was heard and fetched, then it is told once", () => {
    expect(told([record("pi-1", 7, 10, committed(1)), record("pi-1", 7, 10, committed(1))])).toHaveLength(1);
  });

  it("given a board whose card was erased, so that its numbers begin anew, then nothing is taken for what it was before", () => {
    const records = [record("pi-1", 1, 50, committed(2), 2), record("pi-1", 1, 10, committed(1), 1)];
    expect(told(records)).toEqual(["10 pi-1 1", "50 pi-1 2"]);
  });

  it("given what happened before the run began, then it has happened when it begins, in its true order", () => {
    const records = [record("pi-1", 1, -5, committed(2)), record("pi-2", 1, -9, committed(1))];
    expect(told(records)).toEqual(["0 pi-2 1", "0 pi-1 2"]);
  });

  it("given a wall clock that went back, then a board's own order stays", () => {
    const records = [record("pi-1", 1, 50, committed(1)), record("pi-1", 2, 40, committed(2))];
    expect(told(records)).toEqual(["50 pi-1 1", "50 pi-1 2"]);
  });

  it("given what no board of this version tells, then it is left out", () => {
    const strange = ["text", null, { kind: "dream" }, { kind: "replica" }, { kind: "replica", event: [] }];
    expect(told(strange.map((happening, at) => record("pi-1", at, 1, happening)))).toEqual([]);
  });

  it("given clocks that are placed, then every time has its uncertainty, and a cable's also that of the look at it", () => {
    const pulled: Json = { kind: "carrier", interface: "eth0", up: false, withinUs: 50 };
    const records = [record("pi-1", 1, 7, pulled), record("pi-1", 2, 8, started, 2), record("pi-2", 1, 9, started)];
    const place = (board: string, { boot }: { readonly boot: number }) =>
      board === "pi-1" ? { atUs: boot === 1 ? 540 : 530, uncertaintyUs: boot === 1 ? 4 : 30 } : null;
    const events = flightEvents(records, { ...time, place });
    expect(events.map((event) => ("uncertaintyUs" in event ? [event.atUs, event.uncertaintyUs] : []))).toEqual([
      // Of a board that never told its time nobody knows when.
      [9, 1_000],
      [40, 54],
      // It cannot have come before what the same board noted earlier.
      [40, 30],
    ]);
  });

  it("given boards with the controller's own clock, then a time is as certain as a clock of whole milliseconds", () => {
    expect(flightEvents([record("pi-1", 1, 3, committed(1))], time)).toMatchObject([{ uncertaintyUs: 1_000 }]);
  });

  it("given what the controller does and what a board says at the same moment, then the controller goes first", () => {
    const action = { kind: "kill", board: "pi-1" } as const;
    const merged = mergeEvents(
      [{ atUs: 10, kind: "done", action, refusal: null }],
      flightEvents([record("pi-1", 1, 10, committed(1)), record("pi-1", 2, 5, committed(0))].toReversed(), time),
    );
    expect(merged.map(({ kind }) => kind)).toEqual(["done", "board", "board"]);
  });
});
