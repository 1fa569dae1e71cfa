import { describe, expect, it } from "vitest";
import type { Finding } from "./finding.ts";
import { checkLeftoverCuts, checkLeftoverNamespaces, checkNode, checkStaleBenches } from "./machine.ts";

describe("this machine", () => {
  it.each([
    ["v20.19.0", "ok"],
    ["v22.0.1", "ok"],
    ["v20.18.3", "wrong"],
    ["v18.20.0", "wrong"],
  ])("given Node %s, then it is %s", (version, condition) => {
    expect(conditionsOf(checkNode(version))).toEqual([condition]);
  });

  it("given what killed runs left, then each thing is told with what to do about it", async () => {
    const cuts = await checkLeftoverCuts({
      cuts: () =>
        Promise.resolve([{ what: "the cable pi-1 of the bench rack", advice: '"npx adrift heal" does it now.' }]),
    });
    expect(cuts).toMatchObject([
      { condition: "wrong", what: expect.stringContaining("pi-1"), advice: expect.stringContaining("heal") },
    ]);
    const names = Array.from({ length: 7 }, (_, at) => `adrift-4711-x-${at}`);
    const namespaces = await checkLeftoverNamespaces({ namespaces: () => Promise.resolve(names) });
    expect(namespaces).toMatchObject([
      { condition: "warning", what: expect.stringMatching(/left 7 \(adrift-4711-x-0.*\.\.\.\)/) },
    ]);
    const benches = await checkStaleBenches({ benches: () => Promise.resolve(["/tmp/adrift-a", "/tmp/adrift-b"]) });
    expect(conditionsOf(benches)).toEqual(["warning", "warning"]);
  });

  it("given nothing that is left, then all is well", async () => {
    const nothing = () => Promise.resolve([]);
    const looks = [
      checkLeftoverCuts({ cuts: nothing }),
      checkLeftoverNamespaces({ namespaces: nothing }),
      checkStaleBenches({ benches: nothing }),
    ];
    expect(conditionsOf((await Promise.all(looks)).flat())).toEqual(["ok", "ok", "ok"]);
  });
});

function conditionsOf(findings: readonly Finding[]): readonly string[] {
  return findings.map(({ condition }) => condition);
}
