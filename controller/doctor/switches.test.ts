import { describe, expect, it } from "vitest";
import { parseBench } from "../../hardware/bench.ts";
import { checkCables } from "./cables.ts";
import type { Finding } from "./finding.ts";
import { judgeSwitch, type PortLook } from "./switches.ts";

describe("switches and cables", () => {
  const bench = parseBench(
    `
boards: [pi-1, pi-2]
brokers: [{ name: broker, switch: two }]
switches: [{ name: one, ports: [gi1, gi2, gi3, gi4] }, { name: two, ports: 4 }]
cutters: [{ name: relays, driver: relay, serialPort: /dev/ttyACM0, firmware: adrift }]
cutter: hand
cables:
  - { name: pi-1, ends: [pi-1, "one:gi1"], cutter: "relays:1" }
  - { name: pi-2, ends: [pi-2, "one:gi2"] }
  - { name: trunk, ends: ["one:gi4", "two:4"] }
`,
    "bench.yaml",
  );
  const port: PortLook = { speedMbps: 100, spanningTree: "edge" };
  const judge = (changed: Record<string, PortLook>): readonly Finding[] =>
    judgeSwitch("one", new Map(Object.entries({ gi1: port, gi2: port, gi3: port, gi4: port, ...changed })), bench);

  it("given ports that open at once, then all is well", () => {
    expect(
      conditionsOf(judge({ gi2: { speedMbps: 1_000, spanningTree: "off" }, gi4: { ...port, spanningTree: "waits" } })),
    ).toEqual(["ok"]);
  });

  it("given a gigabit port with relays in its cable, then that is wrong", () => {
    expect(judge({ gi1: { ...port, speedMbps: 1_000 } })).toMatchObject([
      { condition: "wrong", where: "one, port gi1", advice: expect.stringContaining("100 Mb/s") },
    ]);
  });

  it("given ports at which a spanning tree waits or blocks, then the cables are named", () => {
    expect(judge({ gi1: { ...port, spanningTree: "waits" }, gi2: { ...port, spanningTree: "blocks" } })).toMatchObject([
      { condition: "warning", what: expect.stringMatching(/makes pi-1 wait/) },
      { condition: "wrong", what: expect.stringMatching(/pi-2 reaches nobody/) },
    ]);
  });

  it("given a switch without a port of the bench, then its ports are listed", () => {
    expect(judgeSwitch("one", new Map([["ge1", port]]), bench)[0]).toMatchObject({
      condition: "wrong",
      advice: expect.stringContaining("ge1"),
    });
  });

  it("given a switch that tells nothing of a spanning tree, then that is not called well", () => {
    const untold = { speedMbps: null, spanningTree: "untold" } as const;
    expect(judge({ gi1: untold, gi2: untold, gi4: untold })).toMatchObject([{ condition: "unchecked" }]);
  });

  it("given a cable that the file calls too fast for its relays, then that is wrong", () => {
    expect(conditionsOf(checkCables(bench))).toEqual(["ok"]);
    const [first, ...others] = bench.cables;
    const cables =
      first === undefined
        ? []
        : [{ ...first, speedMbps: 2_500 }, ...others.map((each) => ({ ...each, speedMbps: 1_000 }))];
    expect(checkCables({ ...bench, cables })).toMatchObject([{ condition: "wrong", where: "pi-1" }]);
  });
});

it("given a cable between machines that are no boards, and a firewall to cut it, then nothing opens it", () => {
  const text = `
boards: 1
cutters: [{ name: rules, driver: firewall }]
cables: [{ name: broker, ends: [broker, "switch:8"], cutter: rules }]
`;
  expect(checkCables(parseBench(text, "bench.yaml"))).toMatchObject([{ condition: "warning", where: "broker" }]);
});

function conditionsOf(findings: readonly Finding[]): readonly string[] {
  return findings.map(({ condition }) => condition);
}
