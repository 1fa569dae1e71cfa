import { describe, expect, it } from "vitest";
import { type SimulatedBench, simulate } from "../harness.ts";

const addOne = { op: "add", key: "sum", value: 1 } as const;

/** Demands that every board has applied the same and counts so many. */
function expectSum(bench: SimulatedBench, sum: number): void {
  bench.expectAgreement(bench.boards);
  for (const board of bench.boards) expect(bench.peek(board, "sum")).toBe(sum);
}

describe("lab 4A, a replicated state machine", () => {
  it("given commands one by one, when each is answered, then the answer is the state after it, and all boards come to it", () => {
    const bench = simulate({ boards: 3 });
    for (let sum = 1; sum <= 10; sum += 1) expect(bench.expectAnswer(addOne)).toBe(sum);
    expectSum(bench, 10);
  });

  it("given commands at once, when all are answered, then each has an answer of its own", () => {
    const bench = simulate({ boards: 3, clients: 50 });
    const results = bench.world.clients
      .map(() => bench.begin(addOne))
      .map((pending) => bench.outcome(pending))
      .map((outcome) => (outcome.type === "ok" ? Number(outcome.result) : 0));
    expect(results.toSorted((one, other) => one - other)).toEqual(results.map((_, place) => place + 1));
    expectSum(bench, 50);
  });

  it("given a leader that fails, when commands go on under another, then it has their effects when it is back", () => {
    const bench = simulate({ boards: 3 });
    expect(bench.expectAnswer(addOne)).toBe(1);
    const { board } = bench.expectReady();
    bench.cut(board);
    expect(bench.expectAnswer(addOne)).toBe(2);
    bench.heal(board);
    expect(bench.expectAnswer(addOne)).toBe(3);
    expectSum(bench, 3);
  });

  it("given commands that only a cut-off leader took, when it steps down, then their clients hear it and ask its successor, once each", () => {
    const bench = simulate({ boards: 5, wiring: "direct", clients: 10 });
    const { board: leader } = bench.expectReady();
    for (const { name: client } of bench.world.clients) bench.expectAnswer(addOne, { client });
    bench.isolate(leader);
    const stranded = bench.world.clients.map(() => bench.begin(addOne));
    bench.advance("50ms");
    expect(bench.log(leader).filter(({ committed }) => !committed)).toHaveLength(10);
    for (const pending of stranded) expect(bench.outcome(pending).type).toBe("ok");
    expect(bench.status(leader)?.role).not.toBe("leader");
    bench.healAll();
    expectSum(bench, 20);
  });

  it("given a log of commands, when all boards restart, then they play it again and come to the same state", () => {
    const bench = simulate({ boards: 3 });
    for (let sum = 1; sum <= 10; sum += 1) bench.expectAnswer(addOne);
    for (const board of bench.boards) bench.crash(board);
    for (const board of bench.boards) bench.restart(board);
    expectSum(bench, 10);
    expect(bench.expectAnswer(addOne)).toBe(11);
    expectSum(bench, 11);
  });

  it("given clients that wait, when all boards are gone, then each client is told that nobody knows, in time", () => {
    const bench = simulate({ boards: 3, clients: 10, timeout: "2s" });
    bench.expectReady();
    for (const { name: client } of bench.world.clients) bench.expectAnswer(addOne, { client });
    const waiting = bench.world.clients.map(() => bench.begin(addOne));
    bench.advance(100);
    for (const board of bench.boards) bench.powerCut(board);
    for (const pending of waiting) expect(bench.outcome(pending, { within: "2s" }).type).toBe("info");
  });

  it("given boards that restart while clients submit, when all is over, then the state counts every command once", () => {
    const bench = simulate({ boards: 3, clients: 10, timeout: "20s" });
    bench.expectReady();
    let sum = 0;
    for (let round = 1; round <= 5; round += 1) {
      const begun = bench.world.clients.map(() => bench.begin(addOne));
      bench.advance("1ms");
      for (const board of bench.boards) bench.powerCut(board);
      for (const board of bench.boards) bench.restart(board);
      for (const pending of begun) expect(bench.outcome(pending).type).toBe("ok");
      sum += begun.length;
    }
    expectSum(bench, sum);
  });
});
