import { describe, expect, it } from "vitest";
import { parseBench } from "../../../hardware/bench.ts";
import { readyBench } from "../../experiment/ready.ts";
import { controllerLines, planQemu } from "./plan.ts";

function ready(name: string) {
  const { name: file, text } = readyBench(name) ?? { name, text: "" };
  return parseBench(text, file);
}

describe("the network of a QEMU bench", () => {
  it("given three boards and a broker on a switch, then each board has a tap there and everybody an address of their own", () => {
    const bench = ready("three-boards");
    const { boards, brokers, lines, others } = planQemu(bench);
    expect(boards.map(({ cards }) => cards.map(({ cable, tap }) => `${cable} ${tap}`))).toEqual([
      ["pi-1 tap0-0"],
      ["pi-2 tap1-0"],
      ["pi-3 tap2-0"],
    ]);
    const addresses = [...boards.map(({ address }) => address), ...brokers.map(({ host }) => host)];
    expect(new Set(addresses).size).toBe(4);
    expect(lines).toContain("link set tap2-0 master switch0 up");
    expect([...others.keys()]).toEqual(["broker"]);
  });

  it("given two switches, then the trunk between them can be taken down, and the controller is plugged into one", () => {
    const bench = ready("two-switches");
    const plan = planQemu(bench);
    expect([...plan.others.keys()]).toContain("trunk");
    expect(controllerLines(bench, plan)).toHaveLength(1);
  });

  it("given a broker on each board, then it is found at the board's address", () => {
    const { boards, brokers } = planQemu(ready("inbox-per-board"));
    expect(brokers.map(({ host }) => host)).toEqual(boards.map(({ address }) => address));
  });

  it("given a cable that joins two boards, then it says that such a bench cannot have it", () => {
    const text = `
boards: 2
cables:
  - { name: direct, ends: [pi-1, pi-2] }
  - { name: up, ends: ["pi-1:eth1", "switch:1"] }
  - { name: up-2, ends: ["pi-2:eth1", "switch:3"] }
  - { name: broker, ends: [broker, "switch:2"] }
`;
    expect(() => planQemu(parseBench(`name: direct\n${text}`, "direct.yaml"))).toThrow(/direct joins pi-1 and pi-2/);
  });
});
