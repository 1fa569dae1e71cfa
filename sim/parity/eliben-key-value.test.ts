import { describe, expect, it } from "vitest";
import { type SimulatedBench, simulate } from "../harness.ts";

const put = (key: string, value: string | number) => ({ op: "write", key, value }) as const;
const get = (key: string) => ({ op: "read", key }) as const;
const append = (value: string) => ({ op: "append", key: "text", value }) as const;

/** Boards that serve. */
function serving(boards = 3): SimulatedBench {
  const bench = simulate({ boards, clients: 10 });
  bench.expectReady();
  return bench;
}

describe("a key-value store, as public suites test it", () => {
  it("given a value that one client put, when it or another gets it, then it is there; an absent key gives null", () => {
    const bench = serving();
    bench.expectAnswer(put("llave", "cosa"), { client: "c1" });
    expect(bench.expectAnswer(get("llave"), { client: "c1" })).toBe("cosa");
    expect(bench.expectAnswer(get("llave"), { client: "c2" })).toBe("cosa");
    expect(bench.expectAnswer(get("nada"), { client: "c2" })).toBeNull();
    bench.expectAnswer(put("llave", "otra"), { client: "c2" });
    expect(bench.expectAnswer(get("llave"), { client: "c1" })).toBe("otra");
  });

  it("given a value, when it is compared and swapped, then only the right expectation swaps it", () => {
    const bench = serving();
    bench.expectAnswer(put("x", "one"));
    expect(bench.expectAnswer({ op: "cas", key: "x", value: ["two", "three"] })).toBe(false);
    expect(bench.expectAnswer(get("x"))).toBe("one");
    expect(bench.expectAnswer({ op: "cas", key: "x", value: ["one", "three"] })).toBe(true);
    expect(bench.expectAnswer(get("x"))).toBe("three");
  });

  it("given clients that compare and swap at once, when all expect the same, then one of them has its way", () => {
    const bench = serving();
    bench.expectAnswer(put("x", "start"));
    const all = [1, 2, 3, 4, 5, 6].map((value) => bench.begin({ op: "cas", key: "x", value: ["start", value] }));
    const swapped = all.filter((pending) => {
      const outcome = bench.outcome(pending);
      return outcome.type === "ok" && outcome.result === true;
    });
    expect(swapped).toHaveLength(1);
    expect(bench.expectAnswer(get("x"))).toBe(Object(swapped[0]?.operation).value[1]);
  });

  it("given boards that were just switched on, when a client asks at once, then it is answered when there is a leader", () => {
    const bench = simulate({ boards: 3 });
    const pending = bench.begin(put("early", 1));
    expect(bench.world.leader).toBeNull();
    expect(bench.outcome(pending).type).toBe("ok");
  });

  it.each([3, 5])(
    "given %i boards and clients at work at once, when they have put, then each gets what was put",
    (boards) => {
      const bench = serving(boards);
      const keys = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
      const puts = keys.map((key) => bench.begin(put(key, `value of ${key}`)));
      for (const pending of puts) expect(bench.outcome(pending).type).toBe("ok");
      const gets = keys.map((key) => bench.begin(get(key)));
      expect(gets.map((pending) => bench.outcome(pending))).toEqual(
        keys.map((key) => ({ type: "ok", result: `value of ${key}` })),
      );
    },
  );

  it("given values that were put, when the leader is cut off, then its successor has them, and so has it when it is back", () => {
    const bench = serving(5);
    const { board } = bench.expectOneLeader();
    for (const key of ["a", "b", "c"]) bench.expectAnswer(put(key, key));
    bench.cut(board);
    for (const key of ["a", "b", "c"]) expect(bench.expectAnswer(get(key))).toBe(key);
    bench.expectAnswer(put("a", "new"));
    bench.heal(board);
    bench.expectAgreement(bench.boards);
    expect(bench.peek(board, "a")).toBe("new");
  });

  it("given three boards, when a follower and then the leader are cut off, then clients wait until one is back", () => {
    const bench = serving();
    const { board: leader } = bench.expectOneLeader();
    const [follower = ""] = bench.others(leader);
    bench.expectAnswer(put("x", 1));
    bench.cut(follower);
    expect(bench.expectAnswer(get("x"))).toBe(1);
    bench.cut(leader);
    const pending = bench.begin(put("x", 2));
    bench.advance("2s");
    expect(pending.outcome).toBeNull();
    bench.heal(follower);
    expect(bench.outcome(pending).type).toBe("ok");
    expect(bench.expectAnswer(get("x"))).toBe(2);
  });

  it("given a follower that crashed, when clients put and get, then they do not notice", () => {
    const bench = serving();
    const [follower = ""] = bench.others(bench.expectOneLeader().board);
    bench.expectAnswer(put("x", 1));
    bench.crash(follower);
    expect(bench.expectAnswer(get("x"), { within: "100ms" })).toBe(1);
    bench.expectAnswer(put("x", 2), { within: "100ms" });
  });

  it("given a leader that crashed, when clients put and get, then its successor answers, and it catches up when it is back", () => {
    const bench = serving();
    const { board } = bench.expectOneLeader();
    bench.expectAnswer(put("x", 1));
    bench.crash(board);
    expect(bench.expectAnswer(get("x"))).toBe(1);
    bench.expectAnswer(put("x", 2));
    bench.restart(board);
    bench.expectAgreement(bench.boards);
    expect(bench.peek(board, "x")).toBe(2);
  });
});

