import { describe, expect, it } from "vitest";
import { simulate } from "../harness.ts";

describe("elections, as public suites test them", () => {
  it("given three boards, when they start, then one of them leads and the others follow it in its term", () => {
    const bench = simulate({ boards: 3 });
    const { board, term } = bench.expectOneLeader();
    bench.advance("1s");
    for (const other of bench.others(board)) {
      expect(bench.status(other)).toMatchObject({ role: "follower", leader: board, term });
    }
  });

  it("given a leader, when its cable is cut, then another leads in a later term", () => {
    const bench = simulate({ boards: 3 });
    const first = bench.expectOneLeader();
    bench.cut(first.board);
    const second = bench.expectOneLeader({ among: bench.others(first.board) });
    expect(second.term).toBeGreaterThan(first.term);
  });

  it("given three boards, when the leader and one more are cut off, then nobody leads until one of them is back", () => {
    const bench = simulate({ boards: 3 });
    const { board } = bench.expectOneLeader();
    const [other = ""] = bench.others(board);
    bench.cut(board, other);
    bench.expectNoLeader();
    bench.heal(other);
    bench.expectOneLeader({ among: bench.others(board) });
  });

  it("given three boards, when all cables are cut, then nobody leads, and when they are whole again, then one does", () => {
    const bench = simulate({ boards: 3 });
    bench.expectOneLeader();
    bench.cut(...bench.boards);
    bench.expectNoLeader();
    bench.heal(...bench.boards);
    bench.expectOneLeader();
  });

  it.each([3, 5])(
    "given %i boards and a leader that was replaced, when it is back, then its successor leads on",
    (boards) => {
      const bench = simulate({ boards });
      const first = bench.expectOneLeader();
      bench.cut(first.board);
      const second = bench.expectOneLeader({ among: bench.others(first.board) });
      bench.heal(first.board);
      bench.advance("3s");
      expect(bench.expectOneLeader()).toEqual(second);
      expect(bench.status(first.board)).toMatchObject({ role: "follower", leader: second.board, term: second.term });
    },
  );

  it("given a follower that was cut off for long, when it is back, then the leader leads on in the same term: it had only asked", () => {
    const bench = simulate({ boards: 3 });
    const leader = bench.expectOneLeader();
    const [follower = ""] = bench.others(leader.board);
    bench.cut(follower);
    bench.advance("5s");
    bench.heal(follower);
    bench.advance("3s");
    expect(bench.expectOneLeader()).toEqual(leader);
    expect(bench.status(follower)).toMatchObject({ leader: leader.board, term: leader.term });
  });

  it("given three boards, when leader and another are cut off again and again, then there is none and one in turns", () => {
    const bench = simulate({ boards: 3 });
    for (let round = 1; round <= 5; round += 1) {
      const { board } = bench.expectOneLeader();
      const [other = ""] = bench.others(board);
      bench.cut(board, other);
      bench.expectNoLeader({ lasting: "1s" });
      bench.heal(board, other);
    }
    bench.expectOneLeader();
  });
});
