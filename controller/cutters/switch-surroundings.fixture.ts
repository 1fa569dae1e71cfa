/** For tests: surroundings in which only the switch is there, and cables that are plugged into it. */

import type { Bench, Cable } from "../../hardware/bench.ts";
import type { CutterSurroundings } from "./surroundings.ts";

/** What every switch in these tests is called on the bench. */
export const switchNode = "switch";

/** A cable from the board of this name to a port of the switch. */
export function cableTo(port: string, board: string, cutter: string): Cable {
  const ends = [
    { node: board, port: "eth0" },
    { node: switchNode, port },
  ] as const;
  return { name: board, ends, cutter: { name: cutter, channel: null }, speedMbps: 100 };
}

export function surroundingsFor(folder: string, cables: readonly Cable[]): CutterSurroundings {
  const bench: Bench = {
    name: "test",
    cluster: "test",
    timing: { heartbeatMs: 50, electionMinMs: 150, electionMaxMs: 300 },
    boards: [],
    brokers: [],
    switches: [{ name: switchNode, ports: [] }],
    cables,
    cutters: [],
    powerSources: [],
    controller: { switches: [switchNode] },
  };
  return {
    bench,
    folder,
    hostOf: () => {
      throw new Error("A switch needs no host.");
    },
    person: { ask: () => Promise.resolve(false) },
    circuitSeen: () => null,
    virtual: null,
    openBrokers: null,
  };
}
