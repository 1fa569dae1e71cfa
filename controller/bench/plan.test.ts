import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Bench, parseBench } from "../../hardware/bench.ts";
import { readyBench as readyBenchFile, readyBenchNames } from "../experiment/ready.ts";
import { checkPlan, compareWithBruteForce } from "./plan.checks.fixture.ts";
import { arbitraryCase, stepsOf } from "./plan.fixture.ts";
import { type PossiblePlan, plan, planFault, type Wish } from "./plan.ts";

function readyBench(name: string): Bench {
  const { name: file, text } = readyBenchFile(name) ?? { name, text: "" };
  return parseBench(text, file);
}

const fiveBoards = readyBench("five-boards");
const twoSwitches = readyBench("two-switches");
const twoAndThree: Wish = {
  kind: "split",
  groups: [
    ["pi-1", "pi-2"],
    ["pi-3", "pi-4", "pi-5"],
  ],
};

function possible(wish: Wish, bench: Bench): PossiblePlan {
  const planned = plan(wish, bench);
  if (planned.kind === "impossible") throw new Error(planned.why.join("\n"));
  return planned;
}

function impossible(wish: Wish, bench: Bench) {
  const planned = plan(wish, bench);
  if (planned.kind === "possible") throw new Error(JSON.stringify(planned.steps));
  return { why: planned.why.join("\n"), suggestions: planned.suggestions.join("\n") };
}

/** Two sides with a broker each, joined by trunks with these cutters; every other cable has a relay. */
function twoSides(trunks: readonly string[], more = ""): Bench {
  return parseBench(
    `
    switches: [a, b]
    brokers: [{ name: qa, switch: a }, { name: qb, switch: b }]
    boards:
      - { name: pi-1, switch: a, inbox: qa, address: 192.168.7.11 }
      - { name: pi-2, switch: a, inbox: qa, address: 192.168.7.12 }
      - { name: pi-3, switch: b, inbox: qb, address: 192.168.7.13 }
      - { name: pi-4, switch: b, inbox: qb, address: 192.168.7.14 }
    cables:${trunks.map((cutter, number) => `\n      - { name: trunk-${number}, ends: ["a:${number + 1}", "b:${number + 1}"], cutter: "${cutter}" }`).join("")}
    cutters:
      - { name: relays, driver: relay, serialPort: /dev/ttyACM0 }
      - { name: ports, driver: switch, switch: b, address: 192.168.7.3, user: adrift, passwordFile: secret }
    ${more}
    `,
    "two-sides.yaml",
  );
}
const sides: Wish = {
  kind: "split",
  groups: [
    ["pi-1", "pi-2"],
    ["pi-3", "pi-4"],
  ],
};

describe("the least set of cables", () => {
  it("given a broker on each side, then a split cuts the trunk alone, and the controller loses nobody", () => {
    const { steps, hears, controller } = possible(twoAndThree, twoSwitches);
    expect(stepsOf(steps)).toEqual({ cables: ["trunk"], pairs: [] });
    expect(hears.map(({ speakers }) => speakers)).toEqual([
      ["pi-2"],
      ["pi-1"],
      ["pi-4", "pi-5"],
      ["pi-3", "pi-5"],
      ["pi-3", "pi-4"],
    ]);
    expect(controller.loses).toEqual([]);
  });

  it("given two trunks, then both are cut", () => {
    const { steps } = possible(sides, twoSides(["relays:1", "relays:2"]));
    expect(stepsOf(steps).cables).toEqual(["trunk-0", "trunk-1"]);
    expect(steps[1]).toMatchObject({
      cutter: { name: "relays", driver: "relay" },
      channel: "2",
      opens: "cable trunk-1 (a:2 – b:2)",
    });
  });

  it("given one board, then its cable is cut, and the controller loses the board", () => {
    const { steps, controller } = possible({ kind: "isolate", boards: ["pi-3"] }, fiveBoards);
    expect(stepsOf(steps).cables).toEqual(["pi-3"]);
    expect(controller.loses).toEqual(["pi-3"]);
  });

  it("given a listener whose inbox hangs on a cable of the speaker alone, then one direction is a cut of that cable", () => {
    const bench = parseBench(
      `
      boards: [{ name: left, inbox: ql }, { name: right, inbox: qr }]
      brokers: [ql, qr]
      switches: [a, b]
      cables:
        - { name: left-a, ends: [left, "a:1"] }
        - { name: left-b, ends: ["left:eth1", "b:1"] }
        - { name: right-a, ends: [right, "a:2"] }
        - { name: right-b, ends: ["right:eth1", "b:2"] }
        - { name: ql, ends: [ql, "a:3"] }
        - { name: qr, ends: [qr, "b:3"] }
      `,
      "crossed.yaml",
    );
    expect(stepsOf(possible({ kind: "one-way", from: ["left"], to: ["right"] }, bench).steps)).toEqual({
      cables: ["left-b"],
      pairs: [],
    });
  });

  it("given what is so already, then nothing is cut", () => {
    const alone = parseBench("boards: 1", "alone.yaml");
    expect(possible({ kind: "isolate", boards: ["pi-1"] }, alone)).toMatchObject({
      steps: [],
      notes: [/is so already/],
    });
  });
});

