import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseBench, reachability } from "../hardware/bench.ts";
import { Topology } from "./topology.ts";

const bench = parseBench(
  `switches: [left, right]
brokers: [{ name: broker, switch: left }, { name: inbox-c, board: c }]
boards:
  - { name: a, inbox: broker }
  - { name: b, switch: left, inbox: broker }
  - { name: c, switch: right, inbox: inbox-c }
  - { name: d, inbox: inbox-c }
controller: [right]
cables:
  - { name: trunk, ends: ["left:8", "right:8"] }
  - { name: a, ends: [a, "left:1"] }
  - { name: d, ends: [d, "right:1"] }
  - { name: direct, ends: ["a:eth1", "d:eth1"] }`,
  "bench.yaml",
);
const nodes = ["a", "b", "c", "d", "broker", "left", "right", "controller"];

function pairs(topology: Topology): string[] {
  const reached: string[] = [];
  for (const from of nodes) {
    for (const to of nodes) {
      if (topology.reaches(topology.indexOf(from), topology.indexOf(to))) reached.push(`${from} ${to}`);
    }
  }
  return reached;
}

describe("who reaches whom", () => {
  it("is what the graph of the bench says, whatever is cut or without power", () => {
    const cables = bench.cables.map((cable) => cable.name);
    const down = ["a", "b", "c", "d", "broker", "left", "right"];
    fc.assert(
      fc.property(fc.subarray(cables), fc.subarray(down), (cutCables, downNodes) => {
        const topology = new Topology(bench);
        for (const cable of cutCables) topology.cut(cable, "both");
        for (const node of downNodes) topology.setPower(topology.indexOf(node), false);
        const graph = reachability(bench, { cutCables: new Set(cutCables), downNodes: new Set(downNodes) });
        const expected = nodes.flatMap((from) =>
          nodes.filter((to) => graph.reaches(from, to)).map((to) => `${from} ${to}`),
        );
        expect(pairs(topology)).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });

  it("given a cable that loses one direction, goes one way only, until it is healed", () => {
    const topology = new Topology(bench);
    const whole = pairs(topology);
    topology.cut("trunk", "fromFirstEnd");
    const [b, c] = [topology.indexOf("b"), topology.indexOf("c")];
    expect([topology.reaches(b, c), topology.reaches(c, b)]).toEqual([false, true]);
    topology.cut("trunk", "fromSecondEnd");
    expect([topology.reaches(b, c), topology.reaches(c, b)]).toEqual([false, false]);
    topology.heal("trunk");
    expect(pairs(topology)).toEqual(whole);
  });
});
