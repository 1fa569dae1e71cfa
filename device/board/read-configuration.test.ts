import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { BoardConfiguration } from "./configuration.ts";
import { formatBoardConfiguration } from "./format-configuration.ts";
import { readBoardConfiguration } from "./read-configuration.ts";

let folder = "";
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "adrift-configuration-")));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const smallest = `board: pi-1
boards:
  - { name: pi-1, inbox: broker }
  - { name: pi-2, inbox: broker }
brokers:
  - { name: broker, url: mqtt://127.0.0.1:1883 }
`;

describe("given the smallest file that a board can start with", () => {
  test("when it is read, then everything that is left out has its usual value", () => {
    expect(read(smallest)).toEqual({
      board: "pi-1",
      cluster: "adrift",
      data: "/var/lib/adrift",
      boards: [
        { name: "pi-1", inbox: "broker" },
        { name: "pi-2", inbox: "broker" },
      ],
      founders: ["pi-1", "pi-2"],
      brokers: [{ name: "broker", url: "mqtt://127.0.0.1:1883" }],
      serves: null,
      timing: { heartbeatMs: 50, electionMinMs: 300, electionMaxMs: 600 },
      raft: { leaseReads: false, clockDriftPpmMax: null, snapshotAfterEntries: null, trailingEntries: null },
      rejoinAfterDamage: false,
      keys: null,
      metricsPort: null,
      logLevel: "info",
      interfaces: [],
      leds: [],
      console: null,
    } satisfies BoardConfiguration);
  });

  test("when the environment says otherwise, then that holds", () => {
    const environment = {
      ADRIFT_DATA: "/srv/board",
      ADRIFT_LOG_LEVEL: "debug",
      ADRIFT_METRICS_PORT: "9464",
      ADRIFT_BROKER_BROKER: "mqtt://[::1]:1884",
      HOME: "/root",
    };
    expect(read(smallest, environment)).toEqual({
      ...read(smallest),
      data: "/srv/board",
      logLevel: "debug",
      metricsPort: 9464,
      brokers: [{ name: "broker", url: "mqtt://[::1]:1884" }],
    });
  });

  test("when a variable of the environment is empty, then the file holds", () => {
    expect(read(smallest, { ADRIFT_DATA: "", ADRIFT_METRICS_PORT: "" })).toEqual(read(smallest));
  });

  test("when the environment is nonsense, then each variable is named with what may stand in it", () => {
    const environment = {
      ADRIFT_LOG_LEVEL: "loud",
      ADRIFT_METRICS_PORT: "99999",
      ADRIFT_BROKER_BROKER: "http://127.0.0.1",
      ADRIFT_BROKER_OTHER: "mqtt://127.0.0.1",
    };
    expect(complaints(smallest, environment)).toEqual([
      "ADRIFT_BROKER_OTHER: There is no such broker; the variables are ADRIFT_BROKER_BROKER.",
      'ADRIFT_LOG_LEVEL: The variable is "loud", but must be one of trace, debug, info, warn, error, silent.',
      'ADRIFT_METRICS_PORT: The variable is "99999", but must be a whole number (a port; 0 takes a free one), 0 to 65535.',
      'ADRIFT_BROKER_BROKER: The variable is "http://127.0.0.1", but must be mqtt://host:port, or mqtts://host:port with keys.',
    ]);
  });

  test("when metrics are switched off by the environment, then the port of the file is not opened", () => {
    expect(read(`${smallest}metricsPort: 9464\n`, { ADRIFT_METRICS_PORT: "none" }).metricsPort).toBeNull();
  });
});

