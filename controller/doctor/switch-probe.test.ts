import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type AgentTable, TestAgent } from "../cutters/snmp-agent.fixture.ts";
import { probeSwitch } from "./switch-probe.ts";

const folder = mkdtempSync(join(tmpdir(), "adrift-doctor-"));
let agent: TestAgent | null = null;
afterEach(() => {
  agent?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("a switch that is asked by SNMP", () => {
  it("given ports of all kinds, then each is seen as it is, found by its name and not by its number", async () => {
    // Interfaces 11 to 15 are the ports 1 to 5 of the bridge; 20 is no port of it.
    agent = await TestAgent.start("public", [
      table(
        "names",
        "1.3.6.1.2.1.31.1.1.1",
        [text(1), integer(15)],
        [
          [11, "gi1", 1_000],
          [12, "gi2", 100],
          [13, "gi3", 0],
          [14, "gi4", 100],
          [15, "gi5", 2_500],
          [20, "vlan1", 0],
        ],
      ),
      table(
        "bridge",
        "1.3.6.1.2.1.17.1.4.1",
        [integer(2)],
        [
          [1, 11],
          [2, 12],
          [3, 13],
          [4, 14],
          [5, 15],
        ],
      ),
      table(
        "tree",
        "1.3.6.1.2.1.17.2.15.1",
        [integer(3), integer(4)],
        [
          [1, 5, 1],
          [2, 5, 1],
          [3, 1, 1],
          [4, 2, 1],
          [5, 5, 2],
        ],
      ),
      table(
        "edges",
        "1.3.6.1.2.1.17.2.19.1",
        [integer(3)],
        [
          [1, 2],
          [2, 1],
          [3, 2],
          [4, 2],
          [5, 2],
        ],
      ),
    ]);
    expect(Object.fromEntries(await look(agent))).toEqual({
      gi1: { speedMbps: 1_000, spanningTree: "waits" },
      gi2: { speedMbps: 100, spanningTree: "edge" },
      gi3: { speedMbps: null, spanningTree: "down" },
      gi4: { speedMbps: 100, spanningTree: "blocks" },
      gi5: { speedMbps: 2_500, spanningTree: "off" },
      vlan1: { speedMbps: null, spanningTree: "untold" },
    });
  });
});

function look({ address }: TestAgent): ReturnType<typeof probeSwitch> {
  writeFileSync(join(folder, "community"), "public\n", { mode: 0o600 });
  return probeSwitch({ protocol: "snmp-v2c", address, user: null, passwordFile: "community" }, folder);
}

/** The first of a row is its index. */
function table(name: string, entryOid: string, columns: AgentTable["columns"], rows: AgentTable["rows"]): AgentTable {
  return { name, entryOid, indexLength: 1, columns, rows };
}

function integer(number: number) {
  return { number, type: "integer" } as const;
}

function text(number: number) {
  return { number, type: "text" } as const;
}
