import { describe, expect, it } from "vitest";
import { parseBench } from "../hardware/bench.ts";
import { NetworkScenario } from "./network-scenario.ts";

const fiveBoards = parseBench("boards: 5", "five-boards.yaml");
const inboxPerBoard = parseBench(
  `boards: 3
brokers: [{ name: inbox-1, board: pi-1 }, { name: inbox-2, board: pi-2 }, { name: inbox-3, board: pi-3 }]`,
  "inbox-per-board.yaml",
);
const ms = 1000;

describe("boards that fail", () => {
  it("when a process dies, its will goes out at once", () => {
    const scenario = new NetworkScenario(fiveBoards);
    const diedUs = scenario.queue.nowUs;
    scenario.network.processDied(0);
    scenario.run(2);
    expect(scenario.firstUs(1, "0 is offline since boot 1") - diedUs).toBeLessThanOrEqual(600);
    expect(scenario.heard(0)).toEqual([]);
  });

  it("when the power is cut, its will goes out when the broker notices", () => {
    const scenario = new NetworkScenario(fiveBoards);
    const cutUs = scenario.queue.nowUs;
    scenario.network.powerCut(0);
    scenario.network.sendRaft(1, 0, "nobody reads this");
    scenario.run(2);
    expect(scenario.firstUs(1, "0 is offline since boot 1") - cutUs).toBeGreaterThanOrEqual(900 * ms);
    expect(scenario.heard(0)).toEqual([]);
    expect(scenario.network.counters.lost.connectionEnded).toBe(1);
  });

  it("when a board is back before the broker noticed, its new connection replaces the old one, whose will goes out", () => {
    const scenario = new NetworkScenario(fiveBoards);
    scenario.network.powerCut(0);
    scenario.network.sendRaft(1, 0, "for the one before");
    scenario.run(0.5);
    scenario.start(0);
    scenario.network.publishStatus(0, "follower");
    scenario.run(0.02);
    expect(scenario.heard(1)).toEqual(["0 is offline since boot 1 via 0", "0 is follower since boot 6 via 0"]);
    expect(scenario.heard(0, ">")).toEqual([]);
    expect(scenario.network.counters).toMatchObject({ takeovers: 1, wills: 1 });
  });

  it("given stale replay, what a dead process had sent still arrives, and says from which boot it is", () => {
    const scenario = new NetworkScenario(fiveBoards, { staleReplay: true });
    scenario.network.cutCable("pi-1", "both");
    scenario.network.publishStatus(0, "leader");
    scenario.network.sendRaft(0, 1, "of boot 1");
    scenario.network.processDied(0);
    scenario.run(0.1);
    scenario.network.healCable("pi-1");
    scenario.start(0);
    scenario.run(0.3);
    expect(scenario.heard(1, ">")).toEqual(["0>of boot 1"]);
    expect(scenario.heard(1, "leader")).toEqual(["0 is leader since boot 1 via 0"]);
  });

  it("given stale replay, what waited in a board is gone with its power", () => {
    const scenario = new NetworkScenario(fiveBoards, { staleReplay: true });
    scenario.network.cutCable("pi-1", "both");
    scenario.network.sendRaft(0, 1, "in the board");
    scenario.network.sendRaft(1, 0, "at the broker");
    scenario.run(1);
    scenario.network.powerCut(0);
    scenario.network.healCable("pi-1");
    scenario.start(0);
    scenario.run(2);
    expect([scenario.heard(0, ">"), scenario.heard(1, ">")]).toEqual([["1>at the broker"], []]);
  });

  it("when a process is replaced while a message to it is held back, the new one never sees it", () => {
    const scenario = new NetworkScenario(fiveBoards);
    scenario.network.setNoise({ lossPpm: 0, duplicationPpm: 0, delayPpm: 1_000_000, delayUsMax: 1_000_000 });
    for (let message = 0; message < 10; message += 1) scenario.network.sendRaft(1, 0, "x");
    scenario.network.processDied(0);
    scenario.start(0);
    scenario.run(2);
    expect(scenario.heard(0, ">")).toEqual([]);
    expect(scenario.network.counters.lost.connectionEnded).toBe(10);
  });

  it("when a board is paused for a moment, it finds all messages when it goes on", () => {
    const scenario = new NetworkScenario(fiveBoards);
    scenario.network.setPaused(0, true);
    for (const text of ["a", "b"]) scenario.network.sendRaft(1, 0, text);
    scenario.run(0.5);
    expect(scenario.heard(0)).toEqual([]);
    scenario.network.setPaused(0, false);
    scenario.network.sendRaft(1, 0, "c");
    scenario.run(0.1);
    expect(scenario.heard(0)).toEqual(["1>a", "1>b", "1>c"]);
    expect(scenario.network.counters).toMatchObject({ brokerTimeouts: 0, connects: 6 });
  });

  it("when a board is paused again while it catches up, it finds the rest later", () => {
    const scenario = new NetworkScenario(fiveBoards);
    scenario.network.setPaused(0, true);
    for (const text of ["a", "b", "c"]) scenario.network.sendRaft(1, 0, text);
    scenario.run(0.1);
    scenario.network.setPaused(0, false);
    scenario.run(0.00003);
    scenario.network.setPaused(0, true);
    scenario.run(0.1);
    expect(scenario.heard(0)).toEqual(["1>a"]);
    scenario.network.setPaused(0, false);
    scenario.run(0.1);
    expect(scenario.heard(0)).toEqual(["1>a", "1>b", "1>c"]);
  });

  it("when a board is paused for long, the broker gives it up; going on, it reads what came before and then the end", () => {
    const scenario = new NetworkScenario(fiveBoards);
    scenario.network.setPaused(0, true);
    scenario.network.sendRaft(1, 0, "old");
    scenario.run(2);
    scenario.network.sendRaft(1, 0, "unheard");
    expect(scenario.heard(1)).toEqual(["0 is offline since boot 1 via 0"]);
    expect(scenario.network.isConnected(0, 0)).toBe(true);
    scenario.network.setPaused(0, false);
    scenario.run(0.5);
    expect(scenario.heard(0)).toEqual(["1>old", "down 0", "up 0"]);
    expect(scenario.network.counters).toMatchObject({ brokerTimeouts: 1, endpointTimeouts: 0 });
  });
});

