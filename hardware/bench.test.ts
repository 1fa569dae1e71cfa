import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseBench, YamlFileError } from "./bench.ts";
import { benchJsonSchema } from "./schema.ts";

/** What the loader says of a file that it refuses, one line a problem. */
function complaintsAbout(text: string, fileName = "my-bench.yaml"): string {
  try {
    parseBench(text, fileName);
  } catch (error) {
    if (error instanceof YamlFileError) return error.message;
    throw error;
  }
  throw new Error("The loader took the file as it is.");
}

describe("a short file", () => {
  it("given only a number of boards, then it is a whole bench on one switch", () => {
    const bench = parseBench("boards: 2", "small.yaml");
    expect(bench).toEqual({
      name: "small",
      cluster: "small",
      timing: { heartbeatMs: 50, electionMinMs: 300, electionMaxMs: 600 },
      boards: [
        { name: "pi-1", inbox: "broker", address: null, power: null, console: null },
        { name: "pi-2", inbox: "broker", address: null, power: null, console: null },
      ],
      brokers: [{ name: "broker", node: "broker", address: null }],
      switches: [{ name: "switch", ports: ["1", "2", "3"] }],
      cables: [
        ["pi-1", "1"],
        ["pi-2", "2"],
        ["broker", "3"],
      ].map(([name, port]) => ({
        name,
        ends: [
          { node: name, port: "eth0" },
          { node: "switch", port },
        ],
        cutter: { name: "virtual", channel: null },
        speedMbps: 100,
      })),
      cutters: [{ name: "virtual", driver: "virtual" }],
      powerSources: [],
      controller: { switches: ["switch"] },
    });
  });

  it("given listed cables, then only the other machines get cables of their own, on the ports that are left", () => {
    const bench = parseBench(
      `
      boards: [pi-1, pi-2]
      switches: [{ name: table, ports: [ge1, ge2, ge3] }]
      cables: [{ name: long, ends: ["pi-1:eth1", "table:ge2"], cutter: "relays:4", speedMbps: 10 }]
      cutters: [{ name: relays, driver: relay, serialPort: /dev/ttyACM0 }]
      cutter: hand
      `,
      "small.yaml",
    );
    expect(bench.cables.map((cable) => [cable.name, ...cable.ends.map((end) => `${end.node}:${end.port}`)])).toEqual([
      ["pi-2", "pi-2:eth0", "table:ge1"],
      ["broker", "broker:eth0", "table:ge3"],
      ["long", "pi-1:eth1", "table:ge2"],
    ]);
    expect(bench.cables.at(-1)?.cutter).toEqual({ name: "relays", channel: "4" });
    expect(bench.cables.at(-1)?.speedMbps).toBe(10);
    expect(bench.cutters.map((cutter) => cutter.driver)).toEqual(["relay", "hand"]);
  });

  it("given an SD card's timing, then elections wait at least a second", () => {
    const { timing } = parseBench("boards: 3\ntiming: sd-card", "small.yaml");
    expect(timing).toEqual({ heartbeatMs: 150, electionMinMs: 1000, electionMaxMs: 2000 });
  });

  it("given brokers on boards, then each board listens on its own", () => {
    const bench = parseBench("boards: [a, b]\nbrokers: [{ name: p, board: b }, { name: q, board: a }]", "pair.yaml");
    expect(bench.boards.map((board) => board.inbox)).toEqual(["q", "p"]);
    expect(bench.cables.map((cable) => cable.name)).toEqual(["a", "b"]);
  });

  it("given an alias, then it stands for what its anchor named", () => {
    const bench = parseBench("name: &name twice\ncluster: *name\nboards: 3", "alias.yaml");
    expect(bench.cluster).toBe("twice");
  });
});

describe("the ready benches", () => {
  const folder = new URL("benches/", import.meta.url);
  const files = readdirSync(folder).filter((name) => name.endsWith(".yaml"));

  it.each(files)("%s is a bench, called like its file", (file) => {
    expect(`${parseBench(readFileSync(new URL(file, folder), "utf8"), "other.yaml").name}.yaml`).toBe(file);
  });

  it("five boards on one switch fit in ten lines", () => {
    expect(readFileSync(new URL("five-boards.yaml", folder), "utf8").trimEnd().split("\n").length).toBeLessThanOrEqual(
      10,
    );
  });
});

