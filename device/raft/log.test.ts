import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { simpleConfiguration } from "./configuration.ts";
import { Log, sizeOf, weight } from "./log.ts";
import type { Configuration, Entry, Snapshot, Term } from "./types.ts";

const initial = simpleConfiguration(["a", "b", "c"]);
const changed = simpleConfiguration(["a", "b"]);

function command(index: number, term: Term, data = "x"): Entry {
  return { kind: "command", index, term, data };
}

function change(index: number, term: Term, configuration: Configuration): Entry {
  return { kind: "configuration", index, term, configuration };
}

function snapshotAt(index: number, term: Term, configuration = initial): Snapshot {
  return { index, term, configuration, data: "" };
}

function logOf(...terms: readonly Term[]): Log {
  return new Log(initial, { snapshot: null, entries: terms.map((term, place) => command(place + 1, term)) });
}

describe("a recovered log", () => {
  test("an empty disk gives an empty log with the initial configuration", () => {
    const log = logOf();
    expect([log.baseIndex, log.lastIndex, log.lastTerm, log.termAt(0), log.termAt(1)]).toEqual([0, 0, 0, 0, null]);
    expect([log.configuration, log.configurationIndex]).toEqual([initial, 0]);
  });

  test("a snapshot alone is a log that ends there", () => {
    const log = new Log(initial, { snapshot: snapshotAt(5, 2, changed), entries: [] });
    expect([log.baseIndex, log.lastIndex, log.lastTerm, log.durableIndex]).toEqual([5, 5, 2, 5]);
    expect([log.configuration, log.configurationIndex]).toEqual([changed, 5]);
  });

  test("entries below the snapshot are kept for slow followers; the oldest of them serves as the base", () => {
    const entries = [command(3, 1), command(4, 1), command(5, 2), command(6, 2)];
    const log = new Log(initial, { snapshot: snapshotAt(5, 2), entries });
    expect([log.baseIndex, log.termAt(3), log.entryAt(3), log.termAt(2)]).toEqual([3, 1, null, null]);
    expect(log.slice(4, 10, 1000)).toEqual(entries.slice(1));
  });

  test("a configuration below the snapshot is superseded by the snapshot's, one above it is in force", () => {
    const other = simpleConfiguration(["a"]);
    const entries = [change(4, 1, other), command(5, 1), change(6, 1, changed)];
    const log = new Log(initial, { snapshot: snapshotAt(5, 1, initial), entries });
    expect([log.configuration, log.configurationAt(5), log.configurationIndex]).toEqual([changed, initial, 6]);
    log.truncateFrom(6);
    expect([log.configuration, log.configurationIndex]).toEqual([initial, 5]);
  });

  test("a gap, a log that ends before its snapshot, and one that contradicts it stop the board", () => {
    expect(() => new Log(initial, { snapshot: null, entries: [command(1, 1), command(3, 1)] })).toThrow("no gap");
    expect(() => new Log(initial, { snapshot: null, entries: [command(2, 1)] })).toThrow("no gap");
    const snapshot = snapshotAt(5, 2);
    expect(() => new Log(initial, { snapshot, entries: [command(7, 2)] })).toThrow("no gap");
    expect(() => new Log(initial, { snapshot, entries: [command(3, 1), command(4, 1)] })).toThrow(
      "agrees with its snapshot",
    );
    expect(() => new Log(initial, { snapshot, entries: [command(4, 1), command(5, 1)] })).toThrow(
      "agrees with its snapshot",
    );
  });
});

describe("reading the log", () => {
  test("a slice keeps both bounds but holds at least one entry", () => {
    const log = new Log(initial, {
      snapshot: null,
      entries: [1, 2, 3].map((index) => command(index, 1, "x".repeat(68))),
    });
    expect(sizeOf(log.entryAt(1) ?? undefined)).toBe(100);
    expect(log.slice(1, 2, 1000)).toHaveLength(2);
    expect(log.slice(1, 9, 250)).toHaveLength(2);
    expect(log.slice(1, 9, 1)).toHaveLength(1);
    expect(log.slice(4, 9, 1000)).toEqual([]);
  });

  test("only what clients put there counts against the bound of uncommitted bytes", () => {
    expect(weight({ kind: "empty", index: 1, term: 1 })).toBe(0);
    expect(weight(change(1, 1, initial))).toBe(0);
    expect(weight(command(1, 1, "x"))).toBe(33);
  });

  test("runs of a term are found, but not below the base", () => {
    const log = logOf(1, 1, 3, 3, 3, 5);
    expect([1, 2, 3, 5, 6].map((index) => log.firstIndexOfTermAt(index))).toEqual([1, 1, 3, 3, 6]);
    expect([1, 2, 3, 4, 5, 9].map((term) => log.lastIndexWithTermAtMost(6, term))).toEqual([2, 2, 5, 5, 6, 6]);
    log.compact(snapshotAt(4, 3), 4);
    expect([log.firstIndexOfTermAt(5), log.lastIndexWithTermAtMost(6, 1)]).toEqual([4, 4]);
  });
});

