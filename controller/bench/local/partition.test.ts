import { describe, expect, test } from "vitest";
import { parseBench } from "../../../hardware/bench.ts";
import { readyBench } from "../../experiment/ready.ts";
import { completeGroups, GroupsError, planPartition } from "./partition.ts";

function bench(name: string) {
  return parseBench(readyBench(name)?.text ?? "", `${name}.yaml`);
}

const two = ["pi-1", "pi-2"];
const three = ["pi-3", "pi-4", "pi-5"];

describe("the groups that a person means", () => {
  test("one alone stands against all other boards", () => {
    expect(completeGroups(bench("five-boards"), [two])).toEqual([two, three]);
  });

  test("must hold every board once, and boards alone", () => {
    const five = bench("five-boards");
    expect(() => completeGroups(five, [["pi-1"], ["pi-2"]])).toThrow(
      "In which group are pi-3, pi-4, pi-5? Each of them must be in one.",
    );
    expect(() => completeGroups(five, [two, ["pi-3", "pi-4"]])).toThrow("In which group is pi-5? Every board");
    expect(() => completeGroups(five, [[], []])).toThrow("Give at least two groups");
    expect(() => completeGroups(five, [two, ["pi-2", ...three]])).toThrow("pi-2 is in two groups");
    expect(() => completeGroups(five, [["pi-11"]])).toThrow('Did you mean "pi-1"?');
    expect(() => completeGroups(five, [[...two, ...three]])).toThrow(GroupsError);
  });
});

describe("a partition", () => {
  test("given a broker on each side of a trunk, then it cuts the trunk, and both sides talk among themselves", () => {
    expect(planPartition(bench("two-switches"), [two, three])).toEqual({
      cables: ["trunk"],
      groups: [two, three],
      alone: [],
    });
  });

  test("given one broker for all, then whoever is cut off is alone, and it says so", () => {
    expect(planPartition(bench("five-boards"), [two, three])).toEqual({
      cables: two,
      groups: [["pi-1"], ["pi-2"], three],
      alone: two,
    });
  });

  test("given a group of one board, then that board is alone as it shall be", () => {
    expect(planPartition(bench("five-boards"), completeGroups(bench("five-boards"), [["pi-4"]])).alone).toEqual([]);
  });
});
