import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseBench } from "../hardware/bench.ts";
import { NetworkScenario } from "./network-scenario.ts";

const fiveBoards = parseBench("boards: 5", "five-boards.yaml");
const twoBrokers = parseBench(
  `boards: [{ name: one, inbox: left }, { name: two, inbox: left }, { name: three, inbox: right }]
brokers: [left, right]`,
  "two-brokers.yaml",
);

describe("a network on which nothing is broken", () => {
  it("carries a message to the board that it is for, and to no other, within a hop", () => {
    const scenario = new NetworkScenario(fiveBoards);
    const sentUs = scenario.queue.nowUs;
    scenario.network.sendRaft(0, 3, "vote");
    scenario.run(1);
    expect(scenario.told).toHaveLength(1);
    expect(scenario.heard(3)).toEqual(["0>vote"]);
    const tookUs = scenario.firstUs(3, "vote") - sentUs;
    expect(tookUs).toBeGreaterThanOrEqual(150);
    expect(tookUs).toBeLessThanOrEqual(600);
  });

  it("costs one event per message, and none while nobody speaks", () => {
    const scenario = new NetworkScenario(fiveBoards);
    expect(scenario.queue.nextUs).toBe(Number.POSITIVE_INFINITY);
    const before = scenario.queue.happened;
    for (let message = 0; message < 100; message += 1) scenario.network.sendRaft(message % 5, (message + 1) % 5, "x");
    scenario.run(60);
    expect(scenario.queue.happened - before).toBe(100);
    expect(scenario.network.counters).toMatchObject({ published: 100, delivered: 100 });
  });

  it("never lets one message overtake another from the same sender to the same receiver", () => {
    const scenario = new NetworkScenario(fiveBoards);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(4), fc.nat(4), fc.nat(300)), { maxLength: 100 }), (messages) => {
        scenario.told.length = 0;
        const sent: string[] = [];
        for (const [number, [from, to, pauseUs]] of messages.entries()) {
          scenario.network.sendRaft(from, to, String(number));
          sent.push(`${to}:${from}>${number}`);
          scenario.run(pauseUs / 1_000_000);
        }
        scenario.run(1);
        for (let pair = 0; pair < 25; pair += 1) {
          const [to, from] = [pair % 5, Math.floor(pair / 5)];
          const expected = sent.filter((each) => each.startsWith(`${to}:${from}>`));
          expect(scenario.heard(to, `${from}>`).map((each) => `${to}:${each}`)).toEqual(expected);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe("requests and replies", () => {
  it("given no board that takes requests, are lost, and counted", () => {
    const scenario = new NetworkScenario(fiveBoards);
    scenario.network.publishRequest(scenario.client, "read");
    scenario.run(1);
    expect(scenario.told).toEqual([]);
    expect(scenario.network.counters.lost.nobodyListens).toBe(1);
  });

  it("reach whichever board leads, and come back by the same broker", () => {
    const scenario = new NetworkScenario(fiveBoards);
    scenario.network.subscribeRequests(2, true);
    scenario.run(0.01);
    scenario.network.publishRequest(scenario.client, "read");
    scenario.run(0.01);
    scenario.network.reply(2, 0, scenario.client, "done");
    scenario.run(0.01);
    expect(scenario.told.map(({ who, what }) => [who, what])).toEqual([
      [2, "5?read via 0"],
      [5, "2!done via 0"],
    ]);
  });

  it("no longer reach a board that has stopped to lead", () => {
    const scenario = new NetworkScenario(fiveBoards);
    for (const wanted of [true, false, true, false]) scenario.network.subscribeRequests(2, wanted);
    scenario.run(0.01);
    scenario.network.publishRequest(scenario.client, "read");
    scenario.run(0.01);
    expect(scenario.told).toEqual([]);
  });

  it("given two brokers, come to the leader by both", () => {
    const scenario = new NetworkScenario(twoBrokers);
    scenario.network.subscribeRequests(0, true);
    scenario.run(0.01);
    scenario.network.publishRequest(scenario.client, "read");
    scenario.run(0.01);
    expect(scenario.heard(0).sort()).toEqual(["3?read via 0", "3?read via 1"]);
  });

  it("to one board reach it though it does not lead", () => {
    const scenario = new NetworkScenario(twoBrokers);
    scenario.network.publishRequestTo(scenario.client, 2, "status");
    scenario.run(0.01);
    expect(scenario.told.map(({ who, what }) => [who, what])).toEqual([[2, "3?status via 1"]]);
  });
});

describe("a board's status", () => {
  it("reaches everybody else on every broker", () => {
    const scenario = new NetworkScenario(twoBrokers);
    scenario.network.publishStatus(1, "leader");
    scenario.run(0.01);
    for (const reader of [0, 2, 3]) {
      expect(scenario.heard(reader).sort()).toEqual([
        "1 is leader since boot 2 via 0",
        "1 is leader since boot 2 via 1",
      ]);
    }
    expect(scenario.heard(1)).toEqual([]);
  });

  it("is retained for whoever connects later", () => {
    const scenario = new NetworkScenario(fiveBoards);
    scenario.network.publishStatus(1, "follower");
    scenario.network.publishStatus(1, "leader");
    scenario.network.processDied(3);
    scenario.run(0.01);
    scenario.start(3);
    scenario.run(0.01);
    expect(scenario.heard(3, "1 is")).toEqual(["1 is leader since boot 2 via 0"]);
  });
});

describe("noise beyond what TCP allows", () => {
  const silent = { lossPpm: 0, duplicationPpm: 0, delayPpm: 0, delayUsMax: 1 };

  it("loses messages", () => {
    const scenario = new NetworkScenario(fiveBoards);
    scenario.network.setNoise({ ...silent, lossPpm: 300_000 });
    for (let message = 0; message < 1000; message += 1) scenario.network.sendRaft(0, 1, "x");
    scenario.run(1);
    const { delivered, lost } = scenario.network.counters;
    expect(delivered + lost.noise).toBe(1000);
    expect(lost.noise).toBeGreaterThan(250);
    expect(lost.noise).toBeLessThan(350);
  });

  it("delivers messages twice", () => {
    const scenario = new NetworkScenario(fiveBoards);
    scenario.network.setNoise({ ...silent, duplicationPpm: 1_000_000 });
    scenario.network.sendRaft(0, 1, "x");
    scenario.run(1);
    expect(scenario.heard(1)).toEqual(["0>x", "0>x"]);
    expect(scenario.network.counters.duplicated).toBe(1);
  });

  it("lets later messages overtake one that is held back", () => {
    const scenario = new NetworkScenario(fiveBoards);
    scenario.network.setNoise({ ...silent, delayPpm: 1_000_000, delayUsMax: 1_000_000 });
    for (let message = 0; message < 10; message += 1) scenario.network.sendRaft(0, 1, String(message));
    scenario.network.setNoise(null);
    scenario.network.sendRaft(0, 1, "after");
    scenario.run(2);
    const heard = scenario.heard(1);
    expect(heard).toHaveLength(11);
    expect(heard[0]).toBe("0>after");
    expect(heard.slice(1)).not.toEqual([...heard.slice(1)].sort());
    expect(scenario.network.counters.delayed).toBe(10);
  });
});

describe("what is not on the bench", () => {
  it("is refused by name, with what there is", () => {
    const { network } = new NetworkScenario(fiveBoards);
    expect(() => network.cutCable("pi-9", "both")).toThrow("There is no cable pi-9 on this bench: it has pi-1, pi-2");
    expect(() => network.switchOff("pi-1")).toThrow("pi-1 is not a switch");
    expect(() => network.restartBroker("brocker")).toThrow("There is no broker brocker on this bench: it has broker");
    expect(() => network.sendRaft(0, 9, "x")).toThrow("There is no board 9: there are 5");
  });
});