describe("given a file that is wrong", () => {
  test("when it is read, then all of it is told at once, in the order of the lines, with what may stand there", () => {
    const text = `board: Pi_1
colour: blue
boards:
  - { name: pi-1 }
brokers: broker
timing: { heartbeatMs: soon, electionMinMs: 300, electionMaxMs: 600, pace: 3 }
logLevel: loud
`;
    expect(complaints(text)).toEqual([
      'board.yaml:1:8: `board` is "Pi_1", but must be a name (small letters, digits and dashes, a letter first, at most 32 characters).',
      "board.yaml:2:1: `colour` is no setting; here may stand board, cluster, data, boards, founders, brokers, serves, timing, raft, rejoinAfterDamage, keys, metricsPort, logLevel, interfaces, leds, console.",
      "board.yaml:4:5: `boards[0].inbox` is missing; it must be a name (small letters, digits and dashes, a letter first, at most 32 characters).",
      'board.yaml:5:10: `brokers` is "broker", but must be a list of 1 to 32 brokers, each with name and url.',
      'board.yaml:6:24: `timing.heartbeatMs` is "soon", but must be a whole number of milliseconds, 1 to 600000.',
      "board.yaml:6:70: `timing.pace` is no setting; here may stand heartbeatMs, electionMinMs, electionMaxMs.",
      'board.yaml:7:11: `logLevel` is "loud", but must be one of trace, debug, info, warn, error, silent.',
    ]);
  });

  test("when names stand for nothing, then they are told with the names that there are", () => {
    const text = `board: pi-9
boards:
  - { name: pi-1, inbox: post }
  - { name: pi-1, inbox: broker }
founders: [pi-1, pi-3]
brokers:
  - { name: broker, url: mqtt://localhost:1883 }
serves: { broker: post, host: 127.0.0.1, port: 1883 }
`;
    expect(complaints(text)).toEqual([
      "board.yaml:1:8: There is no board pi-9; there are pi-1.",
      "board.yaml:3:26: There is no broker post; there are broker.",
      "board.yaml:4:13: The name pi-1 stands here a second time: each may stand once.",
      "board.yaml:5:18: There is no board pi-3; there are pi-1.",
      "board.yaml:8:19: There is no broker post; there are broker.",
    ]);
  });

  test("when the timers do not fit each other, then it says why that matters", () => {
    const text = `${smallest}timing: { heartbeatMs: 100, electionMinMs: 200, electionMaxMs: 200 }\n`;
    expect(complaints(text)).toEqual([
      "board.yaml:7:44: The shortest wait before an election is 200 ms, but must be more than two heartbeats of 100 ms, or one lost heartbeat costs the leader its office.",
      "board.yaml:7:64: The longest wait before an election is 200 ms, but must be more than the shortest, 200 ms, or boards stand for election at the same time for ever.",
    ]);
  });

  test.each([
    ["not YAML", "board: [pi-1\n", /^board\.yaml:2:1: This is not YAML that can be read: .+\.$/],
    ["empty", "", /^board\.yaml:1:1: The file is empty, but must be a mapping with board, /],
    ["an alias of nothing", "board: *nobody\n", /^board\.yaml:1:\d+: /],
    [
      "larger than any configuration",
      `#${"x".repeat(262_144)}\n`,
      /^board\.yaml: The file has more than 262144 bytes\./,
    ],
  ])("when it is %s, then it says so", (_, text, message) => {
    expect(complaints(text)).toEqual([expect.stringMatching(message)]);
  });

  test("when there is none, then it says which, and how to name another", () => {
    const path = join(folder, "none.yaml");
    expect(() => readBoardConfiguration(path, {})).toThrow(/none\.yaml: .*ENOENT.*--config/);
  });
});

describe("given a board without keys", () => {
  test.each([
    "mqtt://10.0.0.2:1883",
    "mqtt://broker.lan",
    "mqtt://127.0.0.1.example.org:1883",
    "mqtt://[fe80::1]:1883",
    "mqtt://0.0.0.0:1883",
  ])("when a broker is at %s, then it is refused: anybody could listen there", (url) => {
    expect(complaints(smallest.replace("mqtt://127.0.0.1:1883", `"${url}"`))).toEqual([
      expect.stringMatching(/^board\.yaml:6:26: Broker broker is on another machine .*adrift init/),
    ]);
  });

  test("when a broker takes TLS only, then keys are asked for", () => {
    expect(complaints(smallest.replace("mqtt:", "mqtts:"))).toEqual([
      "board.yaml:6:26: Broker broker takes TLS only (mqtts://127.0.0.1:1883), so this board needs keys: set `keys`.",
    ]);
  });

  test("when its own broker would listen to other machines, then it is refused", () => {
    const text = `${smallest}serves: { broker: broker, host: 0.0.0.0, port: 1883 }\n`;
    expect(complaints(text)).toEqual([expect.stringMatching(/^board\.yaml:7:33: Without keys .* not on 0\.0\.0\.0/)]);
  });

  test("when the environment names a broker on another machine, then the variable is blamed", () => {
    expect(complaints(smallest, { ADRIFT_BROKER_BROKER: "mqtt://10.0.0.2" })).toEqual([
      expect.stringMatching(/^ADRIFT_BROKER_BROKER: Broker broker is on another machine/),
    ]);
  });
});

