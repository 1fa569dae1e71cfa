import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRandom, type Random } from "../../device/random.ts";
import { isLinearizable } from "./brute-force.ts";
import { Budget, checkLimits } from "./budget.ts";
import type { HistoryEvent } from "./history.ts";
import { linearize } from "./linearize.ts";
import { historyOf, type Operation } from "./operations.ts";
import { type RandomHistoryOptions, randomHistory } from "./random-history.ts";
import { drawn } from "./testing.ts";

function verdictOn(operations: readonly Operation[], doubted: ReadonlySet<Operation> = new Set()): string {
  return linearize(operations, new Budget(checkLimits, null), doubted).verdict;
}

describe("classic histories of one key", () => {
  it.each<[string, string, string]>([
    ["nothing at all", "", "valid"],
    ["a read of what was written", "a: |write 1| ; b:           |read 1|", "valid"],
    ["a read of a key that is not there", "a: |read null|", "valid"],
    ["a read of what nobody wrote", "a: |write 1| ; b:           |read 2|", "invalid"],
    ["a stale read", "a: |write 1| |write 2| ; b:                    |read 1|", "invalid"],
    ["an old value read while the new one is written", "a: |write 1| |write    2| ; b:           |read 1|", "valid"],
    [
      "new, then old, both while it is written",
      "a: |write 1||write            2| ; b:          |read 2||read 1|",
      "invalid",
    ],
    ["a read from the future", "a: |read 1|            ; b:          |write 1|", "invalid"],
    ["a lost update", "a: |add 1 = 1| ; b:              |add 1 = 1|", "invalid"],
    ["an add that counted twice", "a: |add 1 = 1| ; b:               |read 2|", "invalid"],
    [
      "write skew: both swapped from the same value",
      "a: |cas 0 1 = true |; b: |cas 0 2 = true |; c: |write 0|",
      "invalid",
    ],
    ["two swaps in a row", "a: |cas 0 1 = true |; b: |cas 1 2 = true |; c: |write 0|", "valid"],
    ["a swap that should have failed", "a: |write 1|; b:             |cas 2 3 = true|", "invalid"],
    ["a swap that should not have failed", "a: |write 1|; b:             |cas 1 3 = false|", "invalid"],
    ["a swap to itself that failed", "a: |write 1|; b:             |cas 1 1 = false|", "invalid"],
    ["a lost append", 'a: |append "a"||append "b"|; b:                          |read "b"|', "invalid"],
    ["appends whose order shows later", 'a: |append "a"|; b: |append "b"|; c:                    |read "ba"|', "valid"],
    ["an append that says what came out", 'a: |append "a" = "a"|; b: |append "b" = "ba"|', "invalid"],
    ["an empty append makes a text of an absent key", 'a: |append ""||read ""|', "valid"],
    ["an empty append that left the key absent", 'a: |append ""||read null|', "invalid"],
    ["an empty append that may have happened, seen", 'a: |append ""?; b:              |read null||read ""|', "valid"],
    ["a delete that found an empty text", 'a: |append ""||delete = true|', "valid"],
    ["a delete that missed an empty text", 'a: |append ""||delete = false|', "invalid"],
    ["a swap from an empty text", 'a: |append ""||cas "" "z" = true|', "valid"],
    ["a delete that found something", "a: |write 1||delete = true||delete = false||read null|", "valid"],
    ["a delete that found what was gone", "a: |write 1||delete = true||delete = true|", "invalid"],
    ["an add to a text", 'a: |write "x"||add 1 = 1|', "invalid"],
    ["objects whose fields stand in another order", 'a: |write {"p":1,"q":[2]}||read {"q":[2],"p":1}|', "valid"],
  ])("%s", (_name, drawing, verdict) => {
    const { operations } = historyOf(drawn(drawing));
    expect(verdictOn(operations)).toBe(verdict);
    expect(isLinearizable(operations)).toBe(verdict === "valid");
  });
});