describe("appends that clients repeat, as public suites test them", () => {
  it("given appends by one client, then they stand one after the other; to an absent key the first is the whole", () => {
    const bench = serving();
    for (const value of ["foo", "bar", "baz"]) bench.expectAnswer(append(value), { client: "c1" });
    expect(bench.expectAnswer(get("text"))).toBe("foobarbaz");
  });

  it("given appends by different clients at once, then each stands there once", () => {
    const bench = serving();
    const all = ["a", "b", "c", "d", "e", "f"].map((value) => bench.begin(append(value)));
    for (const pending of all) expect(bench.outcome(pending).type).toBe("ok");
    expect([...String(bench.expectAnswer(get("text")))].toSorted().join("")).toBe("abcdef");
  });

  it("given a leader that crashed between them, then appends under both leaders stand in their order", () => {
    const bench = serving();
    bench.expectAnswer(append("foo"));
    bench.crash(bench.expectOneLeader().board);
    bench.expectAnswer(append("bar"));
    expect(bench.expectAnswer(get("text"))).toBe("foobar");
  });

  it("given an answer that got lost, when the client repeats its append, then it is told the same, and it stands there once", () => {
    const bench = serving();
    bench.expectAnswer(append("foo"), { client: "c1" });
    const { board } = bench.expectOneLeader();
    const pending = bench.begin(append("bar"), { client: "c1" });
    bench.world.runUntilTrue(() => bench.peek(board, "text") === "foobar", 1_000_000);
    bench.brokerDown("broker");
    expect(pending.outcome).toBeNull();
    bench.advance("1s");
    bench.brokerUp("broker");
    expect(bench.outcome(pending)).toEqual({ type: "ok", result: null });
    expect(bench.expectAnswer(get("text"))).toBe("foobar");
    bench.expectCommitted();
    const copies = bench.committedCommands(board).filter((command) => Object(command).value === "bar");
    expect(copies.length).toBeGreaterThan(1);
  });

  it("given a leader that crashes after it has applied and before its answer arrives, when the client repeats its append, then it stands there once", () => {
    const bench = serving();
    bench.expectAnswer(append("foo"), { client: "c1" });
    const { board } = bench.expectOneLeader();
    const pending = bench.begin(append("bar"), { client: "c1" });
    bench.world.runUntilTrue(() => bench.peek(board, "text") === "foobar", 1_000_000);
    bench.powerCut(board);
    bench.cut("broker");
    expect(pending.outcome).toBeNull();
    bench.advance("1s");
    bench.heal("broker");
    expect(bench.outcome(pending).type).toBe("ok");
    expect(bench.expectAnswer(get("text"))).toBe("foobar");
  });
});
