import { describe, expect, it } from "vitest";
import { parseExperiment } from "../experiment/experiment.ts";
import { readyExperiment, readyExperimentNames } from "../experiment/ready.ts";
import { checkOnKind, reservations } from "./limits.ts";

const noisy = `duration: 5s
faults:
  - { fault: crash, target: leader, at: 1s, for: 1s }
  - { fault: noise, lossPercent: 1, at: 1s, for: 1s }
  - { fault: power-cut, target: leader, at: 3s, for: 1s }
`;

describe("what a kind of bench can do", () => {
  it("given a fault that it cannot do, then the experiment is refused with the line of the fault and the reason", () => {
    const experiment = parseExperiment(noisy, "noisy.yaml");
    expect(() => checkOnKind(experiment, "local", "noisy.yaml")).toThrow(
      /^noisy\.yaml:4:1: A local bench cannot do the fault "noise": .*a simulated bench can do it\.$/,
    );
    expect(() => checkOnKind(experiment, "simulated", "noisy.yaml")).not.toThrow();
  });

  it("given a fault that it does in part, then it says what is less; once, however often it happens", () => {
    const experiment = parseExperiment(noisy, "noisy.yaml");
    expect(reservations(experiment, "local")).toEqual([
      expect.stringMatching(/^On a local bench "power-cut" is done only in part: .*\.$/),
    ]);
    expect(reservations(experiment, "simulated")).toEqual([]);
  });

  it("given settings of Raft, then it says that they do not reach the boards of a rack", () => {
    const experiment = parseExperiment("duration: 5s\nraft: { leaseReads: true }\n", "lease.yaml");
    expect(reservations(experiment, "rack")).toEqual([expect.stringContaining("does not reach them")]);
    expect(reservations(experiment, "netns")).toEqual([]);
  });

  it.each(readyExperimentNames())("given the ready experiment %s, then a local bench can do it", (name) => {
    const { name: file, text } = readyExperiment(name) ?? { name, text: "" };
    expect(() => checkOnKind(parseExperiment(text, file), "local", file)).not.toThrow();
  });
});
