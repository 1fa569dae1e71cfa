import { expect, test } from "vitest";
import { parseBench } from "../../../hardware/bench.ts";
import { parseExperiment } from "../../experiment/experiment.ts";
import { refuseOneWay } from "./refuse-one-way.ts";

const oneWay = parseExperiment(
  "duration: 9s\nfaults:\n  - { fault: one-way, target: leader, loses: incoming, at: 2s, for: 3s }\n",
  "one-way.yaml",
);

test("given a one-way cut of cables that switches cut, then it is refused, with what would do it", () => {
  expect(() => refuseOneWay(oneWay, parseBench("name: mine\nboards: 3\n", "mine.yaml"))).toThrow(/cutter: firewall/);
});

test("given boards that drop what comes themselves, then one-way cuts are taken", () => {
  refuseOneWay(oneWay, parseBench("name: mine\nboards: 3\ncutter: firewall\n", "mine.yaml"));
});