describe("a file that is no bench", () => {
  it("says so when there is nothing in it, or not a mapping", () => {
    expect(complaintsAbout("")).toMatchInlineSnapshot(`"my-bench.yaml:1:1: The file is empty."`);
    expect(complaintsAbout("# soon\n")).toMatchInlineSnapshot(`"my-bench.yaml:1:1: The file is empty."`);
    expect(complaintsAbout("- pi-1\n- pi-2")).toMatchInlineSnapshot(
      `"my-bench.yaml:1:1: The file is a list, but must be a mapping."`,
    );
    expect(complaintsAbout("five boards")).toMatchInlineSnapshot(
      `"my-bench.yaml:1:1: The file is \`five boards\`, but must be a mapping."`,
    );
  });

  it("points at what is not YAML", () => {
    expect(complaintsAbout("boards: [pi-1,\nname: x")).toMatchInlineSnapshot(
      `"my-bench.yaml:2:1: This is not YAML that can be read: Flow sequence in block collection must be sufficiently indented and end with a ]."`,
    );
    expect(complaintsAbout("boards: 3\n\tname: x")).toMatchInlineSnapshot(
      `"my-bench.yaml:2:1: This is not YAML that can be read: Tabs are not allowed as indentation."`,
    );
    expect(complaintsAbout("boards: 3\nboards: 4")).toMatchInlineSnapshot(
      `"my-bench.yaml:2:1: This key stands here a second time: keep one of the two."`,
    );
    expect(complaintsAbout("boards: 3\n---\nboards: 4")).toMatchInlineSnapshot(
      `"my-bench.yaml:2:1: Only one document may stand in the file: take out the line "---"."`,
    );
    expect(complaintsAbout("boards: 3\nname: !!binary aGk=")).toMatchInlineSnapshot(
      `"my-bench.yaml:2:16: \`name\` is \`aGk=\`, but must be a name (small letters, digits and dashes, a letter first, at most 32 characters)."`,
    );
  });

  it("follows no alias into the void or without end", () => {
    expect(complaintsAbout("boards: 3\nname: *gone")).toMatchInlineSnapshot(
      `"my-bench.yaml:1:1: The file's aliases lead nowhere: Unresolved alias (the anchor must be set before the alias): gone."`,
    );
    const doubled = ["a: &a [x, x, x, x, x, x, x, x, x, x]"];
    for (const letter of "bcdefgh") doubled.push(`${letter}: &${letter} [${`*${doubled.at(-1)?.[0]}, `.repeat(9)}x]`);
    expect(complaintsAbout(doubled.join("\n"))).toMatchInlineSnapshot(
      `"my-bench.yaml:1:1: The file's aliases lead nowhere: Excessive alias count indicates a resource exhaustion attack."`,
    );
  });

  it("reads no file that nobody wrote by hand", () => {
    expect(complaintsAbout(`boards: 3\n${"# long\n".repeat(40_000)}`)).toMatchInlineSnapshot(
      `"my-bench.yaml:1:1: The file has 280010 characters; at most 262144 are read. Is it the right file?"`,
    );
  });
});