describe("brokers that fail", () => {
  const losses = { losesSessions: true, losesRetained: true };

  it("when its process dies, everybody knows at once; when it is back, everybody connects within a quarter second", () => {
    const scenario = new NetworkScenario(fiveBoards);
    scenario.network.sendRaft(0, 1, "under way");
    scenario.network.crashBroker("broker", losses);
    for (let endpoint = 0; endpoint <= 5; endpoint += 1) {
      expect(scenario.heard(endpoint)).toEqual(["down 0"]);
    }
    scenario.run(3);
    scenario.network.restartBroker("broker");
    scenario.run(0.25);
    for (let endpoint = 0; endpoint <= 5; endpoint += 1) {
      expect(scenario.heard(endpoint)).toEqual(["down 0", "up 0"]);
    }
    expect(scenario.network.counters).toMatchObject({ wills: 0, lost: { connectionEnded: 1 } });
  });

  it("when a board behind a cut cable could not know, it learns after the heal", () => {
    const scenario = new NetworkScenario(fiveBoards);
    scenario.network.cutCable("pi-1", "both");
    scenario.network.crashBroker("broker", losses);
    scenario.network.restartBroker("broker");
    scenario.run(0.3);
    expect(scenario.heard(0)).toEqual([]);
    scenario.network.healCable("pi-1");
    scenario.run(0.5);
    expect(scenario.heard(0)).toEqual(["down 0", "up 0"]);
    expect(scenario.network.counters.endpointTimeouts).toBe(0);
  });

  it("given stale replay, what waited at the broker is gone with its process", () => {
    const scenario = new NetworkScenario(fiveBoards, { staleReplay: true });
    scenario.network.cutCable("pi-1", "both");
    scenario.network.sendRaft(1, 0, "at the broker");
    scenario.run(3);
    scenario.network.crashBroker("broker", losses);
    scenario.network.restartBroker("broker");
    scenario.network.healCable("pi-1");
    scenario.run(2);
    expect(scenario.heard(0)).toEqual(["down 0", "up 0"]);
  });

  it("keeps retained statuses or forgets them, as told", () => {
    for (const losesRetained of [false, true]) {
      const scenario = new NetworkScenario(fiveBoards);
      scenario.network.publishStatus(0, "leader");
      scenario.run(0.1);
      scenario.network.processDied(0);
      scenario.network.crashBroker("broker", { losesSessions: true, losesRetained });
      scenario.told.length = 0;
      scenario.network.restartBroker("broker");
      scenario.run(0.5);
      expect(scenario.heard(1, "0 is")).toEqual(losesRetained ? [] : ["0 is offline since boot 1 via 0"]);
    }
  });

  it("given persistent sessions, keeps subscriptions that the endpoints then need not renew, unless it loses them", () => {
    for (const losesSessions of [false, true]) {
      const scenario = new NetworkScenario(fiveBoards, { persistentSessions: true });
      scenario.network.publishStatus(0, "leader");
      scenario.run(0.1);
      scenario.network.crashBroker("broker", { losesSessions, losesRetained: false });
      scenario.network.processDied(0);
      scenario.told.length = 0;
      scenario.network.restartBroker("broker");
      scenario.run(0.5);
      // A subscription is what brings the retained status: who need not subscribe is not told again.
      expect(scenario.heard(1, "0 is")).toEqual(losesSessions ? ["0 is leader since boot 1 via 0"] : []);
      scenario.network.sendRaft(2, 1, "x");
      scenario.run(0.1);
      expect(scenario.heard(1, "2>")).toEqual(["2>x"]);
    }
  });

  it("given a broker on each board, when a board loses its power, then its inbox is gone and back with it", () => {
    const scenario = new NetworkScenario(inboxPerBoard);
    scenario.network.powerCut(0);
    scenario.run(3);
    scenario.network.sendRaft(1, 0, "lost");
    scenario.network.sendRaft(1, 2, "x");
    scenario.run(0.1);
    expect(scenario.heard(2, ">")).toEqual(["1>x"]);
    expect(scenario.network.isConnected(1, 0)).toBe(false);
    scenario.start(0);
    scenario.run(1.5);
    scenario.network.sendRaft(1, 0, "y");
    scenario.run(0.1);
    expect(scenario.heard(0, ">")).toEqual(["1>y"]);
  });
});
