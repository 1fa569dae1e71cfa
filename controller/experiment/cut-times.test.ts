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
    carriers: [],
    ...parts,
  };
}

describe("the five times of a cut", () => {
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
      carrierLost: null,
      noticedUs: null,
      ledAgainUs: null,
    });
  });

  it("given boards that lose their carrier, then the last of those at the cables counts, and how well it is known", () => {
    const change = { interface: "eth0", up: false, uncertaintyUs: 5 };
    const carriers = [
      { ...change, board: "pi-1", atUs: 98 },
      { ...change, board: "pi-3", atUs: 120 },
      { ...change, board: "pi-2", atUs: 110, uncertaintyUs: 7 },
      { ...change, board: "pi-1", atUs: 300 },
    ];
    expect(cutTimes(chronicle({ carriers }), false)[0]?.carrierLost).toEqual({ atUs: 110, uncertaintyUs: 7 });
  });

  it("given boards that miss their leader, then the first of them noticed", () => {
    const boardEvents = [
      { atUs: 90, board: "pi-3", event: { type: "leader", leader: null, term: 1 } },
      { atUs: 220, board: "pi-2", event: { type: "role", role: "preCandidate", term: 1, reason: "no heartbeat" } },
      { atUs: 230, board: "pi-3", event: { type: "leader", leader: null, term: 1 } },
    ] as const;
    expect(cutTimes(chronicle({ boardEvents }), false)[0]?.noticedUs).toBe(220);
  });

  it("given a cable that a hand pulled, then it was open when it was seen", () => {
    const faults = [{ fault: { kind: "hand" }, targets: ["pi-1"], fromUs: 100, toUs: 500 }] as const;
    expect(cutTimes(chronicle({ faults }), false)[0]).toMatchObject({ fault: "hand", commandedUs: 100, seenUs: 100 });
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
