import { describe, expect, it } from "vitest";
import { parseBench } from "../hardware/bench.ts";
import { NetworkScenario } from "./network-scenario.ts";

const fiveBoards = parseBench("boards: 5", "five-boards.yaml");
const twoSwitches = parseBench(
  `switches: [switch-a, switch-b]
brokers: [{ name: broker-a, switch: switch-a }, { name: broker-b, switch: switch-b }]
boards:
  - { name: pi-1, switch: switch-a, inbox: broker-a }
  - { name: pi-2, switch: switch-a, inbox: broker-a }
  - { name: pi-3, switch: switch-b, inbox: broker-b }
  - { name: pi-4, switch: switch-b, inbox: broker-b }
cables: [{ name: trunk, ends: ["switch-a:8", "switch-b:8"] }]`,
  "two-switches.yaml",
);
const ms = 1000;

describe("a cable cut for a short time", () => {
  it("makes messages wait, and lets them arrive late and in order after the heal", () => {
    const scenario = new NetworkScenario(fiveBoards);
    scenario.network.cutCable("pi-1", "both");
    for (const text of ["a", "b", "c"]) {
      scenario.network.sendRaft(0, 1, text);
      scenario.network.sendRaft(1, 0, text);
    }
    scenario.run(0.4);
    expect(scenario.told).toEqual([]);
    scenario.network.healCable("pi-1");
    scenario.network.sendRaft(0, 1, "d");
    scenario.run(0.3);
    expect(scenario.heard(1)).toEqual(["0>a", "0>b", "0>c", "0>d"]);
    expect(scenario.heard(0)).toEqual(["1>a", "1>b", "1>c"]);
    expect(scenario.network.counters).toMatchObject({ late: 7, wills: 0, endpointTimeouts: 0, connects: 6 });
    expect(scenario.queue.nextUs).toBe(Number.POSITIVE_INFINITY);
  });

  it("keeps no more waiting than the sockets hold", () => {
    const scenario = new NetworkScenario(fiveBoards, { bufferBytesMax: 10 });
    scenario.network.cutCable("pi-1", "both");
    for (const text of ["aaaa", "bbbb", "cccc"]) scenario.network.sendRaft(0, 1, text);
    for (const text of ["aaaaaaaaaa", "b"]) scenario.network.sendRaft(1, 0, text);
    scenario.run(0.1);
    scenario.network.healCable("pi-1");
    scenario.run(0.3);
    expect(scenario.heard(1)).toEqual(["0>aaaa", "0>bbbb"]);
    expect(scenario.heard(0)).toEqual(["1>aaaaaaaaaa"]);
    expect(scenario.network.counters.lost.bufferFull).toBe(2);
  });

  it("catches a message that is under way", () => {
    const scenario = new NetworkScenario(fiveBoards);
    scenario.network.sendRaft(0, 1, "x");
    scenario.network.cutCable("pi-2", "both");
    scenario.run(0.1);
    expect(scenario.told).toEqual([]);
    scenario.network.healCable("pi-2");
    scenario.run(0.3);
    expect(scenario.heard(1)).toEqual(["0>x"]);
  });
});

describe("a flapping cable", () => {
  it("when it is cut again before TCP has tried again, lets nothing through until it is whole", () => {
    const scenario = new NetworkScenario(fiveBoards);
    scenario.network.cutCable("pi-1", "both");
    scenario.network.sendRaft(0, 1, "a");
    scenario.network.sendRaft(1, 0, "a");
    scenario.run(0.1);
    scenario.network.healCable("pi-1");
    scenario.network.cutCable("pi-1", "both");
    scenario.run(0.3);
    expect(scenario.told).toEqual([]);
    scenario.network.healCable("pi-1");
    scenario.run(0.25);
    expect([scenario.heard(0), scenario.heard(1)]).toEqual([["1>a"], ["0>a"]]);
  });
});

