import { describe, expect, it } from "vitest";
import { createRandom } from "../../device/random.ts";
import { type SimulatedBench, simulate } from "../harness.ts";

/** Adding to a number shows lost and doubled commands alike. */
const addOne = { op: "add", key: "sum", value: 1 } as const;

/** Demands what the sum must be, by what the clients were told: each unknown outcome may count or not. */
function expectTrueSum(bench: SimulatedBench): void {
  const ended = (type: string) => bench.history.filter((event) => event.op === "add" && event.type === type);
  const sumOf = (events: typeof bench.history) => events.reduce((sum, { value }) => sum + Number(value), 0);
  const sum = Number(bench.expectAnswer({ op: "read", key: "sum" }) ?? 0);
  const surely = sumOf(ended("ok"));
  expect(sum).toBeGreaterThanOrEqual(surely);
  expect(sum).toBeLessThanOrEqual(surely + sumOf(ended("info")));
}

describe("lab 3C, persistence", () => {
  it("given boards that crash together and in turns, when commands come in between, then each is there once and in order", () => {
    const bench = simulate({ boards: 3 });
    bench.expectAnswer(addOne);
    for (const board of bench.boards) bench.crash(board);
    for (const board of bench.boards) bench.restart(board);
    expect(bench.expectAnswer(addOne)).toBe(2);
    const first = bench.expectOneLeader();
    bench.powerCut(first.board);
    bench.restart(first.board);
    expect(bench.expectAnswer(addOne)).toBe(3);
    const second = bench.expectOneLeader();
    bench.powerCut(second.board);
    expect(bench.expectAnswer(addOne)).toBe(4);
    bench.restart(second.board);
    const [follower = ""] = bench.others(bench.expectOneLeader().board);
    bench.powerCut(follower);
    expect(bench.expectAnswer(addOne)).toBe(5);
    bench.restart(follower);
    expect(bench.expectAnswer(addOne)).toBe(6);
    bench.expectAgreement(bench.boards);
  });

  it("given five boards, when two are cut off, then three lose their power, then the two meet one of the three, then what was committed is there", () => {
    const bench = simulate({ boards: 5 });
    for (let round = 1; round <= 3; round += 1) {
      const { board: leader } = bench.expectReady();
      const [one = "", two = "", three = "", four = ""] = bench.others(leader);
      bench.expectAnswer(addOne);
      bench.cut(one, two);
      bench.expectAnswer(addOne);
      for (const board of [leader, three, four]) bench.powerCut(board);
      bench.heal(one, two);
      bench.restart(three);
      expect(bench.expectAnswer(addOne)).toBe(4 * round - 1);
      bench.restart(leader);
      bench.restart(four);
      expect(bench.expectAnswer(addOne)).toBe(4 * round);
    }
    bench.expectAgreement(bench.boards);
  });

  it("given a leader and a follower parted from a third, when they crash and only the leader is back, then what was committed is there", () => {
    const bench = simulate({ boards: 3 });
    const { board: leader } = bench.expectReady();
    const [follower = "", third = ""] = bench.others(leader);
    bench.cut(third);
    expect(bench.expectAnswer(addOne)).toBe(1);
    bench.powerCut(leader);
    bench.powerCut(follower);
    bench.heal(third);
    bench.restart(leader);
    expect(bench.expectAnswer(addOne)).toBe(2);
    bench.restart(follower);
    expect(bench.expectAnswer(addOne)).toBe(3);
    bench.expectAgreement(bench.boards);
  });

  it.each([
    ["a reliable network", 0],
    ["an unreliable network", 100_000],
  ])(
    "given leaders that lose their power right after a command on %s, when others lead, then no committed entry is replaced",
    (_, lossPpm) => {
      const bench = simulate({ boards: 5, clients: 40, seed: `figure 8 ${lossPpm}` });
      const random = createRandom(`figure 8 ${lossPpm}`);
      if (lossPpm > 0) bench.noise({ lossPpm, delayPpm: lossPpm, delayUsMax: 100_000 });
      for (let round = 1; round <= 30; round += 1) {
        const free = bench.world.clients.find(({ openSinceUs }) => openSinceUs === null);
        if (free !== undefined) bench.begin(addOne, { client: free.name });
        bench.advance(random.chance(1, 10) ? random.between(0, 500_000) : random.between(0, 13_000));
        const leader = bench.world.leader;
        if (leader !== null) bench.powerCut(leader.name);
        const off = bench.world.boards.filter(({ state }) => state === "off").map(({ name }) => name);
        if (off.length >= 3 || random.chance(1, 3)) for (const board of off.slice(0, 2)) bench.restart(board);
        if (leader === null) bench.advance("400ms");
      }
      bench.healAll();
      bench.rest();
      bench.expectAgreement(bench.boards);
      expectTrueSum(bench);
      expect(bench.world.invariants.elections).toBeGreaterThan(5);
    },
  );

  it("given a network that loses, doubles and delays, when many clients command, then all are answered, each once", () => {
    const bench = simulate({ boards: 5, clients: 20, timeout: "20s" });
    bench.noise({ lossPpm: 100_000, duplicationPpm: 100_000, delayPpm: 100_000, delayUsMax: 100_000 });
    const all = bench.world.clients.flatMap(() => [bench.begin(addOne)]);
    for (const pending of all) expect(bench.outcome(pending).type).toBe("ok");
    bench.quiet();
    expect(bench.expectAnswer({ op: "read", key: "sum" })).toBe(20);
    bench.expectAgreement();
  });

  it.each([
    ["a reliable network", 0],
    ["an unreliable network", 50_000],
  ])(
    "given boards that crash, are cut off and come back all the time on %s, when clients work, then nothing is lost or doubled",
    (_, lossPpm) => {
      const bench = simulate({ boards: 5, seed: `churn ${lossPpm}`, workload: { operationsPerSecond: 100 } });
      const random = createRandom(`churn ${lossPpm}`);
      if (lossPpm > 0) bench.noise({ lossPpm, delayPpm: lossPpm, delayUsMax: 50_000 });
      bench.work();
      for (let round = 1; round <= 20; round += 1) {
        const leader = bench.world.leader?.name ?? random.pick(bench.boards);
        if (random.chance(1, 5)) bench.cut(random.pick(bench.boards));
        if (random.chance(1, 3)) bench.crash(random.chance(1, 2) ? leader : random.pick(bench.boards));
        if (random.chance(1, 2)) bench.restart(random.pick(bench.boards));
        if (random.chance(1, 2)) bench.heal(random.pick(bench.boards));
        bench.advance("350ms");
      }
      bench.healAll();
      bench.rest();
      bench.expectAgreement(bench.boards);
      expect(bench.history.filter(({ type }) => type === "ok").length).toBeGreaterThan(100);
      expect(bench.world.invariants.elections).toBeGreaterThan(2);
    },
  );
});
