import { describe, expect, it } from "vitest";
import type { ReplicaEvent } from "../../device/replica/host.ts";
import { type Bench, parseBench } from "../../hardware/bench.ts";
import { Chronicler } from "./chronicler.ts";
import type { Fault } from "./model.ts";
import { readyBench } from "./ready.ts";
import type { RunEvent } from "./run-result.ts";

const threeBoards = benchOf("three-boards");
const twoSwitches = benchOf("two-switches");

function benchOf(name: string): Bench {
  const file = readyBench(name);
  if (file === null) throw new Error(`There is no bench ${name}.`);
  return parseBench(file.text, file.name);
}

function board(atUs: number, name: string, event: ReplicaEvent): RunEvent {
  return { atUs, kind: "board", board: name, event };
}

function opened(atUs: number, name: string): RunEvent {
  return board(atUs, name, { type: "opened", member: name, lastIndex: 0, tornTail: null });
}

function elected(atUs: number, name: string, term: number, followers: readonly string[]): readonly RunEvent[] {
  return [
    board(atUs, name, { type: "role", role: "leader", term, reason: "a majority voted for it" }),
    ...[name, ...followers].map((each) => board(atUs, each, { type: "leader", leader: name, term })),
  ];
}

function step(atUs: number, kind: "begin" | "turn" | "end", fault: Fault, targets: readonly string[]): RunEvent {
  return { atUs, kind: "step", step: kind, fault, targets, isWhole: kind === "end" };
}

function chronicleOf(bench: Bench, endUs: number, ...events: readonly (RunEvent | readonly RunEvent[])[]) {
  const chronicler = new Chronicler(bench);
  for (const event of events.flat()) chronicler.tell(event);
  return chronicler.finish(endUs);
}

const names = ["pi-1", "pi-2", "pi-3"];
const started = names.map((name) => opened(1, name));
const cut: Fault = { kind: "cut", target: { kind: "leader" } };
const crash: Fault = { kind: "crash", target: { kind: "leader" } };
const pause: Fault = { kind: "pause", target: { kind: "leader" } };

describe("lanes", () => {
  it("given an election and a crash, then the board's lane shows what it was when, without gaps", () => {
    const { lanes } = chronicleOf(
      threeBoards,
      1_000,
      started,
      elected(100, "pi-1", 1, ["pi-2", "pi-3"]),
      step(500, "begin", crash, ["pi-1"]),
      opened(800, "pi-1"),
    );
    expect(lanes.get("pi-1")?.map(({ fromUs, toUs, state }) => [fromUs, toUs, state])).toEqual([
      [0, 1, "down"],
      [1, 100, "follower"],
      [100, 500, "leader"],
      [500, 800, "down"],
      [800, 1_000, "follower"],
    ]);
  });

  it("given a pause, then the board is what it was before as soon as it goes on", () => {
    const { lanes } = chronicleOf(
      threeBoards,
      1_000,
      started,
      elected(100, "pi-1", 1, ["pi-2", "pi-3"]),
      step(500, "begin", pause, ["pi-1"]),
      step(600, "end", pause, ["pi-1"]),
    );
    expect(
      lanes
        .get("pi-1")
        ?.slice(2)
        .map(({ state }) => state),
    ).toEqual(["leader", "paused", "leader"]);
  });

  it("given a cut trunk, then the boards of the smaller side are cut off, and the others are not", () => {
    const trunk: Fault = { kind: "cut", target: { kind: "named", names: ["trunk"] } };
    const { lanes } = chronicleOf(
      twoSwitches,
      1_000,
      step(500, "begin", trunk, ["trunk"]),
      step(700, "end", trunk, ["trunk"]),
    );
    const cutOff = [...lanes].filter(([, spans]) => spans.some(({ isCutOff }) => isCutOff)).map(([name]) => name);
    expect(cutOff).toEqual(["pi-1", "pi-2"]);
    expect(lanes.get("pi-1")?.map(({ fromUs, isCutOff }) => [fromUs, isCutOff])).toEqual([
      [0, false],
      [500, true],
      [700, false],
    ]);
  });

  it("given a flapping cable, then the board is cut off while the cable is open", () => {
    const flap: Fault = { kind: "flap", target: { kind: "leader" }, periodUs: 200 };
    const { lanes } = chronicleOf(
      threeBoards,
      1_000,
      step(100, "begin", flap, ["pi-1"]),
      step(200, "turn", flap, ["pi-1"]),
      step(300, "turn", flap, ["pi-1"]),
      step(400, "end", flap, ["pi-1"]),
    );
    expect(lanes.get("pi-1")?.map(({ fromUs, isCutOff }) => [fromUs, isCutOff])).toEqual([
      [0, false],
      [100, true],
      [200, false],
      [300, true],
      [400, false],
    ]);
  });
});

