import { describe, expect, it } from "vitest";
import { createRandom } from "../../device/random.ts";
import { simulate } from "../harness.ts";

describe("lab 3A, elections", () => {
  it("given three boards, when nothing fails, then they agree on a term and a leader, and stay with them", () => {
    const bench = simulate({ boards: 3 });
    const leader = bench.expectReady();
    expect(leader.term).toBeGreaterThan(0);
    bench.advance("60s");
    expect(bench.expectOneLeader()).toEqual(leader);
    expect(bench.boards.map((board) => bench.status(board)?.term)).toEqual([leader.term, leader.term, leader.term]);
  });

  it("given a leader that goes and comes, when there is a majority, then one leads, and otherwise nobody", () => {
    const bench = simulate({ boards: 3 });
    const first = bench.expectOneLeader();
    bench.cut(first.board);
    const second = bench.expectOneLeader({ among: bench.others(first.board) });
    bench.heal(first.board);
    bench.advance("2s");
    expect(bench.expectOneLeader()).toEqual(second);

    const [third = ""] = bench.others(first.board, second.board);
    bench.cut(second.board, third);
    bench.expectNoLeader();
    bench.heal(third);
    const fourth = bench.expectOneLeader({ among: bench.others(second.board) });
    bench.heal(second.board);
    bench.advance("2s");
    expect(bench.expectOneLeader()).toEqual(fourth);
  });

  it("given seven boards, when any three are cut off time and again, then the other four have a leader", () => {
    const bench = simulate({ boards: 7, wiring: "direct" });
    const random = createRandom(3);
    bench.expectOneLeader();
    for (let round = 1; round <= 10; round += 1) {
      const apart = new Set<string>();
      while (apart.size < 3) apart.add(random.pick(bench.boards));
      const together = bench.others(...apart);
      bench.partition(together, ...[...apart].map((board) => [board]));
      bench.expectOneLeader({ among: together });
      bench.healAll();
      bench.expectOneLeader();
    }
  });
});
