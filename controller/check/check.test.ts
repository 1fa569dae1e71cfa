import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRandom } from "../../device/random.ts";
import { isLinearizable } from "./brute-force.ts";
import { checkHistory } from "./check.ts";
import type { HistoryEvent } from "./history.ts";
import { historyOf } from "./operations.ts";
import { progressOf, recoveryAfter } from "./progress.ts";
import { type RandomHistoryOptions, randomHistory } from "./random-history.ts";
import { drawn } from "./testing.ts";
import { describeWrongNumber } from "./wrong-number.suite.ts";

const busy: RandomHistoryOptions = {
  clients: 6,
  keys: 2,
  operations: 400,
  mix: { read: 3, write: 2, cas: 1 },
  indefinitePercent: 5,
  failPercent: 5,
  values: 5,
  appendResults: false,
};

describe("the verdict", () => {
  it("given a history of a real object, when checked, then it is valid and counts what it saw", () => {
    const events = randomHistory(createRandom("valid"), busy);
    const verdict = checkHistory(events);
    expect(verdict).toMatchObject({ verdict: "valid", operations: [], diagram: "" });
    expect(verdict.checks.map(({ name, verdict }) => [name, verdict])).toEqual([
      ["linearizable", "valid"],
      ["exactly-once", "valid"],
    ]);
    expect(verdict.statistics).toMatchObject({ events: events.length, operations: 400, keys: 2 });
    expect(JSON.parse(JSON.stringify(verdict))).toMatchObject({ verdict: "valid" });
  });

  it("given a stale read, when checked, then three operations show it, in a drawing too", () => {
    const verdict = checkHistory(
      drawn(`a: |write 1|          |write 2|            |write 3|
             b:           |read 1|         |read 2|                |read 2|`),
    );
    expect(verdict.verdict).toBe("invalid");
    expect(verdict.diagram).toBe(
      ["a  write x 2   ├──┤", "a  write x 3         ├──┤", "b  read x → 2              ├──┤"].join("\n"),
    );
    expect(verdict.reason).toMatch(/These 3 operations on key "x" contradict each other/);
  });

  it("given a read of what nobody wrote, when checked, then that read alone shows it", () => {
    const verdict = checkHistory(drawn("a: |write 1||read 7||write 2|"));
    expect(verdict.operations).toMatchObject([{ op: "read", result: 7 }]);
    expect(verdict.reason).toMatch(/a says "read x → 7": nothing/);
  });

  it("given too narrow bounds, when checked, then it is unknown, and says which bound", () => {
    const verdict = checkHistory(randomHistory(createRandom("narrow"), busy), { limits: { configurationsMax: 5 } });
    expect(verdict).toMatchObject({
      verdict: "unknown",
      reason: expect.stringContaining("more than 5 configurations"),
    });
  });
});

describe("the words of the verdict", () => {
  it("given no operation, one, or more, when valid, then it says so in good English", () => {
    expect(checkHistory([]).reason).toMatch(/^No operation at all/);
    expect(checkHistory(drawn("a: |write 1|")).reason).toMatch(/^The only operation on 1 key can/);
    expect(checkHistory(drawn("a: |write 1||read 1|")).reason).toMatch(/^Each of 2 operations on 1 key can/);
  });

  it("given escapes and line ends in names, when invalid, then words and drawing show them and hold none", () => {
    const nasty = "\u001b[2J\n\u009b";
    const stale = drawn("a: |add 1 = 1|; b:           |read 2|", nasty);
    for (const history of [stale, drawn("a: |write 1||read 7|", nasty)]) {
      const { reason, diagram } = checkHistory(
        history.map((event) => ({ ...event, process: `${nasty}${event.process}` })),
      );
      for (const text of [reason, ...diagram.split("\n")]) {
        expect(text).toContain("\\u001b[2J\\u000a\\u009b");
        expect(text).not.toMatch(/\p{Cc}/u);
      }
    }
  });

  it("given endless names, when invalid, then the drawing is no wider than a page", () => {
    const { diagram } = checkHistory(drawn("a: |write 1||read 7|", "k".repeat(10_000)));
    expect(diagram.length).toBeLessThan(200);
  });
});

describe("the operations that show a contradiction", () => {
  it("given any changed result, when it makes a history invalid, then they alone are contradictory, and few", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = createRandom(seed);
        const mix = random.pick<RandomHistoryOptions["mix"]>([
          { read: 1, write: 1 },
          { read: 1, cas: 2, write: 1 },
          { read: 1, append: 1 },
          { read: 1, add: 1 },
        ]);
        const events = randomHistory(random, { ...busy, operations: 60, mix, values: random.pick([0, 3]) });
        const verdict = checkHistory(withOneLie(events, (places) => random.pick(places)));
        if (verdict.verdict !== "invalid") return;
        expect(isLinearizable(verdict.operations)).toBe(false);
        expect(verdict.operations.length).toBeLessThanOrEqual(14);
      }),
      { numRuns: 150 },
    );
  });
});