describe("given a board with keys", () => {
  const keys = "keys: { authority: keys/ca.pem, certificate: keys/pi-1.pem, privateKey: /etc/ssl/pi-1.key }\n";

  test("when brokers anywhere take TLS, then it may start, and finds its keys beside the file", () => {
    const text = `${smallest.replace("mqtt://127.0.0.1:1883", "mqtts://10.0.0.2:8883")}${keys}`;
    expect(read(text).keys).toEqual({
      authority: join(folder, "keys/ca.pem"),
      certificate: join(folder, "keys/pi-1.pem"),
      privateKey: "/etc/ssl/pi-1.key",
    });
  });

  test("when a broker is reached without TLS, then it is refused: keys would be worth nothing", () => {
    expect(complaints(smallest + keys)).toEqual([expect.stringMatching(/^board\.yaml:6:26: .*without TLS/)]);
  });
});

test("whatever a configuration says, when it is written and read again, then it is the same", () => {
  fc.assert(
    fc.property(configurations(), (configuration) => {
      expect(read(formatBoardConfiguration(configuration))).toEqual(configuration);
    }),
    { numRuns: 40 },
  );
});

/** Configurations with which a board could start. */
function configurations(): fc.Arbitrary<BoardConfiguration> {
  // Among the names are words that YAML would take for something else.
  const name = fc.oneof(fc.constantFrom("true", "null", "no", "y"), fc.stringMatching(/^[a-z][a-z0-9-]{0,31}$/));
  const names = fc.uniqueArray(name, { minLength: 1, maxLength: 5 });
  const path = fc.stringMatching(/^\/[A-Za-z0-9 #:'"é-]{1,20}\/[a-z]{1,8}$/);
  const count = fc.option(fc.integer({ min: 1, max: 100_000 }));
  return fc
    .record({ names, brokers: names, hasKeys: fc.boolean(), inbox: fc.nat(), founders: fc.nat(), serves: fc.boolean() })
    .chain(({ names, brokers, hasKeys, inbox, founders, serves }) => {
      const scheme = hasKeys ? "mqtts" : "mqtt";
      const host = hasKeys ? "broker.example.org" : "127.0.0.1";
      const [broker = ""] = brokers;
      return fc.record<BoardConfiguration>({
        board: fc.constantFrom(...names),
        cluster: name,
        data: path,
        boards: fc.constant(
          names.map((each, at) => ({ name: each, inbox: brokers[(inbox + at) % brokers.length] ?? "" })),
        ),
        founders: fc.constant(names.slice(0, 1 + (founders % names.length))),
        brokers: fc.constant(brokers.map((each, at) => ({ name: each, url: `${scheme}://${host}:${1883 + at}` }))),
        serves: fc.constant(serves ? { broker, host, port: 1883, webSocketPort: serves ? 9001 : null } : null),
        timing: fc.constantFrom(
          { heartbeatMs: 50, electionMinMs: 300, electionMaxMs: 600 },
          { heartbeatMs: 1, electionMinMs: 3, electionMaxMs: 600_000 },
        ),
        raft: fc.record({
          leaseReads: fc.boolean(),
          clockDriftPpmMax: fc.option(fc.integer({ min: 0, max: 999_999 })),
          snapshotAfterEntries: count,
          trailingEntries: count,
        }),
        rejoinAfterDamage: fc.boolean(),
        keys: hasKeys ? fc.record({ authority: path, certificate: path, privateKey: path }) : fc.constant(null),
        metricsPort: fc.option(fc.integer({ min: 0, max: 65_535 })),
        logLevel: fc.constantFrom("trace", "debug", "info", "warn", "error", "silent"),
        interfaces: fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9@.:-]{0,14}$/), { maxLength: 3 }),
        leds: fc.array(
          fc.record({
            name: fc.stringMatching(/^[A-Za-z][A-Za-z0-9:_-]{0,14}$/),
            shows: fc.option(fc.constantFrom("leader" as const, "cutOff" as const)),
          }),
          { maxLength: 3 },
        ),
        console: fc.option(fc.stringMatching(/^\/dev\/[a-z][A-Za-z0-9]{0,14}$/)),
      });
    });
}

function read(text: string, environment: Record<string, string> = {}): BoardConfiguration {
  const path = join(folder, "board.yaml");
  writeFileSync(path, text);
  return readBoardConfiguration(path, environment);
}

/** The lines of the refusal, without the folder. */
function complaints(text: string, environment: Record<string, string> = {}): readonly string[] {
  try {
    read(text, environment);
  } catch (error) {
    return String(error instanceof Error ? error.message : error)
      .replaceAll(`${folder}/`, "")
      .split("\n");
  }
  return [];
}