describe("operations of which nobody knows how they ended", () => {
  it.each<[string, string, string]>([
    ["a write that is never seen", "a: |write 1?; b:           |read null|", "valid"],
    ["a write that is seen much later", "a: |write 1?; b:          |write 2||read 2||read 2||read 1|", "valid"],
    ["a write that flips there and back", "a: |write 1?; b:         |write 2||read 1||read 2|", "invalid"],
    ["a write that is seen before it began", "a:            |write 1?; b: |read 1|", "invalid"],
    ["two of them, seen one after the other", "a: |write 1?; b: |write 2?; c:          |read 1||read 2|", "valid"],
    ["two of them, seen again", "a: |write 1?; b: |write 2?; c:         |read 1||read 2||read 1|", "invalid"],
    ["the same twice, seen twice", "a: |write 1?; b: |write 1?; c:        |read 1||write 2||read 1|", "valid"],
    [
      "the same twice, seen three times",
      "a: |write 1?; b: |write 1?; c:        |read 1||write 2||read 1||write 2||read 1|",
      "invalid",
    ],
    ["an add that may have counted", "a: |add 5?; b:        |add 1 = 1||add 1 = 7|", "valid"],
    ["an add that counted twice", "a: |add 5?; b:        |add 1 = 1||add 1 = 12|", "invalid"],
    ["a swap that let another happen", "a: |cas null 1?; b:          |cas 1 2 = true|", "valid"],
    ["a write that failed and was seen", "a: |write 1!; b:          |read 1|", "invalid"],
    ["a read that nobody heard of", "a: |read?; b:          |write 1||read 1|", "valid"],
  ])("%s", (_name, drawing, verdict) => {
    const { operations } = historyOf(drawn(drawing));
    expect(verdictOn(operations)).toBe(verdict);
    expect(isLinearizable(operations)).toBe(verdict === "valid");
  });
});

describe("bounds", () => {
  it("given too little room, when the search cannot tell, then it says so and does not guess", () => {
    const options = { ...small, clients: 12, operations: 300, mix: { read: 1, write: 1, cas: 1 }, values: 3 };
    const { operations } = historyOf(randomHistory(createRandom("room"), options));
    expect(verdictOn(operations)).toBe("valid");
    const limits = { ...checkLimits, configurationsMax: 10 };
    expect(linearize(operations, new Budget(limits, null))).toMatchObject({
      verdict: "unknown",
      reason: expect.stringContaining("more than 10 configurations"),
    });
  });

  it("given many lost adds and a sum of some of them, when searched, then it gives up before memory does", () => {
    const adds = Array.from({ length: 40 }, (_, index) => 1_000_000 + 7 ** (index % 19) * (index + 3));
    const seen = adds.reduce((sum, amount, index) => (index % 2 === 0 ? sum + amount : sum), 0);
    const history = adds.map((amount, index) => `c${index}: |add ${amount}?`).join(";");
    const { operations } = historyOf(drawn(`${history}; r:                              |read ${seen}|`));
    const budget = new Budget({ ...checkLimits, frontierMax: 1_000 }, null);
    expect(linearize(operations, budget)).toMatchObject({ verdict: "unknown" });
    expect(budget.explored).toBeLessThan(20_000);
  });

  it("given values that nobody saw, when there are too many to think of, then it says so", () => {
    const drawing = "a: |add 1?; b: |add 2?; c: |add 4?; d: |add 8?; r:           |read 11|";
    const { operations } = historyOf(drawn(drawing));
    expect(verdictOn(operations)).toBe("valid");
    expect(linearize(operations, new Budget({ ...checkLimits, valuesMax: 1 }, null))).toMatchObject({
      verdict: "unknown",
      reason: expect.stringContaining("more than 1 values"),
    });
  });

  it("given a clock, when the time is over, then the verdict is unknown", () => {
    let nowMs = 0;
    const clock = (): number => {
      nowMs += 1_000;
      return nowMs;
    };
    const options = { ...small, clients: 20, operations: 20_000, values: 0 };
    const { operations } = historyOf(randomHistory(createRandom("clock"), options));
    const budget = new Budget({ ...checkLimits, durationMsMax: 2_000 }, clock);
    expect(linearize(operations, budget)).toMatchObject({
      verdict: "unknown",
      reason: expect.stringContaining("time"),
    });
  });
});

