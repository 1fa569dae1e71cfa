import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parseBench } from "../../../hardware/bench.ts";
import { checkOnKind } from "../../bench/limits.ts";
import { checkOnBench } from "../../experiment/check-on-bench.ts";
import { parseExperiment } from "../../experiment/experiment.ts";
import { readyBench, readyBenchNames, readyExperiment, readyExperimentNames } from "../../experiment/ready.ts";
import { createTestShell } from "../shell.fixture.ts";
import { rehearse } from "./rehearse.ts";

const shell = createTestShell();
const { adrift } = shell;
afterAll(() => shell.remove());

describe("adrift plan", () => {
  it("given a split that can be made, then it says what is cut by what, and who hears whom then", async () => {
    const { status, out } = await adrift(["plan", "pi-1,pi-2 | pi-3,pi-4,pi-5", "--bench", "rack-trunks"], {
      columns: 80,
    });
    expect(status).toBe(0);
    expect(out).toMatchInlineSnapshot(`
      "Split pi-1, pi-2 | pi-3, pi-4, pi-5, on rack-trunks

      2 steps
        relays:1  cable trunk (switch-a:7 – switch-b:7)
        relays:2  cable trunk-2 (switch-a:8 – switch-b:8)

      Who hears whom then
        pi-1, pi-2 | pi-3, pi-4, pi-5

      The controller, and every client with it
        reaches pi-1, pi-2, pi-3, pi-4, pi-5, broker-a and broker-b
      "
    `);
  });

  it("given a split that cannot be made, then it says why and what would allow it, and the status is 1", async () => {
    const { status, out } = await adrift(["plan", "pi-1,pi-2 | pi-3,pi-4,pi-5", "--bench", "rack-relays"]);
    expect(status).toBe(1);
    expect(out).toMatch(/This bench cannot do it\.\n {2}- One broker, broker, serves /);
    expect(out).toMatch(/What would allow it:\n {2}- Plug pi-1 and pi-2 into a switch of their own/);
  });

  it("given one direction and a broker that withholds, then the board that no longer hears has a row that says so", async () => {
    writeFileSync(join(shell.folder, "own.yaml"), "boards: 3\ncutters: [{ name: broker, driver: broker }]\n");
    const { status, out } = await adrift(["plan", "--from", "pi-1", "--to", "pi-2", "--bench", "own.yaml"]);
    expect(status).toBe(0);
    expect(out).toContain("  broker  what pi-1 says to pi-2, withheld by broker\n");
    expect(out).toContain("  pi-1 hears everybody\n  pi-2 hears pi-3\n  pi-3 hears everybody\n");
  });

  it("given a terminal of 80 columns, then no line is longer", async () => {
    for (const bench of readyBenchNames()) {
      for (const wish of [["pi-1,pi-2"], ["--from", "pi-1", "--to", "pi-2"]]) {
        const { out } = await adrift(["plan", ...wish, "--bench", bench], { columns: 80 });
        expect(out.split("\n").filter((line) => line.length > 80)).toEqual([]);
      }
    }
  });

  it("given --json, then one document is all that it prints", async () => {
    const { out } = await adrift(["plan", "--isolate", "pi-3", "--bench", "rack-switch", "--json"]);
    expect(JSON.parse(out)).toMatchObject({
      bench: "rack-switch",
      wish: { kind: "isolate", boards: ["pi-3"] },
      kind: "possible",
      steps: [{ cutter: { name: "ports", driver: "switch" }, channel: "gi3" }],
      controller: { loses: ["pi-3"] },
    });
  });

  it.each([
    ["nothing", [], /^Ask for one thing: /],
    ["two things", ["pi-1", "--isolate", "pi-2"], /^Ask for one thing: /],
    ["a board that there is not", ["--isolate", "pi-9"], /^There is no board "pi-9" .*Did you mean "pi-/],
    ["a cable that there is not", ["--cut", "trunk"], /^There is no cable "trunk"/],
    ["one end of a direction", ["--from", "pi-1"], /^One direction has two ends/],
    ["everybody", ["--isolate", "pi-1,pi-2,pi-3,pi-4,pi-5"], /^Nobody would be left/],
    ["a board left out", ["pi-1 | pi-2"], /^In which group are pi-3, pi-4, pi-5\?/],
    ["no bench of the name", ["--isolate", "pi-1", "--bench", "rack-relay"], /Did you mean "rack-relays"\?/],
  ])("given %s, then it says what may stand there, and the status is 64", async (_, args, message) => {
    const { status, out, err } = await adrift(["plan", ...args]);
    expect({ status, out }).toEqual({ status: 64, out: "" });
    expect(err).toMatch(message);
  });

  it.each([
    [["--from", "pi-1", "--to", "pi-1"], /What pi-1 says to itself/],
    [["--isolate", "pi-1,pi-2,pi-3,pi-4,pi-5"], /leave one out/],
    [["pi-1,pi-2,pi-3,pi-4,pi-5"], /leave one out/],
    [["--isolate", "pi-1", "--bench", "one.yaml"], /pi-1 is the only board/],
  ])("given boards that cannot be parted from anybody (%s), then the status is 64", async (args, words) => {
    writeFileSync(join(shell.folder, "one.yaml"), "boards: 1\n");
    const { status, err } = await adrift(["plan", ...args]);
    expect(status).toBe(64);
    expect(err).toMatch(words);
  });

  it("given one direction and firewalls, then it says why dropping packets is not enough", async () => {
    writeFileSync(join(shell.folder, "walls.yaml"), "boards: 3\ncutter: firewall\n");
    const { status, out } = await adrift(["plan", "--from", "pi-1", "--to", "pi-2", "--bench", "walls.yaml"]);
    expect(status).toBe(1);
    expect(out.replaceAll(/\s+/g, " ")).toContain("Firewalls can drop packets one way, and that is not enough");
  });
});

describe("adrift run --dry-run", () => {
  it("given a target that only the run will know, then it says what would be cut for each board; nothing is kept", async () => {
    const { status, out } = await adrift(["run", "cut-leader", "--bench", "rack:rack-switch", "--dry-run"]);
    expect(status).toBe(0);
    expect(out).toContain("cut-leader on rack-switch (rack): what it would do. Nothing moves.\n");
    expect(out).toContain("5.00 s to 10.00 s, 14.00 s to 19.00 s, 23.00 s to 28.00 s\n");
    expect(out).toContain("  if pi-5 leads:\n    ports, port gi5  cable pi-5 (pi-5:eth0 – switch:gi5)\n");
    expect(out).not.toContain("Kept in");
  });

  it("given a simulated bench, then every cutter is taken for virtual", async () => {
    const { out } = await adrift(["run", "cut-leader", "--bench", "rack-switch", "--dry-run"]);
    expect(out).toContain("    virtual  cable pi-5");
  });

  it("given a fault that the bench cannot do, then it says why, and the status is 1", async () => {
    const split = '{ fault: split, groups: "pi-1, pi-2 | pi-3, pi-4, pi-5", at: 1s, for: 1s }';
    writeFileSync(join(shell.folder, "split.yaml"), `duration: 3s\nfaults: [${split}]\n`);
    const { status, out } = await adrift(["run", "split.yaml", "--bench", "rack:rack-relays", "--dry-run"]);
    expect(status).toBe(1);
    expect(out).toMatch(
      /^split pi-1, pi-2 \| pi-3, pi-4, pi-5 .*line 2\n {2}1\.00 s to 2\.00 s\n {2}This bench cannot do it/m,
    );
    const json = await adrift(["run", "split.yaml", "--bench", "rack:rack-relays", "--dry-run", "--json"]);
    expect(JSON.parse(json.out).faults[0].cases[0].outcome).toMatchObject({ kind: "impossible" });
  });

  it("given a rack whose cables nothing opens, then it says what the run would say, and the status is 1", async () => {
    const { status, out } = await adrift(["run", "cut-leader", "--bench", "rack:five-boards", "--dry-run"]);
    expect(status).toBe(1);
    expect(out).toContain("Nothing opens the cable pi-1 of a rack");
    const json = await adrift(["run", "cut-leader", "--bench", "rack:five-boards", "--dry-run", "--json"]);
    expect(JSON.parse(json.out).faults[0].complaints).toHaveLength(5);
  });

  it("given one of two trunks, then it says that its cut parts nobody", async () => {
    const { out } = await adrift(["run", "trunk-split", "--bench", "rack:rack-trunks", "--dry-run"]);
    expect(out).toContain("  relays:1  cable trunk (switch-a:7 – switch-b:7)\n  Parts nobody: another way is left");
    const { out: single } = await adrift(["run", "trunk-split", "--dry-run"]);
    expect(single).not.toContain("Parts nobody");
  });

  it("every ready experiment that fits a ready rack can be done there, whatever its targets come to mean", () => {
    const done = readyExperimentNames().flatMap((name) => {
      const experiment = parseExperiment(readyExperiment(name)?.text ?? "", name);
      return readyBenchNames()
        .filter((rack) => rack.startsWith("rack-"))
        .flatMap((rack) => {
          const bench = parseBench(readyBench(rack)?.text ?? "", rack);
          if (!fits(() => checkOnKind(experiment, "rack", name)) || !fits(() => checkOnBench(experiment, bench, name)))
            return [];
          const outcomes = rehearse(experiment, bench, "rack").flatMap(({ cases }) =>
            cases.map(({ outcome }) => outcome.kind),
          );
          return [`${name} on ${rack}: ${outcomes.includes("impossible") ? "impossible" : "possible"}`];
        });
    });
    // Where nothing can take the boards' power, that is all that cannot be done.
    expect(done.filter((each) => each.endsWith(" impossible"))).toEqual(
      ["rack-gpio", "rack-hands", "rack-relays", "rack-trunks"].map((rack) => `power-cut-all on ${rack}: impossible`),
    );
    expect(done).toContain("trunk-split on rack-trunks: possible");
    expect(done.length).toBeGreaterThan(30);
  });
});

function fits(check: () => void): boolean {
  try {
    check();
    return true;
  } catch {
    return false;
  }
}