describeWrongNumber([1_000, 10_000]);

/** The history with the result of one read exchanged for that of another. */
function withOneLie(events: readonly HistoryEvent[], pick: (places: readonly number[]) => number): HistoryEvent[] {
  const reads = events.flatMap(({ type, op }, place) => (type === "ok" && op === "read" ? [place] : []));
  if (reads.length === 0) return [...events];
  const result = events[pick(reads)]?.result;
  const place = pick(reads);
  return events.map((event, index) => (index === place ? { ...event, result } : event));
}

describe("exactly once", () => {
  function check(drawing: string) {
    // No configuration may be looked at: what counts speaks where the search for an order gives up.
    return checkHistory(drawn(drawing), { limits: { configurationsMax: 0 } });
  }

  it.each<[string, string, RegExp]>([
    [
      "an add that counted twice",
      "a: |add 1 = 1|; b:           |read 2|",
      /saw 2 .* 1: some add counted more than once/,
    ],
    [
      "an add that was lost",
      "a: |add 1 = 1|; b: |add 1 = 2|; c:                |read 1|",
      /saw 1 .* 2 at least: b had seen 2 before/,
    ],
    ["a doubtful add that counted twice", "a: |add 5?; b:        |add 1 = 11|", /between 1 and 6/],
    ["a subtraction that was lost", "a: |add -2 = -2||add -1 = -3||read -2|", /some add was lost/],
    ["an add that counted twice, later on", "a: |add 1 = 1||add 1 = 2||read 2||add 1 = 4|", /3: some add counted more/],
    ["ups and downs", "a: |add 5 = 5||add -2 = 3||read 5|", /lost or counted more than once/],
    [
      "an append that counted twice",
      'a: |append "ab"|; b:              |read "abab"|',
      /saw "ab" twice .* appended once/,
    ],
    [
      "an append that was lost",
      'a: |append "a"||append "b"|; b:                           |read "b"|',
      /did not see "a"/,
    ],
    ["an append that vanished", 'a: |append "a"||append "b"||read "ab"||read "a"|', /did not see "b"/],
  ])("%s", (_name, drawing, reason) => {
    const verdict = check(drawing);
    expect(verdict).toMatchObject({ verdict: "invalid", reason: expect.stringMatching(reason) });
    expect(verdict.operations.length).toBeGreaterThan(1);
    expect(isLinearizable(historyOf(drawn(drawing)).operations)).toBe(false);
  });

  it("given histories of a real object, when counted, then nothing is missing or twice", () => {
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom("add" as const, "append" as const), (seed, op) => {
        const options = { ...busy, operations: 100, mix: { read: 1, [op]: 2 }, values: op === "add" ? 5 : 0 };
        const events = randomHistory(createRandom(seed), { ...options, indefinitePercent: 20 });
        expect(checkHistory(events, { limits: { configurationsMax: 0 } }).verdict).toBe("unknown");
      }),
      { numRuns: 100 },
    );
  });
});

describe("progress", () => {
  const at = (atUs: number, process: string, type: HistoryEvent["type"], value = 1): HistoryEvent => ({
    process,
    type,
    op: "write",
    key: "x",
    value,
    atUs,
  });

  it("given a time without any answer, when measured, then it is the longest stall, and idle time is none", () => {
    const history = historyOf([
      at(0, "a", "invoke"),
      at(10, "a", "ok"),
      at(500, "a", "invoke"),
      at(520, "b", "invoke"),
      at(550, "b", "fail"),
      at(600, "a", "ok"),
      at(640, "c", "invoke"),
    ]);
    expect(progressOf(history)).toEqual({ longestStallUs: 100, longestStallAtUs: 500 });
  });

  it("given an operation without an end, when measured, then it stalls until the history ends", () => {
    const history = historyOf([at(0, "a", "invoke"), at(30, "b", "invoke"), at(90, "b", "fail")]);
    expect(progressOf(history)).toEqual({ longestStallUs: 90, longestStallAtUs: 0 });
  });

  it("given a heal, when all clients are served in time, then the recovery is valid and says how long it took", () => {
    const history = historyOf([
      at(0, "gone", "invoke"),
      at(5, "a", "invoke"),
      at(120, "gone", "info"),
      at(130, "a", "ok"),
      at(135, "b", "invoke"),
      at(150, "b", "ok"),
    ]);
    expect(recoveryAfter(history, 100, 40)).toMatchObject({ verdict: "valid", firstOkAfterUs: 30, longestWaitUs: 30 });
    expect(recoveryAfter(history, 100, 20)).toMatchObject({ verdict: "invalid", unserved: ["a"] });
  });

  it("given a history that ends too early, when a client still waits, then the recovery is unknown", () => {
    const history = historyOf([at(0, "a", "invoke"), at(150, "b", "invoke")]);
    expect(recoveryAfter(history, 100, 1_000)).toMatchObject({ verdict: "unknown" });
    expect(recoveryAfter(history, 200, 1_000)).toMatchObject({ verdict: "unknown" });
  });
});
