import { expect, test } from "vitest";
import { parseBench } from "../../../hardware/bench.ts";
import { parseExperiment } from "../../experiment/experiment.ts";
import { cablesPulledByHand } from "./by-hand.ts";

const bench = parseBench(
  `
boards: 3
cables:
  - { name: pi-1, ends: [pi-1, "switch:1"], cutter: hand }
  - { name: pi-2, ends: [pi-2, "switch:2"], cutter: hand }
  - { name: pi-3, ends: [pi-3, "switch:3"], cutter: firewall }
`,
  "bench.yaml",
);

function byHand(fault: string, kind: "rack" | "netns" | "local" = "netns"): readonly string[] {
  const experiment = parseExperiment(`duration: 9s\nfaults: [${fault}]\n`, "experiment.yaml");
  return cablesPulledByHand(experiment, bench, kind);
}

test("given a fault that cuts one cable, then it is pulled if a hand is its cutter", () => {
  expect(byHand("{ fault: cut, target: pi-1, at: 2s, for: 3s }")).toEqual(["pi-1"]);
  expect(byHand("{ fault: cut, target: pi-3, at: 2s, for: 3s }")).toEqual([]);
});

test("given a target that is known only in the run, then every cable counts that it may mean", () => {
  expect(byHand("{ fault: cut, target: leader, at: 2s, for: 3s }")).toEqual(["pi-1", "pi-2"]);
});

test("given a fault that cuts nothing, or a bench that has its own cutters, then nobody pulls", () => {
  expect(byHand("{ fault: crash, target: leader, at: 2s, for: 3s }")).toEqual([]);
  expect(byHand("{ fault: cut, target: leader, at: 2s, for: 3s }", "local")).toEqual([]);
});