describe("which cutters are preferred", () => {
  it("asks as few people as it can, then takes as few cables", () => {
    const bench = parseBench(
      `
      boards: [{ name: one, inbox: q-one }, { name: two, inbox: q-two }]
      brokers: [{ name: q-one, board: one }, { name: q-two, board: two }]
      switches: [a, b]
      cables:
        - { name: by-hand, ends: [one, "a:1"], cutter: hand }
        - { name: trunk, ends: ["a:2", "b:2"] }
        - { name: trunk-2, ends: ["a:3", "b:3"] }
        - { name: last, ends: [two, "b:1"], cutter: hand }
      `,
      "hands.yaml",
    );
    expect(stepsOf(possible({ kind: "isolate", boards: ["one"] }, bench).steps).cables).toEqual(["trunk", "trunk-2"]);
  });

  it("withholds only what no cable parts", () => {
    const bench = { ...fiveBoards, cutters: [...fiveBoards.cutters, { name: "broker", driver: "broker" as const }] };
    expect(stepsOf(possible({ kind: "isolate", boards: ["pi-3"] }, bench).steps).pairs).toEqual([]);
    const { steps, notes } = possible({ kind: "one-way", from: ["pi-1"], to: ["pi-2"] }, bench);
    expect(steps).toEqual([
      {
        action: { kind: "withhold", from: "pi-1", to: "pi-2" },
        cutter: { name: "broker", driver: "broker" },
        channel: null,
        opens: "what pi-1 says to pi-2, withheld by broker",
      },
    ]);
    expect(notes[0]).toMatch(/Cables alone cannot do it/);
    expect(stepsOf(possible(twoAndThree, bench).steps).pairs).toHaveLength(12);
  });
});

