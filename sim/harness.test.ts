import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Pending, ScenarioFailure, simulate } from "./harness.ts";
import { mutantNamed } from "./mutants.ts";

describe("scenarios in verbs", () => {
  it("the example at the head of the file does what its comments say", () => {
    const source = readFileSync(new URL("harness.ts", import.meta.url), "utf8");
    const example = /```ts\n(.*?)```/s.exec(source)?.[1]?.replaceAll(/^ \* ?/gm, "") ?? "";
    const code = example.replace(/^import .*$/m, "");
    const run = new Function("simulate", `${code}; return { first, second, value };`);
    const { first, second, value } = run(simulate);
    expect(value).toBe(1);
    expect(second.board).not.toBe(first.board);
    expect(second.term).toBeGreaterThan(first.term);
  });

  it("given the same calls with the same seed, then the runs are the same to the byte, and with another seed they are not", () => {
    const play = (seed: number) => {
      const bench = simulate({ seed });
      bench.work();
      bench.advance("2s");
      bench.crash(bench.expectOneLeader().board);
      bench.advance("2s");
      return [bench.fingerprint, JSON.stringify(bench.history)];
    };
    expect(play(1)).toEqual(play(1));
    expect(play(1)).not.toEqual(play(2));
  });

  it("given the text of a bench, then that is the bench", () => {
    const bench = simulate({ bench: "name: small\nboards: [left, middle, right]" });
    expect(bench.boards).toEqual(["left", "middle", "right"]);
    expect(bench.others("middle")).toEqual(["left", "right"]);
    bench.expectOneLeader();
  });

  it("given direct wiring, when the bench is parted, then each group still talks among itself, and clients reach both", () => {
    const bench = simulate({ wiring: "direct" });
    const { board: leader } = bench.expectOneLeader();
    const [friend = "", ...majority] = bench.others(leader);
    bench.partition([leader, friend], majority);
    const next = bench.expectOneLeader({ among: majority });
    bench.expectAnswer({ op: "write", key: "x", value: 1 });
    bench.expectCommitted(majority);
    expect(bench.status(leader)?.commitIndex).toBeLessThan(bench.status(next.board)?.commitIndex ?? 0);
    bench.healAll();
    bench.expectAgreement(bench.boards);
  });

  it("given one direction lost, when it is the leader's words, then another leads; when it is one link's, then nobody minds", () => {
    const bench = simulate({ wiring: "direct" });
    const first = bench.expectReady();
    const [other = ""] = bench.others(first.board);
    bench.oneWay({ from: first.board, to: other });
    bench.advance("3s");
    expect(bench.expectOneLeader()).toEqual(first);
    bench.oneWay({ from: first.board });
    expect(bench.expectOneLeader({ among: bench.others(first.board) }).term).toBeGreaterThan(first.term);
  });
});

describe("clients", () => {
  it("given operations begun at the same time, when time passes, then each has an outcome of its own", () => {
    const bench = simulate();
    bench.expectOneLeader();
    const begun: Pending[] = [1, 2, 3].map(() => bench.begin({ op: "add", key: "sum", value: 1 }));
    expect(new Set(begun.map(({ client }) => client)).size).toBe(3);
    expect(begun.map(({ outcome }) => outcome)).toEqual([null, null, null]);
    const results = begun.map((pending) => bench.outcome(pending));
    expect(results.map((outcome) => (outcome.type === "ok" ? outcome.result : outcome))).toEqual(
      expect.arrayContaining([1, 2, 3]),
    );
  });

  it("given nobody who leads, when a client waits in vain, then it says what is known", () => {
    const bench = simulate({ timeout: "2s" });
    bench.expectAnswer({ op: "write", key: "x", value: 1 }, { client: "c1" });
    bench.cut(...bench.boards);
    expect(bench.submit({ op: "write", key: "x", value: 2 }, { client: "c1" }).type).toBe("info");
    expect(bench.submit({ op: "read", key: "x" }, { client: "c1" }).type).toBe("fail");
    expect(() => bench.expectAnswer({ op: "read", key: "x" })).toThrow(/c1's {"op":"read","key":"x"} ended as fail/);
  });

  it("given clients at work, when they rest, then nothing is open and the history is whole", () => {
    const bench = simulate();
    bench.work();
    bench.advance("2s");
    bench.rest();
    const invoked = bench.history.filter(({ type }) => type === "invoke").length;
    expect(invoked).toBeGreaterThan(20);
    expect(bench.history.length).toBe(2 * invoked);
  });
});

describe("expectations that do not come true", () => {
  it("given a majority without power, when a leader is expected, then the failure says what every board is doing", () => {
    const bench = simulate({ boards: 3, seed: 1 });
    const { board } = bench.expectOneLeader();
    for (const other of bench.others(board)) bench.powerCut(other);
    bench.expectNoLeader();
    expect(() => bench.expectOneLeader({ within: "2s" })).toThrow(ScenarioFailure);
    expect(() => bench.expectOneLeader({ within: "2s" })).toThrow(
      /^Not exactly one of the boards leads within 2s: .*is off.*\(seed 1, at \d+\.\d+ s\)$/,
    );
  });

  it("given a rule that is broken, when time passes, then the verb throws its name, the seed and the moment", () => {
    const laws = mutantNamed("takes-half-for-a-majority")?.laws;
    if (laws === undefined) throw new Error("There is no such mutant.");
    const bench = simulate({ boards: 4, wiring: "direct", seed: 7, laws });
    bench.partition(["pi-1", "pi-2"], ["pi-3", "pi-4"]);
    bench.work();
    expect(() => bench.advance("20s")).toThrow(/^Broken by pi-\d: .+ \(seed 7, at \d+\.\d+ s\)$/);
    expect(() => bench.expectLawful()).toThrow(ScenarioFailure);
  });

  it("given names that the bench does not have, then the error names those that it has", () => {
    const bench = simulate({ boards: 3 });
    expect(() => bench.cut("pi-9")).toThrow(/no cable or board pi-9; there are pi-1, pi-2, pi-3, broker/);
    expect(() => bench.crash("pi-9")).toThrow(/no board pi-9/);
    expect(() => bench.oneWay({ from: "pi-1", to: "pi-2" })).toThrow(/No cable joins pi-1 and pi-2/);
    expect(() => bench.advance("5 seconds")).toThrow(/write it like 300ms, 5s or 2m/);
    expect(() => bench.begin({ op: "read", key: "x" }, { client: "c9" })).toThrow(/there are c1, c2, c3, c4, c5/);
  });
});

describe("members", () => {
  it("given a board that leaves, when it is added again, then it is a voter again and has the log", () => {
    const bench = simulate();
    const { board } = bench.expectOneLeader();
    bench.removeMember(board);
    bench.expectMembers(bench.others(board));
    bench.expectAnswer({ op: "write", key: "x", value: 1 });
    bench.addMember(board);
    bench.expectMembers(bench.boards);
    bench.expectCommitted();
    expect(bench.peek(board, "x")).toBe(1);
  });
});
