import { describe, expect, it } from "vitest";
import { createRandom, type Random } from "../../device/random.ts";
import { type SimulatedBench, simulate } from "../../sim/harness.ts";
import { checkHistory } from "./index.ts";

/** What happens while clients work. */
type Trouble = {
  readonly clients: number;
  /** Messages get lost, doubled and delayed. */
  readonly unreliable?: boolean;
  /** The bench falls into two parts, now these, now those. */
  readonly partitions?: boolean;
  /** All boards lose their power together now and then. */
  readonly crashes?: boolean;
  /** Logs are kept short. */
  readonly snapshots?: boolean;
};

describe("lab 4B, a key-value service, judged by its history", () => {
  it.each<[string, Trouble]>([
    ["one client", { clients: 1 }],
    ["many clients", { clients: 10 }],
    ["many clients on an unreliable network", { clients: 10, unreliable: true }],
    ["one client and partitions", { clients: 1, partitions: true }],
    ["many clients and partitions", { clients: 10, partitions: true }],
    ["one client and power cuts", { clients: 1, crashes: true }],
    ["many clients and power cuts", { clients: 10, crashes: true }],
    ["many clients and power cuts on an unreliable network", { clients: 10, crashes: true, unreliable: true }],
    ["many clients, power cuts and partitions", { clients: 10, crashes: true, partitions: true }],
    [
      "many clients, power cuts and partitions on an unreliable network",
      { clients: 15, crashes: true, partitions: true, unreliable: true },
    ],
  ])("given %s, when they have worked, then the history is linearizable and all boards agree", (_, trouble) => {
    expectLinearizable(trouble);
  });

  it("given a leader that is well, when one client commands on and on, then a command takes less than a third of a heartbeat", () => {
    const bench = simulate({ boards: 3 });
    bench.expectReady();
    bench.expectAnswer({ op: "append", key: "text", value: "x" }, { client: "c1" });
    const beganUs = bench.nowUs;
    for (let count = 1; count <= 100; count += 1) {
      bench.expectAnswer({ op: "append", key: "text", value: "x" }, { client: "c1" });
    }
    expect((bench.nowUs - beganUs) / 100).toBeLessThan(50_000 / 3);
  });

  it("given a leader in the minority, when clients reach only that part, then nothing is done there until it is whole again", () => {
    const bench = simulate({ boards: 5, wiring: "direct", timeout: "20s" });
    const { board: leader } = bench.expectReady();
    for (const client of ["c1", "c2"]) bench.expectAnswer({ op: "write", key: "x", value: 13 }, { client });
    const [friend = "", ...majority] = bench.others(leader);
    bench.partition([leader, friend], majority);
    bench.expectOneLeader({ among: majority });
    bench.expectAnswer({ op: "write", key: "x", value: 14 }, { client: "c1", within: "3s" });

    const desks = majority.map((board) => `desk-${board.slice("pi-".length)}`);
    bench.cut(...desks);
    const write = bench.begin({ op: "write", key: "x", value: 15 }, { client: "c1" });
    const read = bench.begin({ op: "read", key: "x" }, { client: "c2" });
    bench.advance("3s");
    expect([write.outcome, read.outcome]).toEqual([null, null]);
    bench.heal(leader, friend);
    expect(bench.outcome(write).type).toBe("ok");
    expect(bench.outcome(read).type).toBe("ok");
    bench.healAll();
    expect(bench.expectAnswer({ op: "read", key: "x" })).toBe(15);
    expect(checkHistory(bench.history).verdict).toBe("valid");
  });
});

describe("lab 4C, the service with snapshots, judged by its history", () => {
  it.each<[string, Trouble]>([
    ["power cuts", { clients: 1, crashes: true }],
    ["many clients and power cuts", { clients: 15, crashes: true }],
    ["an unreliable network", { clients: 5, unreliable: true }],
    ["power cuts on an unreliable network", { clients: 5, unreliable: true, crashes: true }],
    [
      "power cuts and partitions on an unreliable network",
      { clients: 15, unreliable: true, crashes: true, partitions: true },
    ],
  ])(
    "given short logs and %s, when clients have worked, then the history is linearizable and all boards agree",
    (_, trouble) => {
      expectLinearizable({ ...trouble, snapshots: true });
    },
  );

  it("given commands on few keys, when many were carried out, then what is on disk is little more than the state", () => {
    const bench = simulate({ boards: 3, replica: { ...shortLogs, storage: { segmentBytesMax: 2_048 } } });
    bench.expectReady();
    for (let count = 1; count <= 200; count += 1) {
      bench.expectAnswer({ op: "write", key: "x", value: `${count}` });
      bench.expectAnswer({ op: "read", key: "x" });
    }
    bench.advance("1s");
    for (const { disk, name } of bench.world.boards) {
      const files = [...disk.durableContent().values()];
      expect(
        files.reduce((sum, content) => sum + content.length, 0),
        name,
      ).toBeLessThan(16_384);
    }
    expect(checkHistory(bench.history).verdict).toBe("valid");
  });
});

const shortLogs = { snapshotAfterEntries: 20, trailingEntries: 5 };

function expectLinearizable(trouble: Trouble): void {
  const seed = JSON.stringify(trouble);
  const bench = simulate({
    boards: 5,
    wiring: "direct",
    seed,
    clients: trouble.clients,
    workload: { operationsPerSecond: 100 },
    ...(trouble.snapshots === true ? { replica: shortLogs } : {}),
  });
  bench.expectReady();
  if (trouble.unreliable === true) {
    bench.noise({ lossPpm: 50_000, duplicationPpm: 50_000, delayPpm: 50_000, delayUsMax: 100_000 });
  }
  bench.work();
  const random = createRandom(seed);
  for (let round = 1; round <= 6; round += 1) {
    if (trouble.partitions === true) part(bench, random);
    bench.advance("700ms");
    if (trouble.crashes === true && round % 2 === 0) restartAll(bench);
  }
  bench.healAll();
  bench.advance("2s");
  bench.rest();
  bench.expectAgreement(bench.boards);
  const verdict = checkHistory(bench.history);
  expect(verdict.verdict, verdict.reason).toBe("valid");
  expect(verdict.statistics.ok).toBeGreaterThan(50);
}

/** Puts each board into one of two parts. */
function part(bench: SimulatedBench, random: Random): void {
  const here = bench.boards.filter(() => random.chance(1, 2));
  bench.heal(...bench.boards);
  if (here.length > 0 && here.length < bench.boards.length) bench.partition(here, bench.others(...here));
}

function restartAll(bench: SimulatedBench): void {
  for (const board of bench.boards) bench.powerCut(board);
  bench.advance("100ms");
  for (const board of bench.boards) bench.restart(board);
}
