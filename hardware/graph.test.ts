import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Bench, Cable, Damage } from "./bench.ts";
import { controllerNode, parseBench, reachability } from "./bench.ts";

const fiveBoards = readyBench("five-boards");
const twoSwitches = readyBench("two-switches");
const inboxPerBoard = readyBench("inbox-per-board");

function readyBench(name: string): Bench {
  return parseBench(readFileSync(new URL(`benches/${name}.yaml`, import.meta.url), "utf8"), `${name}.yaml`);
}

function damage(cutCables: readonly string[], downNodes: readonly string[] = []): Damage {
  return { cutCables: new Set(cutCables), downNodes: new Set(downNodes) };
}

describe("who can talk to whom", () => {
  it("lets everybody hear everybody while all cables are whole", () => {
    for (const bench of [fiveBoards, twoSwitches, inboxPerBoard]) {
      const now = reachability(bench, damage([]));
      for (const speaker of bench.boards)
        expect(now.boardsThatHear(speaker.name)).toHaveLength(bench.boards.length - 1);
    }
  });

  it("given one broker, when a board's cable is cut, then that board alone is cut off", () => {
    const now = reachability(fiveBoards, damage(["pi-1"]));
    expect(now.boardsThatHear("pi-1")).toEqual([]);
    expect(now.boardsThatHear("pi-2")).toEqual(["pi-3", "pi-4", "pi-5"]);
    expect(now.reaches(controllerNode, "pi-1")).toBe(false);
    expect(now.reaches(controllerNode, "broker")).toBe(true);
  });

  it("given one broker, when it falls or its cable is cut, then nobody hears anybody", () => {
    for (const now of [
      reachability(fiveBoards, damage(["broker"])),
      reachability(fiveBoards, damage([], ["broker"])),
      reachability(fiveBoards, damage([], ["switch"])),
    ]) {
      for (const board of fiveBoards.boards) expect(now.boardsThatHear(board.name)).toEqual([]);
    }
  });

  it("given a broker on each side, when the trunk is cut, then each side talks among itself and clients reach both", () => {
    const now = reachability(twoSwitches, damage(["trunk"]));
    expect(now.boardsThatHear("pi-1")).toEqual(["pi-2"]);
    expect(now.boardsThatHear("pi-4")).toEqual(["pi-3", "pi-5"]);
    for (const broker of ["broker-a", "broker-b"]) expect(now.reaches(controllerNode, broker)).toBe(true);
    // The controller stands on both switches and still carries nothing across.
    expect(now.reaches("switch-a", "switch-b")).toBe(false);
  });

  it("given a broker on every board, when one falls, then only its own board is deaf, and still speaks", () => {
    const now = reachability(inboxPerBoard, damage([], ["inbox-2"]));
    expect(now.boardsThatHear("pi-1")).toEqual(["pi-3", "pi-4", "pi-5"]);
    expect(now.boardsThatHear("pi-2")).toEqual(["pi-1", "pi-3", "pi-4", "pi-5"]);
  });

  it("given a broker on a board, when the board's cable is cut, then the board still reaches its own broker", () => {
    const now = reachability(inboxPerBoard, damage(["pi-1"]));
    expect(now.reaches("pi-1", "inbox-1")).toBe(true);
    expect(now.reaches("pi-2", "inbox-1")).toBe(false);
  });

  it("given a board with two cables, then it passes nothing on from one to the other", () => {
    const bench = parseBench(
      `
      boards: [left, middle, right]
      switches: [a, b]
      brokers: [{ name: inbox, board: middle }]
      cables:
        - { name: one, ends: [left, "a:1"] }
        - { name: two, ends: [middle, "a:2"] }
        - { name: three, ends: ["middle:eth1", "b:1"] }
        - { name: four, ends: [right, "b:2"] }
      `,
      "bridge.yaml",
    );
    const now = reachability(bench, damage([]));
    expect(now.reaches("left", "right")).toBe(false);
    expect(now.hears("right", "left")).toBe(true);
  });

  it("knows nothing of names that are not on the bench", () => {
    const now = reachability(fiveBoards, damage(["no-such-cable"], ["no-such-board"]));
    expect(now.reaches("pi-1", "no-such-board")).toBe(false);
    expect(now.hears("no-such-board", "pi-1")).toBe(false);
    expect(now.boardsThatHear("no-such-board")).toEqual([]);
  });
});

