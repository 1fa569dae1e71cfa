import { describe, expect, it } from "vitest";
import { parseBench } from "../../hardware/bench.ts";
import type { Chronicle } from "./chronicle.ts";
import { cutTimes } from "./cut-times.ts";
import type { Fault } from "./model.ts";

const cut: Fault = { kind: "cut", target: { kind: "leader" } };

function chronicle(parts: Partial<Chronicle>): Chronicle {
  return {
    bench: parseBench("boards: 3", "bench.yaml"),
    endUs: 1_000,
    lanes: new Map(),
    faults: [{ fault: cut, targets: ["pi-1", "pi-2"], fromUs: 100, toUs: 500 }],
    moments: [],
    reigns: [],
    catchUps: [],
    boardEvents: [],
    seenCuts: [],
    ...parts,
  };
}

describe("the three times of a cut", () => {
  it("given cables that open one after the other, then the cut is seen with the last of them", () => {
    const seenCuts = [
      { cable: "pi-1", atUs: 50 },
      { cable: "pi-2", atUs: 130 },
      { cable: "pi-1", atUs: 110 },
      { cable: "pi-2", atUs: 700 },
    ];
    const [times] = cutTimes(chronicle({ seenCuts }), false);
    expect(times).toEqual({
      fault: "cut",
      cables: ["pi-1", "pi-2"],
      commandedUs: 100,
      seenUs: 130,
      ledAgainUs: null,
    });
  });

  it("given a cable that was never seen open, then the cut was not seen", () => {
    expect(cutTimes(chronicle({ seenCuts: [{ cable: "pi-1", atUs: 110 }] }), false)[0]?.seenUs).toBeNull();
  });

  it("given a simulated bench, then cables are open when it is commanded", () => {
    expect(cutTimes(chronicle({}), true)[0]?.seenUs).toBe(100);
  });

  it("given a leader that loses its majority, then it is led again by the next one", () => {
    const reigns = [
      { board: "pi-1", term: 1, fromUs: 0, toUs: 100 },
      { board: "pi-3", term: 2, fromUs: 400, toUs: 1_000 },
    ];
    expect(cutTimes(chronicle({ reigns }), false)[0]?.ledAgainUs).toBe(400);
  });

  it("given a leader that keeps its majority, then it is led all the time", () => {
    const reigns = [{ board: "pi-3", term: 1, fromUs: 0, toUs: 1_000 }];
    expect(cutTimes(chronicle({ reigns }), false)[0]?.ledAgainUs).toBe(100);
  });

  it("given faults that open no cable, then they are no cuts", () => {
    const crash = {
      fault: { kind: "crash", target: { kind: "leader" } },
      targets: ["pi-1"],
      fromUs: 1,
      toUs: 2,
    } as const;
    expect(cutTimes(chronicle({ faults: [crash] }), false)).toEqual([]);
  });
});