describe("a setting that is wrong", () => {
  it("is told with its line, what stands there, what may stand there, and what was probably meant", () => {
    expect(complaintsAbout("bords: 5")).toMatchInlineSnapshot(
      `"my-bench.yaml:1:1: \`bords\` is no setting; here may stand name, cluster, timing, boards, brokers, switches, cables, cutters, powerSources, cutter, controller. Did you mean "boards"?"`,
    );
    expect(complaintsAbout("boards: 5\ntiming: lam")).toMatchInlineSnapshot(
      `"my-bench.yaml:2:9: \`timing\` is \`lam\`, but must be lan, sd-card, or a mapping with heartbeatMs, electionMinMs and electionMaxMs. Did you mean "lan"?"`,
    );
    expect(complaintsAbout("name: My Bench\nboards: [a, 7, [b]]")).toMatchInlineSnapshot(`
      "my-bench.yaml:1:7: \`name\` is \`My Bench\`, but must be a name (small letters, digits and dashes, a letter first, at most 32 characters).
      my-bench.yaml:2:13: \`boards[1]\` is \`7\`, but must be a name, or a mapping with a name.
      my-bench.yaml:2:16: \`boards[2]\` is a list, but must be a name, or a mapping with a name."
    `);
    expect(complaintsAbout("boards:\n  - { name: a, inbx: broker }\n  - { inbox: broker }")).toMatchInlineSnapshot(`
      "my-bench.yaml:2:16: \`boards[0].inbx\` is no setting; here may stand name, inbox, switch, address, power, console. Did you mean "inbox"?
      my-bench.yaml:3:5: \`boards[1].name\` is missing; it must be a name (small letters, digits and dashes, a letter first, at most 32 characters)."
    `);
  });

  it("is told together with all others", () => {
    expect(
      complaintsAbout(`
boards: 5
timing: { heartbeatMs: 0.5, electionMinMs: "300" }
cutters:
  - { name: one, driver: rely }
  - { name: two, driver: relay, port: /dev/ttyACM0 }
  - { name: three, driver: virtual, address: here }
cables:
  - { name: long, ends: [pi-1], speedMbps: 54 }
  - { name: odd, ends: ["pi-1:", "switch:1"], cutter: "hand:" }
`),
    ).toMatchInlineSnapshot(`
      "my-bench.yaml:3:9: \`timing.electionMaxMs\` is missing; it must be a whole number of milliseconds, 1 to 600000.
      my-bench.yaml:3:24: \`timing.heartbeatMs\` is \`0.5\`, but must be a whole number of milliseconds, 1 to 600000.
      my-bench.yaml:3:44: \`timing.electionMinMs\` is \`"300"\`, but must be a whole number of milliseconds, 1 to 600000.
      my-bench.yaml:5:26: \`cutters[0].driver\` is \`rely\`, but must be one of relay, usb-relay, switch, gpio, firewall, broker, hand, virtual. Did you mean "relay"?
      my-bench.yaml:6:5: \`cutters[1].serialPort\` is missing; it must be text.
      my-bench.yaml:6:33: \`cutters[1].port\` is no setting; here may stand name, driver, serialPort, firmware.
      my-bench.yaml:7:37: \`cutters[2].address\` is no setting; here may stand name, driver.
      my-bench.yaml:9:25: \`cables[0].ends\` is a list, but must be a list of two ports, such as [pi-1, switch:1].
      my-bench.yaml:9:44: \`cables[0].speedMbps\` is \`54\`, but must be one of 10, 100, 1000, 2500.
      my-bench.yaml:10:25: \`cables[1].ends[0]\` is \`"pi-1:"\`, but must be a port, such as pi-1, pi-1:eth1 or switch:3 (the machine, ":", the label of the port).
      my-bench.yaml:10:55: \`cables[1].cutter\` is \`"hand:"\`, but must be a cutter, such as virtual, hand or relays:2 (the cutter, ":", its channel)."
    `);
  });

  it("is told when a number is beyond all measure", () => {
    for (const number of ["0", "-1", "33", "1e999", ".nan", "9007199254740993", "2.5"]) {
      expect(complaintsAbout(`boards: ${number}`)).toContain(
        `my-bench.yaml:1:9: \`boards\` is \`${number}\`, but must be a whole number of boards, 1 to 32`,
      );
    }
  });

  it("is told when a key is one of JavaScript's own", () => {
    expect(complaintsAbout("boards: 3\n__proto__: { name: x }\nconstructor: y")).toMatchInlineSnapshot(`
      "my-bench.yaml:2:1: \`__proto__\` is no setting; here may stand name, cluster, timing, boards, brokers, switches, cables, cutters, powerSources, cutter, controller.
      my-bench.yaml:3:1: \`constructor\` is no setting; here may stand name, cluster, timing, boards, brokers, switches, cables, cutters, powerSources, cutter, controller."
    `);
  });
});

