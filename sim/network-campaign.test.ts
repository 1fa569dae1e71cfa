import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Random } from "../device/random.ts";
import { createRandom } from "../device/random.ts";
import { parseBench } from "../hardware/bench.ts";
import { NetworkScenario } from "./network-scenario.ts";
import type { NetworkOptions } from "./network-types.ts";

const bench = parseBench(
  `switches: [left, right]
brokers: [{ name: broker-left, switch: left }, { name: broker-c, board: c }]
boards:
  - { name: a, switch: left, inbox: broker-left }
  - { name: b, switch: left, inbox: broker-left }
  - { name: c, switch: right, inbox: broker-c }
  - { name: d, switch: right, inbox: broker-c }
cables: [{ name: trunk, ends: ["left:8", "right:8"] }]`,
  "campaign.yaml",
);
const cables = bench.cables.map((cable) => cable.name);
const boards = [0, 1, 2, 3];

/** A network, and a campaign of random faults and messages on it. */
class Campaign {
  readonly scenario: NetworkScenario;
  private readonly random: Random;
  private readonly dead = new Set<number>();

  constructor(seed: number, options: Partial<NetworkOptions>) {
    this.scenario = new NetworkScenario(bench, options, seed);
    this.random = createRandom(`campaign ${seed}`);
  }

  run(steps: number): void {
    for (let step = 0; step < steps; step += 1) {
      for (let message = 0; message < 5; message += 1) this.say(String(step * 5 + message));
      this.breakSomething();
      this.scenario.run(this.random.between(1, 500_000) / 1_000_000);
    }
  }

  healAll(): void {
    this.scenario.network.setNoise(null);
    for (const repair of this.repairs()) repair();
  }

  private say(text: string): void {
    const { network, client } = this.scenario;
    const from = this.random.pick(boards);
    network.publishRequest(client, text);
    if (this.dead.has(from)) return;
    const to = this.random.pick(boards.filter((each) => each !== from));
    network.sendRaft(from, to, text);
    if (this.random.chance(1, 5)) network.publishStatus(from, text);
    if (this.random.chance(1, 5)) network.subscribeRequests(from, this.random.chance(1, 2));
  }

  private breakSomething(): void {
    const { network } = this.scenario;
    const board = this.random.pick(boards);
    const cable = this.random.pick(cables);
    const broker = this.random.pick(["broker-left", "broker-c"]);
    const losses = { losesSessions: this.random.chance(1, 2), losesRetained: this.random.chance(1, 2) };
    const faults = [
      () => network.cutCable(cable, this.random.pick(["both", "fromFirstEnd", "fromSecondEnd"] as const)),
      () => network.switchOff("right"),
      () => network.crashBroker(broker, losses),
      () => network.setPaused(board, true),
      () => this.kill(board, () => network.processDied(board)),
      () => this.kill(board, () => network.powerCut(board)),
      () => network.setWithheld("a", "b", true),
      () => network.setNoise({ lossPpm: 10_000, duplicationPpm: 10_000, delayPpm: 10_000, delayUsMax: 50_000 }),
    ];
    this.random.pick([...faults, ...this.repairs(), ...this.repairs()])();
  }

  /** Each repairs everything of one kind, so that most of the bench works most of the time. */
  private repairs(): (() => void)[] {
    const { network } = this.scenario;
    return [
      () => network.setWithheld("a", "b", false),
      () => {
        for (const cable of cables) network.healCable(cable);
      },
      () => {
        for (const name of ["left", "right"]) network.switchOn(name);
      },
      () => {
        for (const board of boards) network.setPaused(board, false);
      },
      () => {
        for (const board of this.dead) this.scenario.start(board);
        this.dead.clear();
      },
      () => {
        for (const broker of ["broker-left", "broker-c"]) network.restartBroker(broker);
      },
    ];
  }

  private kill(board: number, how: () => void): void {
    how();
    this.dead.add(board);
  }
}

const options = fc.record({ persistentSessions: fc.boolean(), staleReplay: fc.boolean() });

describe("a campaign of random faults", () => {
  it("goes the same way again from the same seed, event for event, and another way from another seed", () => {
    const once = (seed: number) => {
      const { scenario, ...campaign } = runCampaign(seed);
      return { ...campaign, told: scenario.told, counters: scenario.network.counters };
    };
    const first = once(1);
    expect(once(1)).toEqual(first);
    expect(once(2).fingerprint).not.toBe(first.fingerprint);
  });

  it("exercises every habit of the network", () => {
    const { counters } = runCampaign(3).scenario.network;
    const { lost, ...others } = counters;
    for (const [name, count] of Object.entries({ ...others, ...lost })) expect([name, count > 0]).toEqual([name, true]);
  });

  it("when all is healed, ends with everybody connected, everybody heard, and no event left", () => {
    fc.assert(
      fc.property(fc.nat(), options, (seed, chosen) => {
        const campaign = new Campaign(seed, chosen);
        const { scenario } = campaign;
        const { network, client } = scenario;
        campaign.run(25);
        campaign.healAll();
        scenario.run(3);
        expect(scenario.queue.nextUs).toBe(Number.POSITIVE_INFINITY);

        scenario.told.length = 0;
        for (const from of boards) {
          network.publishStatus(from, "done");
          network.subscribeRequests(from, true);
          for (const to of boards) if (to !== from) network.sendRaft(from, to, "done");
        }
        scenario.run(0.01);
        network.publishRequest(client, "done");
        scenario.run(0.01);
        for (const board of boards) {
          expect(scenario.heard(board, ">done").sort()).toEqual(
            boards.filter((each) => each !== board).map((each) => `${each}>done`),
          );
          expect(scenario.heard(board, "?done").sort()).toEqual([`${client}?done via 0`, `${client}?done via 1`]);
        }
        expect(scenario.heard(client, "is done")).toHaveLength(boards.length * 2);
      }),
      { numRuns: 150 },
    );
  });

  it("without noise and stale replay, never delivers a message twice, or before an earlier one", () => {
    fc.assert(
      fc.property(fc.nat(), fc.boolean(), (seed, persistentSessions) => {
        const campaign = new Campaign(seed, { persistentSessions });
        campaign.scenario.network.setNoise = () => {};
        campaign.run(25);
        for (const to of boards) {
          for (const from of boards) {
            const numbers = campaign.scenario.heard(to, `${from}>`).map((each) => Number(each.slice(2)));
            expect(numbers).toEqual([...new Set(numbers)].sort((one, other) => one - other));
          }
        }
      }),
      { numRuns: 100 },
    );
  });
});

function runCampaign(seed: number) {
  const campaign = new Campaign(seed, { staleReplay: true, bufferBytesMax: 40 });
  campaign.run(400);
  return { scenario: campaign.scenario, fingerprint: campaign.scenario.fingerprint.digest() };
}