describe("a cable cut for long", () => {
  it("is noticed by the board after 0.7 to 0.8 s, and by the broker, which publishes the will, after 0.9 to 1.5 s", () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const scenario = new NetworkScenario(fiveBoards, {}, seed);
      const cutUs = scenario.queue.nowUs;
      scenario.network.cutCable("pi-1", "both");
      scenario.run(2);
      const noticedUs = scenario.firstUs(0, "down 0") - cutUs;
      expect(noticedUs).toBeGreaterThanOrEqual(700 * ms);
      expect(noticedUs).toBeLessThanOrEqual(800 * ms);
      const willUs = scenario.firstUs(scenario.client, "0 is offline since boot 1") - cutUs;
      expect(willUs).toBeGreaterThanOrEqual(900 * ms);
      expect(willUs).toBeLessThanOrEqual(1501 * ms);
      expect(scenario.network.isConnected(0, 0)).toBe(false);
      expect(scenario.network.counters).toMatchObject({ endpointTimeouts: 1, brokerTimeouts: 1, wills: 1 });
    }
  });

  it("loses what waited, in both directions, and lets the board connect again after the heal", () => {
    const scenario = new NetworkScenario(fiveBoards);
    scenario.network.publishStatus(0, "follower");
    scenario.run(0.1);
    scenario.told.length = 0;
    scenario.network.cutCable("pi-1", "both");
    scenario.network.sendRaft(0, 1, "old");
    scenario.network.sendRaft(1, 0, "old");
    scenario.run(3);
    scenario.network.sendRaft(0, 1, "unsent");
    scenario.network.sendRaft(1, 0, "unheard");
    scenario.network.healCable("pi-1");
    scenario.run(1.5);
    scenario.network.sendRaft(0, 1, "new");
    scenario.network.sendRaft(1, 0, "new");
    scenario.run(0.1);
    expect(scenario.heard(1, ">")).toEqual(["0>new"]);
    expect(scenario.heard(0, ">")).toEqual(["1>new"]);
    expect(scenario.heard(1, "0 is")).toEqual(["0 is offline since boot 1 via 0", "0 is follower since boot 1 via 0"]);
    expect(scenario.network.counters.lost).toMatchObject({ connectionEnded: 2, notConnected: 1, nobodyListens: 1 });
  });

  it("given stale replay, lets what waited arrive after the reconnect", () => {
    const scenario = new NetworkScenario(fiveBoards, { staleReplay: true });
    scenario.network.cutCable("pi-1", "both");
    for (const text of ["old", "older"]) scenario.network.sendRaft(0, 1, text);
    scenario.network.sendRaft(1, 0, "old");
    scenario.run(3);
    scenario.network.healCable("pi-1");
    scenario.run(1.5);
    expect(scenario.heard(1, ">")).toEqual(["0>old", "0>older"]);
    expect(scenario.heard(0, ">")).toEqual(["1>old"]);
    expect(scenario.network.counters).toMatchObject({ stale: 3, late: 0 });
  });
});

describe("a cable that loses one direction", () => {
  it("given a board that nobody hears, it hears until it misses the answer to its ping; the broker gives it up", () => {
    const scenario = new NetworkScenario(fiveBoards);
    scenario.network.cutCable("pi-1", "fromFirstEnd");
    scenario.network.sendRaft(0, 1, "unheard");
    scenario.network.sendRaft(1, 0, "heard");
    scenario.run(0.5);
    expect(scenario.heard(1)).toEqual([]);
    expect(scenario.heard(0)).toEqual(["1>heard"]);
    scenario.run(1.5);
    expect(scenario.heard(0, "down")).toEqual(["down 0"]);
    expect(scenario.network.counters).toMatchObject({ endpointTimeouts: 1, brokerTimeouts: 1, wills: 1 });
  });

  it("given a board that hears nobody, it is heard until it gives up; the broker then learns of it at once", () => {
    const scenario = new NetworkScenario(fiveBoards);
    const cutUs = scenario.queue.nowUs;
    scenario.network.cutCable("pi-1", "fromSecondEnd");
    scenario.network.sendRaft(0, 1, "heard");
    scenario.network.sendRaft(1, 0, "unheard");
    scenario.run(0.5);
    expect(scenario.heard(1)).toEqual(["0>heard"]);
    expect(scenario.heard(0)).toEqual([]);
    scenario.run(1.5);
    expect(scenario.firstUs(1, "0 is offline") - cutUs).toBeLessThan(801 * ms);
    expect(scenario.network.counters).toMatchObject({ endpointTimeouts: 1, brokerTimeouts: 0, wills: 1 });
  });
});

describe("switches and trunks", () => {
  it("when the switch is off, nobody hears anybody; when it is on again, all connect again", () => {
    const scenario = new NetworkScenario(fiveBoards);
    scenario.network.switchOff("switch");
    scenario.run(3);
    for (let endpoint = 0; endpoint <= 5; endpoint += 1) expect(scenario.network.isConnected(endpoint, 0)).toBe(false);
    scenario.network.switchOn("switch");
    scenario.run(1.5);
    for (let endpoint = 0; endpoint <= 5; endpoint += 1) expect(scenario.network.isConnected(endpoint, 0)).toBe(true);
  });

  it("when the trunk is cut, each side still talks among itself, and clients reach both", () => {
    const scenario = new NetworkScenario(twoSwitches);
    scenario.network.subscribeRequests(0, true);
    scenario.network.subscribeRequests(3, true);
    scenario.network.cutCable("trunk", "both");
    scenario.run(3);
    scenario.told.length = 0;
    for (const [from, to] of [
      [0, 1],
      [1, 0],
      [2, 3],
      [3, 2],
      [0, 2],
      [3, 1],
    ] as const) {
      scenario.network.sendRaft(from, to, "x");
    }
    scenario.network.publishRequest(scenario.client, "read");
    scenario.run(0.1);
    expect(scenario.told.map(({ who, what }) => `${who} ${what}`).sort()).toEqual([
      "0 1>x",
      "0 4?read via 0",
      "1 0>x",
      "2 3>x",
      "3 2>x",
      "3 4?read via 1",
    ]);
    expect(scenario.network.reaches(0, 0)).toBe(true);
    expect(scenario.network.reaches(0, 1)).toBe(false);
  });
});