describe("reigns", () => {
  it("given a leader whom a majority follows, then it reigns until it is cut off, whatever it believes", () => {
    const { reigns } = chronicleOf(
      threeBoards,
      1_000,
      started,
      elected(100, "pi-1", 1, ["pi-2", "pi-3"]),
      step(500, "begin", cut, ["pi-1"]),
      elected(700, "pi-2", 2, ["pi-3"]),
    );
    expect(reigns).toEqual([
      { board: "pi-1", term: 1, fromUs: 100, toUs: 500 },
      { board: "pi-2", term: 2, fromUs: 700, toUs: 1_000 },
    ]);
  });

  it("given a leader whom only itself follows, then nobody reigns", () => {
    expect(chronicleOf(threeBoards, 1_000, started, elected(100, "pi-1", 1, [])).reigns).toEqual([]);
  });
});

describe("faults and moments", () => {
  it("given faults, then each has its time, and each beginning and each complete end is a moment", () => {
    const { faults, moments } = chronicleOf(
      threeBoards,
      1_000,
      step(100, "begin", cut, ["pi-1"]),
      step(300, "end", cut, ["pi-1"]),
      step(500, "begin", crash, ["pi-2"]),
    );
    expect(faults.map(({ fault, fromUs, toUs }) => [fault.kind, fromUs, toUs])).toEqual([
      ["cut", 100, 300],
      ["crash", 500, 1_000],
    ]);
    expect(moments).toEqual([
      { kind: "fault", atUs: 100 },
      { kind: "heal", atUs: 300 },
      { kind: "fault", atUs: 500 },
    ]);
  });

  it("given a fault that hits nothing, then it is none", () => {
    const { faults, moments } = chronicleOf(threeBoards, 1_000, step(100, "begin", cut, []));
    expect({ faults, moments }).toEqual({ faults: [], moments: [] });
  });
});

it("given a board that was cut off, then it has caught up when it holds what had been committed at the heal", () => {
  const committed = (atUs: number, name: string, index: number) => board(atUs, name, { type: "committed", index });
  const { catchUps } = chronicleOf(
    threeBoards,
    1_000,
    started,
    committed(50, "pi-3", 5),
    step(100, "begin", cut, ["pi-3"]),
    committed(150, "pi-1", 12),
    step(200, "end", cut, ["pi-3"]),
    committed(250, "pi-3", 9),
    committed(300, "pi-3", 12),
  );
  expect(catchUps).toEqual([{ board: "pi-3", fromUs: 200, toUs: 300, entries: 7 }]);
});

describe("what brokers withhold", () => {
  it("given a split by the brokers alone, then only the boards of the minority are cut off, and the leader leads on", () => {
    const split: Fault = { kind: "split", groups: [["pi-1"], ["pi-2", "pi-3"]] };
    const withholds = ["pi-2", "pi-3"].flatMap((name) => [
      { from: "pi-1", to: name },
      { from: name, to: "pi-1" },
    ]);
    const begins: RunEvent = {
      atUs: 500,
      kind: "step",
      step: "begin",
      fault: split,
      targets: names,
      isWhole: false,
      withholds,
    };
    const { lanes, reigns } = chronicleOf(
      threeBoards,
      1_000,
      started,
      elected(100, "pi-2", 1, ["pi-1", "pi-3"]),
      begins,
      step(800, "end", split, names),
    );
    const cutOff = names.map((name) =>
      lanes
        .get(name)
        ?.filter(({ isCutOff }) => isCutOff)
        .map(({ fromUs, toUs }) => [fromUs, toUs]),
    );
    expect(cutOff).toEqual([[[500, 800]], [], []]);
    expect(reigns).toEqual([{ board: "pi-2", term: 1, fromUs: 100, toUs: 1_000 }]);
  });
});
