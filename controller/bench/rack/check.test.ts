import { describe, expect, it } from "vitest";
import { parseBench } from "../../../hardware/bench.ts";
import { parseExperiment } from "../../experiment/experiment.ts";
import { checkOnRack } from "./check.ts";

const relays = `
boards:
  - { name: pi-1, address: 192.168.7.11, power: "poe:1" }
  - { name: pi-2, address: 192.168.7.12, power: "poe:2" }
  - { name: pi-3, address: 192.168.7.13 }
brokers: [{ name: broker, address: 192.168.7.2 }]
cutters: [{ name: relays, driver: relay, serialPort: /dev/ttyACM0 }]
powerSources: [{ name: poe, driver: poe, address: 192.168.7.3, user: adrift, passwordFile: switch.password }]
cables:
  - { name: pi-1, ends: [pi-1, "switch:1"], cutter: "relays:1" }
  - { name: pi-2, ends: [pi-2, "switch:2"], cutter: "relays:2" }
  - { name: pi-3, ends: [pi-3, "switch:3"] }
`;

function complaintsAbout(faults: string, bench = relays): string {
  const experiment = parseExperiment(`duration: 20s\nfaults:\n${faults}`, "tried.yaml");
  try {
    checkOnRack(experiment, parseBench(bench, "rack.yaml"), "tried.yaml");
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return "";
}

describe("what a rack can do", () => {
  it("given cables with cutters and a board with power, then they can be cut, and it can lose its power", () => {
    expect(
      complaintsAbout(
        "  - { fault: cut, target: pi-1, at: 1s, for: 1s }\n  - { fault: power-cut, target: pi-2, at: 4s, for: 1s }\n",
      ),
    ).toBe("");
  });

  it("given a cable that nothing opens, then it is told with its line, also if only the leader may be there", () => {
    expect(complaintsAbout("  - { fault: cut, target: leader, at: 1s, for: 1s }\n")).toBe(
      'tried.yaml:3:1: Nothing opens the cable pi-3 of a rack: give it a cutter, as in "cutter: hand" or "cutter: relays:1".',
    );
  });

  it("given a board that nothing takes the power from, then it is told", () => {
    expect(complaintsAbout("  - { fault: power-cut, target: pi-3, at: 1s, for: 1s }\n")).toBe(
      'tried.yaml:3:1: Nothing can take the power of pi-3: say what feeds it, as in "power: poe:3".',
    );
  });

  it("given a split that the wiring does not allow, then it is told why, and what would allow it", () => {
    const split = '  - { fault: split, groups: "pi-1, pi-2 | pi-3", at: 1s, for: 1s }\n';
    const words = complaintsAbout(
      split,
      relays.replace('[pi-1, "switch:1"], cutter: "relays:1"', '[pi-1, "switch:1"]'),
    );
    expect(words).toMatch(/^tried\.yaml:3:1: /);
    expect(words).toContain("pi-3");
    const possible = complaintsAbout('  - { fault: split, groups: "pi-1 | pi-2, pi-3", at: 1s, for: 1s }\n');
    expect(possible).toBe("");
  });
});
