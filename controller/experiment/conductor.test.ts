import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRandom } from "../../device/random.ts";
import { type Bench, cablesToSplit, parseBench, reachability } from "../../hardware/bench.ts";
import type { BenchAction } from "./bench-action.ts";
import { createConductor } from "./conductor.ts";
import { parseExperiment } from "./experiment.ts";
import { planExperiment } from "./plan.ts";
import { type ClusterView, resolveBoards } from "./resolve.ts";

const fiveBoards = readyBench("five-boards");
const twoSwitches = readyBench("two-switches");
const boards = fiveBoards.boards.map((board) => board.name);
const view: ClusterView = { boards, leader: "pi-3", voters: boards };

function readyBench(name: string): Bench {
  const file = new URL(`../../hardware/benches/${name}.yaml`, import.meta.url);
  return parseBench(readFileSync(file, "utf8"), `${name}.yaml`);
}

/** Performs all steps of these faults; a line for each step: its moment in seconds and what it comes to. */
function perform(faults: readonly string[], views: (atUs: number) => ClusterView = () => view, bench = fiveBoards) {
  const text = `duration: 20s\nfaults:\n${faults.map((fault) => `  - { ${fault} }\n`).join("")}`;
  const conductor = createConductor(bench, createRandom(1));
  return planExperiment(parseExperiment(text, "any.yaml")).map((step) => {
    const { actions } = conductor.perform(step, views(step.atUs));
    return `${step.atUs / 1_000_000}s ${actions.map(phrase).join(", ")}`.trim();
  });
}

function phrase({ kind, ...rest }: BenchAction): string {
  const words = Object.values(rest).map((value) => (typeof value === "object" ? JSON.stringify(value) : String(value)));
  return [kind, ...words.filter((word) => word !== "both")].join(" ");
}

describe("what a target means", () => {
  function boardsOf(target: Parameters<typeof resolveBoards>[0], now: ClusterView, seed = 1, times = 0) {
    return resolveBoards(target, { bench: fiveBoards, view: now, random: createRandom(seed), times });
  }

  it("given a leader, then it is that board, and no board before the first election", () => {
    expect(boardsOf({ kind: "leader" }, view)).toEqual(["pi-3"]);
    expect(boardsOf({ kind: "leader" }, { ...view, leader: null })).toEqual([]);
  });

  it("given a follower, then it is any board that runs and votes and does not lead", () => {
    const now = { boards: ["pi-1", "pi-2", "pi-3"], leader: "pi-3", voters: ["pi-2", "pi-3", "pi-4"] };
    for (let seed = 0; seed < 20; seed += 1) expect(boardsOf({ kind: "follower" }, now, seed)).toEqual(["pi-2"]);
    const seen = new Set(Array.from({ length: 50 }, (_, seed) => boardsOf({ kind: "follower" }, view, seed)[0]));
    expect([...seen].toSorted()).toEqual(["pi-1", "pi-2", "pi-4", "pi-5"]);
  });

  it("given a minority, then the others are a majority; given a majority, they are not", () => {
    fc.assert(
      fc.property(fc.subarray(boards, { minLength: 1 }), fc.nat(), (voters, seed) => {
        const now = { ...view, voters };
        const few = boardsOf({ kind: "minority" }, now, seed);
        const many = boardsOf({ kind: "majority" }, now, seed);
        expect((voters.length - few.length) * 2).toBeGreaterThan(voters.length);
        expect((voters.length - few.length - 1) * 2).toBeLessThanOrEqual(voters.length);
        expect(many.length * 2).toBeGreaterThan(voters.length);
        expect((many.length - 1) * 2).toBeLessThanOrEqual(voters.length);
        expect(voters).toEqual(expect.arrayContaining([...few, ...many]));
        expect(new Set(many).size).toBe(many.length);
      }),
    );
  });

  it("given the next board, then it goes through all of them and begins again", () => {
    const order = Array.from({ length: 6 }, (_, times) => boardsOf({ kind: "next" }, view, 1, times)[0]);
    expect(order).toEqual(["pi-1", "pi-2", "pi-3", "pi-4", "pi-5", "pi-1"]);
  });
});