describe("compaction", () => {
  test("the term of the last entry that went stays known, and what is left is as it was", () => {
    const log = logOf(1, 1, 2, 2, 3);
    log.compact(snapshotAt(4, 2), 3);
    expect([log.baseIndex, log.termAt(2), log.termAt(3), log.termAt(4), log.lastIndex]).toEqual([3, null, 2, 2, 5]);
    log.compact(snapshotAt(5, 3), 2);
    expect([log.baseIndex, log.snapshot?.index]).toEqual([3, 5]);
  });

  test("a configuration that goes with the entries stays in force, and one behind the snapshot can still be taken back", () => {
    const log = logOf(1, 1);
    log.append(change(3, 1, changed));
    log.append(command(4, 1));
    log.append(change(5, 1, initial));
    log.compact(snapshotAt(4, 1, changed), 4);
    expect(log.configurationAt(4)).toEqual(changed);
    log.truncateFrom(5);
    expect([log.configuration, log.configurationIndex]).toEqual([changed, 3]);
  });

  test("a snapshot from the leader takes the place of everything, and nothing is durable until it is saved", () => {
    const log = logOf(1, 1, 1);
    log.append(command(4, 1));
    log.saveBegan(1);
    log.replaceBy(snapshotAt(9, 4, changed));
    log.saveEnded(1);
    expect([log.baseIndex, log.lastIndex, log.lastTerm, log.durableIndex]).toEqual([9, 9, 4, 0]);
    log.saveBegan(2);
    log.saveEnded(2);
    expect([log.durableIndex, log.configuration]).toEqual([9, changed]);
  });
});

describe("saves under way", () => {
  test("a save vouches for the log as it was, and only as far as that was not removed since", () => {
    const log = logOf(1);
    log.append(command(2, 1));
    log.append(command(3, 1));
    log.saveBegan(1);
    log.truncateFrom(3);
    log.append(command(3, 2));
    log.saveBegan(2);
    log.truncateFrom(3);
    log.append(command(3, 3));
    log.saveBegan(3);
    log.saveEnded(1);
    expect(log.durableIndex).toBe(2);
    log.saveEnded(2);
    expect(log.durableIndex).toBe(2);
    log.saveEnded(3);
    expect(log.durableIndex).toBe(3);
  });

  test("a save that ended stands for those before it", () => {
    const log = logOf();
    log.append(command(1, 1));
    log.saveBegan(1);
    log.append(command(2, 1));
    log.saveBegan(2);
    expect(log.lastSaveUnderWay).toBe(2);
    log.saveEnded(2);
    expect([log.durableIndex, log.lastSaveUnderWay]).toEqual([2, null]);
  });

  test("whatever is appended, removed and saved, the disk really holds what the log takes for durable", () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.constant("append" as const) },
      { weight: 1, arbitrary: fc.constant("truncate" as const) },
      { weight: 2, arbitrary: fc.constant("save" as const) },
      { weight: 2, arbitrary: fc.constant("saved" as const) },
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(step, fc.nat(3)), { maxLength: 60 }), (steps) => {
        const log = logOf();
        const copies: { readonly id: number; readonly entries: readonly Entry[] }[] = [];
        let disk: readonly Entry[] = [];
        let [term, saves] = [1, 0];
        for (const [what, back] of steps) {
          if (what === "append") log.append(command(log.lastIndex + 1, term));
          if (what === "truncate" && log.lastIndex > 0) {
            term += 1;
            log.truncateFrom(Math.max(1, log.lastIndex - back));
            log.append(command(log.lastIndex + 1, term));
          }
          if (what === "save") {
            saves += 1;
            copies.push({ id: saves, entries: log.range(1, log.lastIndex) });
            log.saveBegan(saves);
          }
          const oldest = what === "saved" ? copies.shift() : undefined;
          if (oldest !== undefined) {
            disk = oldest.entries;
            log.saveEnded(oldest.id);
          }
          expect(disk.slice(0, log.durableIndex)).toEqual(log.range(1, log.durableIndex));
        }
      }),
    );
  });
});

test("given entries that leave a gap or go back to an earlier term, when they are appended, then the board stops", () => {
  expect(() => logOf(1).append(command(3, 1))).toThrow("no gap");
  expect(() => logOf(2).append(command(2, 1))).toThrow("terms never fall");
});