describe("against a checker that tries everything", () => {
  it("given a real object, when clients overlap, crash and time out, then the history is valid", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = createRandom(seed);
        const { operations } = historyOf(randomHistory(random, smallOptions(random)));
        expect(verdictOn(operations)).toBe("valid");
      }),
      { numRuns: 2_000 },
    );
  });

  it("given a history in which results were changed and events moved, then both say the same", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = createRandom(seed);
        const { operations } = historyOf(mutated(randomHistory(random, smallOptions(random)), random));
        expect(verdictOn(operations)).toBe(isLinearizable(operations) ? "valid" : "invalid");
      }),
      { numRuns: 6_000 },
    );
  });

  it("given the later operations alone, when they are impossible whatever was before, then the history is", () => {
    let impossible = 0;
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = createRandom(seed);
        const { operations } = historyOf(mutated(randomHistory(random, smallOptions(random)), random));
        const from = random.pick(operations)?.invokeLine ?? 0;
        const later = operations.filter(
          ({ outcome, completeLine }) => outcome === "info" || (completeLine !== null && completeLine > from),
        );
        const begun = new Set(later.filter(({ invokeLine, outcome }) => invokeLine < from && outcome === "ok"));
        const seen = later.filter((each) => !begun.has(each) || (each.op !== "read" && each.result !== false));
        const { verdict } = linearize(seen, new Budget(checkLimits, null), begun, "any");
        if (verdict !== "invalid") return;
        impossible += 1;
        expect(isLinearizable(operations)).toBe(false);
      }),
      { numRuns: 3_000 },
    );
    expect(impossible).toBeGreaterThan(50);
  });

  it("given operations that are doubted, then both say the same for every choice of those that happened", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = createRandom(seed);
        const { operations } = historyOf(mutated(randomHistory(random, smallOptions(random)), random));
        const known = operations.filter(
          ({ op, outcome, result }) => outcome === "ok" && op !== "read" && result !== false,
        );
        const doubted = new Set(known.filter(() => random.chance(1, 2)));
        const some = choices(operations, doubted).some(isLinearizable);
        expect(verdictOn(operations, doubted)).toBe(some ? "valid" : "invalid");
      }),
      { numRuns: 1_500 },
    );
  });
});

const small: RandomHistoryOptions = {
  clients: 3,
  keys: 1,
  operations: 8,
  mix: { read: 1, write: 1 },
  indefinitePercent: 0,
  failPercent: 5,
  values: 2,
  appendResults: false,
};

const mixes: readonly RandomHistoryOptions["mix"][] = [
  { read: 1, write: 1 },
  { read: 2, write: 1, cas: 2 },
  { read: 1, append: 1 },
  { read: 2, append: 2, delete: 1 },
  { read: 1, add: 1 },
  { read: 1, add: 1, write: 1, delete: 1 },
  { read: 1, write: 1, delete: 1, cas: 1 },
  { read: 2, write: 1, cas: 1, add: 1, append: 1, delete: 1 },
];

function smallOptions(random: Random): RandomHistoryOptions {
  return {
    ...small,
    clients: random.between(2, 6),
    operations: random.between(3, 9),
    mix: random.pick(mixes),
    indefinitePercent: random.pick([0, 20, 50]),
    values: random.pick([0, 2, 3]),
    appendResults: random.chance(1, 2),
  };
}

/** The same history with some results exchanged, and some invocations moved behind a completion. */
function mutated(history: readonly HistoryEvent[], random: Random): HistoryEvent[] {
  const events = [...history];
  for (let change = random.between(1, 4); change > 0; change -= 1) {
    const places = events.flatMap(({ type, result }, place) => (type === "ok" && result !== undefined ? [place] : []));
    if (places.length === 0) return events;
    const place = random.pick(places);
    const event = events[place];
    const other = random.pick(places.map((each) => events[each]).filter((each) => each?.op === event?.op));
    if (event === undefined) continue;
    const result = typeof event.result === "boolean" ? !event.result : other?.result;
    events[place] = { ...event, result };
  }
  for (let change = random.between(0, 4); change > 0; change -= 1) {
    const place = random.between(0, events.length - 1);
    const [first, second] = events.slice(place, place + 2);
    if (first?.type !== "invoke" || second === undefined || second.type === "invoke") continue;
    if (first.process === second.process) continue;
    events.splice(place, 2, { ...second, atUs: first.atUs }, { ...first, atUs: second.atUs });
  }
  return events;
}

/** The histories in which each doubted operation either happened, without saying what came back, or did not. */
function choices(operations: readonly Operation[], doubted: ReadonlySet<Operation>): (readonly Operation[])[] {
  let histories: (readonly Operation[])[] = [[]];
  for (const operation of operations) {
    const happened = histories.map((history) => [...history, operation]);
    const silent = histories.map((history) => [...history, { ...operation, result: undefined }]);
    histories = doubted.has(operation) ? [...histories, ...silent] : happened;
  }
  return histories;
}