describe("a slow second opinion", () => {
  it("agrees with a search that walks every cable", () => {
    fc.assert(
      fc.property(arbitraryBench, arbitraryDamage, (bench, harm) => {
        const now = reachability(bench, harm);
        const names = [...namesOf(bench), controllerNode];
        for (const from of names) {
          for (const to of names)
            expect([from, to, now.reaches(from, to)]).toEqual([from, to, walk(bench, harm, from, to)]);
        }
      }),
      { numRuns: 150 },
    );
  });

  it("never finds a way that a further cut would open", () => {
    fc.assert(
      fc.property(arbitraryBench, arbitraryDamage, fc.nat(12), (bench, harm, which) => {
        const before = reachability(bench, harm);
        const after = reachability(bench, { ...harm, cutCables: new Set([...harm.cutCables, `c${which}`]) });
        for (const { name: listener } of bench.boards) {
          for (const { name: speaker } of bench.boards) {
            if (after.hears(listener, speaker)) expect(before.hears(listener, speaker)).toBe(true);
          }
        }
      }),
      { numRuns: 100 },
    );
  });
});

/** Any bench of up to four boards, three switches and twelve cables, sensible or not. */
const nodes = ["b0", "b1", "b2", "b3", "q0", "s0", "s1", "s2"];
const arbitraryBench: fc.Arbitrary<Bench> = fc
  .record({
    ends: fc.array(fc.tuple(fc.constantFrom(...nodes), fc.constantFrom(...nodes)), { maxLength: 12 }),
    inboxes: fc.array(fc.constantFrom("q0", "q1"), { minLength: 4, maxLength: 4 }),
    plugs: fc.subarray(["s0", "s1", "s2"]),
  })
  .map(({ ends, inboxes, plugs }) => ({
    ...fiveBoards,
    boards: inboxes.map((inbox, index) => ({ name: `b${index}`, inbox, address: null, power: null, console: null })),
    brokers: [
      { name: "q0", node: "q0", address: null },
      { name: "q1", node: "b1", address: null },
    ],
    switches: ["s0", "s1", "s2"].map((name) => ({ name, ports: [] })),
    cables: ends.map(([one, other], index) => cable(`c${index}`, one, other)),
    controller: { switches: plugs },
  }));

const arbitraryDamage: fc.Arbitrary<Damage> = fc.record({
  cutCables: fc
    .array(
      fc.nat(12).map((index) => `c${index}`),
      { maxLength: 6 },
    )
    .map((names) => new Set(names)),
  downNodes: fc.subarray([...nodes, "q1"], { maxLength: 3 }).map((names) => new Set(names)),
});

function cable(name: string, one: string, other: string): Cable {
  const ends = [one, other].map((node) => ({ node, port: "1" }));
  const [first = { node: one, port: "1" }, second = first] = ends;
  return { name, ends: [first, second], cutter: { name: "virtual", channel: null }, speedMbps: 100 };
}

function namesOf(bench: Bench): readonly string[] {
  return [...bench.boards, ...bench.brokers, ...bench.switches].map((each) => each.name);
}

/** Breadth first from the machine behind `from`; on the way only switches pass anything on. */
function walk(bench: Bench, harm: Damage, from: string, to: string): boolean {
  const start = machineBehind(bench, harm, from);
  const goal = machineBehind(bench, harm, to);
  if (start === null || goal === null) return false;
  const links = bench.cables
    .filter((each) => !harm.cutCables.has(each.name))
    .map((each) => each.ends.map((end) => end.node));
  for (const plug of bench.controller.switches) links.push([controllerNode, plug]);
  const seen = new Set([start]);
  const waiting = [start];
  for (const node of waiting) {
    if (node === goal) return true;
    if (node !== start && !bench.switches.some((each) => each.name === node)) continue;
    for (const link of links) {
      if (!link.includes(node)) continue;
      const next = link.find((end) => end !== node) ?? node;
      if (seen.has(next) || harm.downNodes.has(next)) continue;
      seen.add(next);
      waiting.push(next);
    }
  }
  return false;
}

function machineBehind(bench: Bench, harm: Damage, name: string): string | null {
  const machine = bench.brokers.find((broker) => broker.name === name)?.node ?? name;
  return harm.downNodes.has(name) || harm.downNodes.has(machine) ? null : machine;
}