describe("a bench that cannot be built", () => {
  it("has no two things of one name, and no name that means something else", () => {
    expect(
      complaintsAbout(`
boards: [a, b, a, leader]
brokers: [b]
cables: [{ name: b, ends: [a, "switch:1"] }]
`),
    ).toMatchInlineSnapshot(`
      "my-bench.yaml:2:16: There are two things called "a"; boards, brokers and switches need names of their own.
      my-bench.yaml:2:19: "leader" cannot be a name: it means something else in experiments and commands.
      my-bench.yaml:3:11: There are two things called "b"; boards, brokers and switches need names of their own.
      my-bench.yaml:4:18: There are two cables called "b"; each needs a name of its own.
      my-bench.yaml:4:18: The cable "b" is called like a machine into which it is not plugged: nobody would expect it."
    `);
  });

  it("names nothing that is not there", () => {
    expect(
      complaintsAbout(`
boards: [{ name: pi-1, inbox: brokr }, { name: pi-2, switch: swich }]
brokers: [broker, { name: second, board: pi-3 }]
cables: [{ name: long, ends: [pi-4, "switch:1"], cutter: relay }]
cutters: [{ name: managed, driver: switch, switch: swtch, address: 10.0.0.1, user: u, passwordFile: p }]
controller: [swatch]
`),
    ).toMatchInlineSnapshot(`
      "my-bench.yaml:2:31: The inbox of pi-1: there is no broker "brokr" (known: broker, second). Did you mean "broker"?
      my-bench.yaml:2:40: On which broker does pi-2 listen? Write "inbox:" and one of broker, second.
      my-bench.yaml:2:62: pi-2: there is no switch "swich" (known: switch). Did you mean "switch"?
      my-bench.yaml:3:42: Where second runs: there is no board "pi-3" (known: pi-1, pi-2). Did you mean "pi-1"?
      my-bench.yaml:4:31: The cable's end: there is no board, broker or switch "pi-4" (known: pi-1, pi-2, broker, switch). Did you mean "pi-1"?
      my-bench.yaml:4:58: What opens the cable long: there is no cutter "relay" (known: managed, virtual, hand, firewall, broker).
      my-bench.yaml:5:52: The cutter managed: there is no switch "swtch" (known: switch). Did you mean "switch"?
      my-bench.yaml:6:14: The controller: there is no switch "swatch" (known: switch). Did you mean "switch"?"
    `);
  });

  it("has one cable in a port, and a port for every cable", () => {
    expect(
      complaintsAbout(`
boards: 3
switches: [{ name: switch, ports: 4 }]
cables:
  - { name: one, ends: [pi-1, "switch:3"] }
  - { name: two, ends: [pi-2, "switch:3"] }
  - { name: three, ends: [pi-3, "switch:5"] }
  - { name: four, ends: ["pi-1:eth1", switch] }
  - { name: five, ends: ["switch:1", "switch:2"] }
`),
    ).toMatchInlineSnapshot(`
      "my-bench.yaml:6:31: The port switch:3 is taken by the cable one; it cannot hold two as well.
      my-bench.yaml:7:33: switch has no port "5"; its ports are 1, 2, 3, 4.
      my-bench.yaml:8:39: switch has several ports: say which, as in "switch:1".
      my-bench.yaml:9:25: Both ends of five are plugged into switch: it would join nothing."
    `);
    expect(complaintsAbout("boards: 3\nswitches: [{ name: small, ports: 3 }]")).toMatchInlineSnapshot(
      `"my-bench.yaml:1:1: All ports of small (1, 2, 3) are taken: broker has nowhere to go."`,
    );
  });

  it("says where each machine is plugged in, once", () => {
    expect(
      complaintsAbout(`
boards: [pi-1, { name: pi-2, switch: a }]
switches: [a, b]
brokers: [{ name: inbox, board: pi-2, switch: a }]
cables: [{ name: long, ends: [pi-2, "b:1"] }, { name: inner, ends: [inbox, "b:2"] }]
`),
    ).toMatchInlineSnapshot(`
      "my-bench.yaml:2:10: Where is pi-1 plugged in? Write "switch:" and one of a, b, or list its cable.
      my-bench.yaml:2:38: pi-2 has the cable long already: leave out "switch", or that cable.
      my-bench.yaml:4:47: inbox runs on pi-2 and has no cable of its own: leave out "switch" or "board".
      my-bench.yaml:5:69: inbox runs on pi-2 and has no socket of its own: plug the cable into pi-2."
    `);
  });

  it("gives each cable a cutter that can open it", () => {
    expect(
      complaintsAbout(`
boards: 3
switches: [switch, other]
cutters:
  - { name: relays, driver: relay, serialPort: /dev/ttyACM0 }
  - { name: managed, driver: switch, switch: other, address: 10.0.0.1, user: u, passwordFile: p }
  - { name: relays, driver: gpio, chip: pinctrl-rp1 }
  - { name: hand, driver: gpio, chip: pinctrl-rp1 }
cables:
  - { name: one, ends: [pi-1, "switch:1"], cutter: "relays:1" }
  - { name: two, ends: [pi-2, "switch:2"], cutter: "relays:1" }
  - { name: three, ends: [pi-3, "switch:3"], cutter: relays }
  - { name: four, ends: [broker, "switch:4"], cutter: managed }
  - { name: five, ends: ["switch:8", "other:8"], cutter: "virtual:1" }
`),
    ).toMatchInlineSnapshot(`
      "my-bench.yaml:7:13: There are two cutters called "relays"; each needs a name of its own.
      my-bench.yaml:8:13: "hand" always means the driver hand: give this cutter another name.
      my-bench.yaml:11:52: relays:1 opens the cable one already; two needs another channel.
      my-bench.yaml:12:54: Which channel of relays opens the cable three? Write it on the cable, as in "cutter: relays:1".
      my-bench.yaml:13:55: managed closes ports of other, but the cable four is not plugged in there.
      my-bench.yaml:14:58: virtual (driver virtual) has no channels: the cable five needs "cutter: virtual" alone."
    `);
  });

  it("lets every board reach every inbox, and the controller every broker", () => {
    expect(
      complaintsAbout(`
switches: [a, b]
boards: [{ name: pi-1, switch: a, inbox: near }, { name: pi-2, switch: b, inbox: near }, { name: pi-3, switch: b, inbox: far }]
brokers: [{ name: near, switch: a }, { name: far, switch: b }]
controller: [a]
`),
    ).toMatchInlineSnapshot(`
      "my-bench.yaml:3:10: No cable leads from pi-1 to the inbox of pi-3: they would never hear it.
      my-bench.yaml:3:50: No cable leads from pi-2 to near, on which it listens.
      my-bench.yaml:3:90: No cable leads from pi-3 to the inbox of pi-1, pi-2: they would never hear it.
      my-bench.yaml:4:38: No cable leads from the controller to far: clients could not use it, nor screens see it."
    `);
  });

  it("has timers that can work", () => {
    expect(
      complaintsAbout("boards: 3\ntiming: { heartbeatMs: 150, electionMinMs: 300, electionMaxMs: 300 }"),
    ).toMatchInlineSnapshot(`
      "my-bench.yaml:2:44: The shortest election timeout, 300 ms, must be more than twice the heartbeat of 150 ms: one lost heartbeat would start an election.
      my-bench.yaml:2:64: The longest election timeout, 300 ms, must be more than the shortest, 300 ms: boards that always wait equally long split the vote again and again."
    `);
  });

  it("has a board's inbox on one broker, and a name", () => {
    expect(complaintsAbout("boards: 1\nbrokers: [a, b]", "My Bench.yml")).toMatchInlineSnapshot(`
      "My Bench.yml:1:1: The bench has no name, and "My Bench" cannot be one. Write one, such as "name: my-bench".
      My Bench.yml:1:9: On which broker does pi-1 listen? Write "inbox:" and one of a, b."
    `);
  });
});

describe("whatever somebody writes", () => {
  it("becomes a bench or a list of problems with lines of the file, never anything else", () => {
    const word = fc.constantFrom(
      "boards",
      "name",
      "switch",
      "pi-1",
      "5",
      "[",
      "]",
      "{",
      "}",
      ":",
      " ",
      "\n",
      "- ",
      "&a ",
      "*a",
      '"',
      ",",
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 40 }), (words) => {
        const text = words.join("");
        try {
          parseBench(text, "any.yaml");
        } catch (error) {
          if (!(error instanceof YamlFileError)) throw error;
          expect(error.problems.length).toBeGreaterThan(0);
          for (const { line } of error.problems) {
            expect(line).toBeGreaterThanOrEqual(1);
            expect(line).toBeLessThanOrEqual(text.split("\n").length);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("bench.schema.json", () => {
  it("says what the loader takes (if not: npm run schema)", () => {
    expect(readFileSync(new URL("bench.schema.json", import.meta.url), "utf8")).toBe(benchJsonSchema());
  });
});
