/** A bench with nothing but cables of one cutter, and that cutter's peer for the suite. */

import type { Bench, Cable } from "../../hardware/bench.ts";
import type { TestBoard } from "./avr-board.fixture.ts";
import type { PinName } from "./avr-chip.fixture.ts";
import type { CutterPeer } from "./cutter.suite.ts";

/** Two cables of the cutter `relays`, at these channels. */
export function cablesAt(first: number, second: number): [Cable, Cable] {
  return [cableAt(first, 1), cableAt(second, 2)];
}

export function benchOf(cables: readonly Cable[]): { readonly bench: Bench } {
  return {
    bench: {
      name: "relays",
      cluster: "relays",
      timing: { heartbeatMs: 50, electionMinMs: 300, electionMaxMs: 600 },
      boards: [],
      brokers: [],
      switches: [{ name: "switch", ports: ["1", "2"] }],
      cables,
      cutters: [],
      powerSources: [],
      controller: { switches: ["switch"] },
    },
  };
}

/** The board as the suite sees it. */
export function peerOf(board: TestBoard, relayPin: (channel: number) => PinName): CutterPeer {
  return {
    look: (cable) => (board.pin(relayPin(Number(cable.cutter.channel))) === "high" ? "both" : "whole"),
    change: null,
    troubles: board.troubles,
    leaseMsMin: 500,
    dispose: () => board.dispose(),
  };
}

function cableAt(channel: number, port: number): Cable {
  return {
    name: `pi-${port}`,
    ends: [
      { node: `pi-${port}`, port: "eth0" },
      { node: "switch", port: String(port) },
    ],
    cutter: { name: "relays", channel: String(channel) },
    speedMbps: 100,
  };
}

/** Opens a cutter on a board that is taken away again if that fails. */
export async function openOn<Cutter>(
  board: { dispose(): Promise<void> },
  open: () => Promise<Cutter>,
): Promise<Cutter> {
  try {
    return await open();
  } catch (error) {
    await board.dispose();
    throw error;
  }
}
