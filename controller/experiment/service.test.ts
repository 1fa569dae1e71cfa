import { describe, expect, it } from "vitest";
import type { Operation } from "../check/index.ts";
import { Service } from "./service.ts";

/** An operation that began and ended then; without an end it was still open at the end of the run. */
function operation(invokedAtUs: number, completedAtUs: number | null, outcome: Operation["outcome"] = "ok"): Operation {
  const lines = { invokeLine: invokedAtUs, completeLine: completedAtUs };
  return {
    process: "c1",
    op: "read",
    key: "x",
    value: undefined,
    result: null,
    outcome,
    invokedAtUs,
    completedAtUs,
    ...lines,
  };
}

describe("the first answer after a moment", () => {
  const service = new Service(
    [operation(10, 20), operation(30, 90), operation(40, 50, "info"), operation(60, 80)],
    100,
  );

  it("given that it may have been asked before, then it is the first that comes", () => {
    expect(service.firstAnswerUs(0, false)).toBe(20);
    expect(service.firstAnswerUs(21, false)).toBe(80);
    expect(service.firstAnswerUs(81, false)).toBe(90);
  });

  it("given that it must have been asked afterwards, then what was open already does not count", () => {
    expect(service.firstAnswerUs(15, true)).toBe(80);
    expect(service.firstAnswerUs(61, true)).toBeNull();
  });

  it("given that nobody is answered any more, then there is none", () => {
    expect(service.firstAnswerUs(91, false)).toBeNull();
  });
});

describe("stalls", () => {
  it("given a time in which somebody waited and nobody was answered, then it is one, with who waited how long", () => {
    const service = new Service([operation(0, 5), operation(10, 200), operation(20, 210), operation(220, 225)], 300);
    expect(service.stalls(50)).toEqual([{ fromUs: 10, toUs: 200, answered: true, operations: 2, longestUs: 190 }]);
  });

  it("given that nobody asked for a while, then that is no stall", () => {
    expect(new Service([operation(0, 5), operation(500, 505)], 600).stalls(50)).toEqual([]);
  });

  it("given that nobody is answered until the end, then the stall lasts as long as the run", () => {
    expect(new Service([operation(0, 5), operation(10, null, "info")], 300).stalls(50)).toEqual([
      { fromUs: 10, toUs: 300, answered: false, operations: 1, longestUs: 290 },
    ]);
  });

  it("given that the last one gives up before the end, then the stall ends there, without an answer", () => {
    expect(new Service([operation(0, 5), operation(10, 100, "info")], 300).stalls(50)).toEqual([
      { fromUs: 10, toUs: 100, answered: false, operations: 1, longestUs: 90 },
    ]);
  });

  it("given several, then the longest is not the longest time without an answer, if nobody asked in it", () => {
    const service = new Service([operation(0, 5), operation(10, 60), operation(290, 300), operation(300, 320)], 400);
    expect(service.longestStall()).toMatchObject({ fromUs: 10, toUs: 60 });
    expect(new Service([], 400).longestStall()).toBeNull();
  });
});