describe("what must be healed stays reachable", () => {
  it("given a switch behind its own trunk, then no port is closed that would hide it; and it says what would help", () => {
    const bench = twoSides(["ports", "hand"], "controller: [a]");
    const { why, suggestions } = impossible(sides, bench);
    expect(why).toContain("The cable trunk-0 is healed by way of b, which the controller would not reach.");
    expect(suggestions).toMatch(/^Plug the controller's laptop into b too/);
  });

  it("given a controller on both switches, then the same ports may be closed", () => {
    expect(stepsOf(possible(sides, twoSides(["ports", "hand"])).steps).cables).toEqual(["trunk-0", "trunk-1"]);
  });
});

describe("what cannot be done", () => {
  it("given one broker for both sides, then it names the broker, the cables and who needs them", () => {
    expect(impossible(twoAndThree, fiveBoards)).toMatchInlineSnapshot(`
      {
        "suggestions": "Plug pi-1 and pi-2 into a switch of their own, with a broker there on which they listen, and join it to switch by one cable that has a cutter.
      Declare the cutter broker ("cutters: [{ name: broker, driver: broker }]") and let Adrift's own broker run ("npx adrift broker"): it withholds what boards say to each other, which no cable can.",
        "why": "One broker, broker, serves pi-1 and pi-2 as well as pi-3, pi-4 and pi-5. It can stand on one side only: the boards of another side would be alone, each by itself.
      What pi-3 says to pi-1 goes by way of broker, the inbox of pi-1: pi-3 – switch – broker – switch – pi-1. No cable on it may be cut.
      The cable pi-3 must stay whole: else pi-3 would not hear pi-4 any more.
      The cable broker must stay whole: else pi-1 would not hear pi-2 any more.
      The cable pi-1 must stay whole: else pi-1 would not hear pi-2 any more.",
      }
    `);
  });

  it("given a cable without a cutter on a rack, then it says which", () => {
    const bench = twoSides(["virtual", "relays:1"]);
    expect(impossible(sides, bench)).toMatchInlineSnapshot(`
      {
        "suggestions": "Give the cable trunk-0 a cutter that can open it; "cutter: hand" is a person who pulls it.
      Declare the cutter broker ("cutters: [{ name: broker, driver: broker }]") and let Adrift's own broker run ("npx adrift broker"): it withholds what boards say to each other, which no cable can.",
        "why": "What pi-3 says to pi-1 goes by way of qa, the inbox of pi-1: pi-3 – b – a – qa – a – pi-1. No cable on it may be cut.
      The cable pi-3 must stay whole: else pi-3 would not hear pi-4 any more.
      The cable trunk-0 has no cutter: virtual is none where boards have addresses.
      The cable qa must stay whole: else pi-1 would not hear pi-2 any more.
      The cable pi-1 must stay whole: else pi-1 would not hear pi-2 any more.",
      }
    `);
    expect(impossible({ kind: "cut", cables: ["trunk-0", "trunk-1"] }, bench)).toMatchInlineSnapshot(`
      {
        "suggestions": "Give the cable trunk-0 a cutter that can open it; "cutter: hand" is a person who pulls it.",
        "why": "The cable trunk-0 has no cutter: virtual is none where boards have addresses.",
      }
    `);
  });

  it("given boards that listen on one side and stand on two, then a broker on each switch is suggested", () => {
    const bench = {
      ...twoSwitches,
      boards: twoSwitches.boards.map((board) => ({ ...board, inbox: "broker-a" })),
    };
    expect(impossible(twoAndThree, bench).suggestions).toMatch(/^Put a broker on each of switch-a and switch-b, /);
  });
});

describe("faults of experiments", () => {
  it("given cutters that lose one direction, then cables carry one way only", () => {
    const bench = parseBench("boards: 3\ncutter: firewall", "walls.yaml");
    const outgoing = planFault({ kind: "one-way-cables", boards: ["pi-2"], loses: "outgoing" }, bench);
    expect(outgoing).toEqual([{ kind: "cut", cable: "pi-2", direction: "fromFirstEnd" }]);
    const incoming = planFault({ kind: "one-way-cables", boards: ["pi-2"], loses: "incoming" }, bench);
    expect(incoming).toEqual([{ kind: "cut", cable: "pi-2", direction: "fromSecondEnd" }]);
  });

  it("given cutters that cannot, then brokers withhold what the board says", () => {
    const bench = parseBench("boards: 3\ncutter: hand\ncutters: [{ name: broker, driver: broker }]", "hands.yaml");
    expect(planFault({ kind: "one-way-cables", boards: ["pi-2"], loses: "outgoing" }, bench)).toEqual([
      { kind: "withhold", from: "pi-2", to: "pi-1" },
      { kind: "withhold", from: "pi-2", to: "pi-3" },
    ]);
  });

  it("given what cannot be done, then it says why", () => {
    expect(planFault(twoAndThree, fiveBoards)).toMatchObject({ kind: "impossible" });
  });
});

describe("the ready racks", () => {
  const racks = readyBenchNames().filter((name) => name.startsWith("rack-"));

  it("are five, and all their boards and brokers have addresses", () => {
    expect(racks).toEqual(["rack-gpio", "rack-hands", "rack-relays", "rack-switch", "rack-trunks"]);
    for (const { boards, brokers } of racks.map(readyBench)) {
      expect([...boards, ...brokers].map(({ address }) => address)).not.toContain(null);
    }
  });

  it("part boards with hardware alone: a trunk that is doubled is cut twice", () => {
    expect(possible(twoAndThree, readyBench("rack-trunks")).steps).toMatchObject([
      { cutter: { driver: "relay" }, channel: "1", action: { cable: "trunk" } },
      { cutter: { driver: "relay" }, channel: "2", action: { cable: "trunk-2" } },
    ]);
    for (const rack of racks) {
      expect(stepsOf(possible({ kind: "isolate", boards: ["pi-2"] }, readyBench(rack)).steps)).toEqual({
        cables: ["pi-2"],
        pairs: [],
      });
    }
  });
});

describe("any bench, any wish", () => {
  it("parts exactly what it should, and needs nothing that it must not", () => {
    fc.assert(fc.property(arbitraryCase(6, 14), checkPlan), { numRuns: 250 });
  });

  it("finds the least way of all, or there is none", () => {
    fc.assert(fc.property(arbitraryCase(4, 8), compareWithBruteForce), { numRuns: 250 });
  });
});