describe("a conductor", () => {
  it("given a cut leader, when another leads at the end, then it is the first whose cable is healed", () => {
    const views = (atUs: number) => ({ ...view, leader: atUs < 3_000_000 ? "pi-3" : "pi-4" });
    expect(perform(["fault: cut, target: leader, at: 2s, for: 4s"], views)).toEqual(["2s cut pi-3", "6s heal pi-3"]);
  });

  it("given two faults on one cable, when the first ends, then the cable stays cut until the second ends too", () => {
    expect(
      perform(["fault: cut, target: pi-1, at: 1s, for: 3s", "fault: cut, target: [pi-1, pi-2], at: 2s, for: 5s"]),
    ).toEqual(["1s cut pi-1", "2s cut pi-1, cut pi-2", "4s", "7s heal pi-1, heal pi-2"]);
  });

  it("given two faults on one part, when the later ends, then the earlier counts again", () => {
    expect(
      perform([
        "fault: disk-slow, target: pi-1, flush: 20ms, at: 1s, for: 5s",
        "fault: disk-stall, target: pi-1, at: 2s, for: 1s",
      ]),
    ).toEqual([
      '1s setDisk pi-1 {"kind":"slow","flushUs":20000}',
      '2s setDisk pi-1 {"kind":"stalled"}',
      '3s setDisk pi-1 {"kind":"slow","flushUs":20000}',
      '6s setDisk pi-1 {"kind":"healthy"}',
    ]);
  });

  it("given a power cut during a crash, then the board starts once, when both are over", () => {
    expect(
      perform(["fault: crash, target: pi-1, at: 1s, for: 2s", "fault: power-cut, target: pi-1, at: 2s, for: 3s"]),
    ).toEqual(["1s kill pi-1", "2s powerOff pi-1", "3s", "5s start pi-1"]);
  });

  it("given a flapping cable, then it opens and closes, and is whole in the end", () => {
    expect(perform(["fault: flap, target: pi-2, at: 1s, for: 1500ms, period: 1s"])).toEqual([
      "1s cut pi-2",
      "1.5s heal pi-2",
      "2s cut pi-2",
      "2.5s heal pi-2",
    ]);
    expect(perform(["fault: flap, target: pi-2, at: 1s, for: 1s, period: 1s"])).toEqual([
      "1s cut pi-2",
      "1.5s heal pi-2",
      "2s",
    ]);
  });

  it("given a wiped card, then the board restarts at once; given a replaced board, then later", () => {
    expect(perform(["fault: wipe, target: pi-1, at: 1s"])).toEqual(["1s powerOff pi-1, eraseCard pi-1, start pi-1"]);
    expect(perform(["fault: replace, target: pi-1, at: 1s, for: 2s"])).toEqual([
      "1s powerOff pi-1, eraseCard pi-1",
      "3s start pi-1",
    ]);
  });

  it.each([
    ["fault: one-way, target: pi-1, loses: outgoing", ["1s cut pi-1 fromFirstEnd", "2s heal pi-1"]],
    ["fault: one-way, target: pi-1, loses: incoming", ["1s cut pi-1 fromSecondEnd", "2s heal pi-1"]],
    ["fault: pause, target: pi-1", ["1s pause pi-1", "2s resume pi-1"]],
    ["fault: switch-off, target: switch", ["1s switchOff switch", "2s switchOn switch"]],
    ["fault: broker-down, target: all", ['1s stopBroker broker ["sessions","retained"]', "2s startBroker broker"]],
    ["fault: clock-drift, target: leader, driftPercent: 5", ["1s setClockDrift pi-3 50000", "2s setClockDrift pi-3 0"]],
    ["fault: disk-full, target: leader", ['1s setDisk pi-3 {"kind":"full"}', '2s setDisk pi-3 {"kind":"healthy"}']],
    [
      "fault: noise, lossPercent: 1, delayPercent: 2, delayMax: 9ms",
      ['1s setNoise {"lossPpm":10000,"duplicationPpm":0,"delayPpm":20000,"delayUsMax":9000}', "2s setNoise null"],
    ],
  ])("does and undoes { %s }", (fault, steps) => {
    expect(perform([`${fault}, at: 1s, for: 1s`])).toEqual(steps);
  });

  it.each([
    ["fault: bit-rot, target: leader", "1s flipBit pi-3"],
    ["fault: clock-jump, target: leader, by: -1s", "1s jumpClock pi-3 -1000000"],
    ["fault: transfer-leadership, target: pi-2", "1s transferLeadership pi-2"],
    ["fault: remove-member, target: leader", '1s removeMembers ["pi-3"]'],
    ["fault: add-member, target: pi-5", '1s addMembers ["pi-5"]'],
  ])("does { %s }", (fault, step) => {
    expect(perform([`${fault}, at: 1s`])).toEqual([step]);
  });

  it("given nobody whom the target means, then nothing is done", () => {
    expect(perform(["fault: cut, target: leader, at: 1s, for: 1s"], () => ({ ...view, leader: null }))).toEqual([
      "1s",
      "2s",
    ]);
  });

  it("puts everything right when it is stopped in the middle", () => {
    const conductor = createConductor(fiveBoards, createRandom(1));
    const faults = "[{ fault: cut, target: pi-1, at: 1s, for: 9s }, { fault: pause, target: pi-2, at: 2s, for: 9s }]";
    for (const step of planExperiment(parseExperiment(`duration: 20s\nfaults: ${faults}`, "any.yaml")).slice(0, 2)) {
      conductor.perform(step, view);
    }
    expect(conductor.isWhole()).toBe(false);
    expect(conductor.endAll().map(phrase)).toEqual(["heal pi-1", "resume pi-2"]);
    expect(conductor.isWhole()).toBe(true);
    expect(conductor.endAll()).toEqual([]);
  });

  it("leaves nothing cut or down after any plan, whatever overlaps", () => {
    const kinds = fc.constantFrom("cut", "crash", "power-cut", "replace", "pause", "isolate", "flap");
    const target = fc.constantFrom("leader", "a follower", "minority", "all", "pi-1", "the next board");
    const fault = fc.record({ kind: kinds, target, at: fc.nat(9_000), lasts: fc.integer({ min: 100, max: 9_000 }) });
    fc.assert(
      fc.property(fc.array(fault, { minLength: 1, maxLength: 8 }), fc.nat(), (all, seed) => {
        const lines = all.map(
          ({ kind, target: hit, at, lasts }) =>
            `  - { fault: ${kind}, target: ${hit}, at: ${at}ms, for: ${lasts}ms${kind === "flap" ? ", period: 90ms" : ""} }`,
        );
        const experiment = parseExperiment(`duration: 30s\nfaults:\n${lines.join("\n")}`, "any.yaml");
        const conductor = createConductor(fiveBoards, createRandom(seed));
        const broken = new Set<string>();
        for (const step of planExperiment(experiment)) {
          for (const action of conductor.perform(step, view).actions) {
            if (action.kind === "cut") broken.add(`cable ${action.cable}`);
            if (action.kind === "heal") broken.delete(`cable ${action.cable}`);
            if (action.kind === "kill" || action.kind === "powerOff") broken.add(`board ${action.board}`);
            if (action.kind === "start") broken.delete(`board ${action.board}`);
            if (action.kind === "pause") broken.add(`pause ${action.board}`);
            if (action.kind === "resume") broken.delete(`pause ${action.board}`);
          }
          if (conductor.isWhole()) expect([...broken]).toEqual([]);
        }
        expect(conductor.isWhole()).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});

describe("a split by cables", () => {
  it("given a trunk between the groups, then it alone is cut", () => {
    expect(
      cablesToSplit(twoSwitches, [
        ["pi-1", "pi-2"],
        ["pi-3", "pi-4", "pi-5"],
      ]),
    ).toEqual(["trunk"]);
  });

  it("given one switch, then the boards outside the largest group lose their cables", () => {
    expect(
      cablesToSplit(fiveBoards, [
        ["pi-1", "pi-2"],
        ["pi-3", "pi-4", "pi-5"],
      ]),
    ).toEqual(["pi-1", "pi-2"]);
  });

  it("given an isolated group, then it is split from the rest", () => {
    expect(perform(["fault: isolate, target: [pi-4, pi-3, pi-5], at: 1s, for: 1s"], () => view, twoSwitches)).toEqual([
      "1s cut trunk",
      "2s heal trunk",
    ]);
    expect(perform(["fault: isolate, target: all, at: 1s, for: 1s"])).toEqual(["1s", "2s"]);
  });

  it("never lets a board hear a board of another group", () => {
    const groupOf = fc.array(fc.nat(2), { minLength: 5, maxLength: 5 });
    fc.assert(
      fc.property(
        fc.constantFrom(fiveBoards, twoSwitches, readyBench("inbox-per-board")),
        groupOf,
        (bench, numbers) => {
          const groups = [0, 1, 2]
            .map((group) => boards.filter((_, position) => numbers[position] === group))
            .filter((group) => group.length > 0);
          const cutCables = new Set(cablesToSplit(bench, groups));
          const now = reachability(bench, { cutCables, downNodes: new Set() });
          for (const group of groups) {
            for (const speaker of group)
              expect(group).toEqual(expect.arrayContaining([...now.boardsThatHear(speaker)]));
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});
