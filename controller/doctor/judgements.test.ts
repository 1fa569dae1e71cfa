import { describe, expect, it } from "vitest";
import type { BoardStatus } from "../../device/transport/envelope.ts";
import { parseBench } from "../../hardware/bench.ts";
import { type BoardLook, judgeBoard, judgeCluster } from "./boards.ts";
import type { BrokerLook } from "./broker-probe.ts";
import { judgeBroker } from "./brokers.ts";
import { checkCables } from "./cables.ts";
import type { Finding } from "./finding.ts";
import { checkLeftoverCuts, checkLeftoverNamespaces, checkNode, checkStaleBenches } from "./machine.ts";
import { judgeSwitch, type PortLook } from "./switches.ts";

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

describe("a broker", () => {
  const timing = { heartbeatMs: 50, electionMinMs: 300, electionMaxMs: 600 };
  const judge = (look: BrokerLook): readonly Finding[] => judgeBroker("broker", look, timing);

  it("given one that answers in time, then it is well", () => {
    expect(conditionsOf(judge({ kind: "answers", roundTripMs: 0.4, burstMs: 1 }))).toEqual(["ok"]);
  });

  it("given one that holds small messages back, then its setting is named", () => {
    expect(judge({ kind: "answers", roundTripMs: 0.2, burstMs: 41 })).toMatchObject([
      { condition: "warning", advice: expect.stringContaining("set_tcp_nodelay true") },
    ]);
  });

  it("given one that takes a third of the time between heartbeats, then that is told", () => {
    expect(judge({ kind: "answers", roundTripMs: 17, burstMs: 18 })).toMatchObject([
      { condition: "warning", what: expect.stringContaining("heartbeats come every 50 ms") },
    ]);
  });

  it.each([
    ["connect ECONNREFUSED 192.168.7.2:1883", /Nobody listens there/],
    ["getaddrinfo ENOTFOUND rack.local", /IP address/],
    ["no answer", /cable plugged in/],
    ["connack timeout", /says nothing/],
    ["Hostname/IP does not match certificate's altnames", /--host ADDRESS/],
    ["self-signed certificate in certificate chain", /another authority/],
    ["certificate has expired", /not good today/],
    ["Invalid header flag bits, must be 0x0 for puback packet", /Something else listens/],
    ["the broker closed the connection before it took us in", /do both sides have the keys/],
  ])("given that it cannot be reached (%s), then what to do fits the reason", (reason, advice) => {
    expect(judge({ kind: "unreachable", reason })).toMatchObject([
      { condition: "wrong", what: expect.stringContaining(reason), advice: expect.stringMatching(advice) },
    ]);
  });
});

describe("a board", () => {
  const status: BoardStatus = {
    member: "pi-1",
    role: "follower",
    term: 3,
    leader: "pi-2",
    commitIndex: 9,
    appliedIndex: 9,
    lastIndex: 9,
    voters: ["pi-1", "pi-2"],
    learners: [],
    version: "1.2.0",
    carrier: true,
  };
  const clock = { upMs: 3_600_000, aheadMs: 4, uncertaintyMs: 2 };
  const well: BoardLook = { board: "pi-1", isOnline: true, status, clock };

  it("given one that answers and is as we are, then it is well", () => {
    expect(judgeBoard(well, "1.2.0")).toMatchObject([{ condition: "ok", what: "online (version 1.2.0)" }]);
  });

  it.each<[string, BoardLook, string, RegExp]>([
    ["that nobody ever heard of", { ...well, isOnline: null }, "wrong", /no broker has ever heard of it/],
    ["that is offline", { ...well, isOnline: false }, "wrong", /offline/],
    ["that does not answer", { ...well, clock: null }, "wrong", /does not answer/],
    ["that has stopped", { ...well, status: { ...status, role: "stopped" } }, "wrong", /impossible/],
    ["with an empty card", { ...well, status: { ...status, role: "joining" } }, "warning", /empty card/],
    [
      "of another version",
      { ...well, status: { ...status, version: "1.1.0" } },
      "warning",
      /version 1\.1\.0, and this is 1\.2\.0/,
    ],
    ["without carrier", { ...well, status: { ...status, carrier: false } }, "warning", /no carrier/],
    ["with a clock behind", { ...well, clock: { ...clock, aheadMs: -5_000 } }, "warning", /5\.0 s behind ours/],
    ["with a clock of 1970", { ...well, clock: { ...clock, aheadMs: -1e12 } }, "wrong", /11574 days behind/],
    ["that has only started", { ...well, clock: { ...clock, upMs: 400 } }, "warning", /less than 30 s ago/],
  ])("given one %s, then that is told", (_words, look, condition, what) => {
    expect(judgeBoard(look, "1.2.0")).toMatchObject([{ condition, what: expect.stringMatching(what) }]);
  });

  it("given a clock of which the way there and back says too little, then nothing is claimed", () => {
    const vague = { ...well, clock: { ...clock, aheadMs: 1_300, uncertaintyMs: 700 } };
    expect(conditionsOf(judgeBoard(vague, "1.2.0"))).toEqual(["ok"]);
  });

  it("given boards of two versions of which none leads, then both are told", () => {
    const other = { ...well, board: "pi-2", status: { ...status, version: "1.1.0" } };
    expect(judgeCluster([well, other])).toMatchObject([
      { condition: "warning", what: expect.stringContaining("pi-1 1.2.0 and pi-2 1.1.0") },
      { condition: "wrong", where: "leader" },
    ]);
  });

  it("given two that say they lead, then the one of the later term does", () => {
    const leader = (board: string, term: number): BoardLook => ({
      ...well,
      board,
      status: { ...status, role: "leader", term },
    });
    expect(judgeCluster([leader("pi-1", 3), leader("pi-2", 4)])).toMatchObject([
      { condition: "ok", what: "pi-2, term 4" },
    ]);
  });
});

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
