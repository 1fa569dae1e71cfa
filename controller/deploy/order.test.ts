import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BoardStatus } from "../../device/transport/envelope.ts";
import { hasCaughtUp, inOrder, isInAgreement, type Look, leaderOf, successorOf, whyNotWithout } from "./order.ts";

const five = ["a", "b", "c", "d", "e"];

/** A look at boards of which the first leads in term 3, and all follow. */
function lookAt(boards: readonly string[], changes: Readonly<Record<string, Partial<BoardStatus> | null>> = {}): Look {
  const entries = boards.flatMap((board, at): readonly (readonly [string, BoardStatus])[] => {
    const change = changes[board];
    if (change === null) return [];
    return [[board, { ...statusOf(board, at === 0, boards), ...change }]];
  });
  return new Map(entries);
}

function statusOf(member: string, leads: boolean, voters: readonly string[]): BoardStatus {
  const indexes = { commitIndex: 10, appliedIndex: 10, lastIndex: 10 };
  const role = leads ? "leader" : "follower";
  const rest = { learners: [], version: "1.0.0", carrier: true };
  return { member, role, term: 3, leader: voters[0] ?? null, voters, ...indexes, ...rest };
}

describe("given five boards that agree", () => {
  it("then followers are updated first, in the order of the bench, and the leader last", () => {
    expect(inOrder(five, lookAt(five))).toEqual(["b", "c", "d", "e", "a"]);
  });

  it("when one of them takes no part, then its turn comes first", () => {
    expect(inOrder(five, lookAt(five, { d: null }))).toEqual(["d", "b", "c", "e", "a"]);
  });

  it("when two are away, then no other may be taken down, but those may", () => {
    const look = lookAt(five, { d: null, e: { role: "candidate" } });
    expect(whyNotWithout("b", look)).toBe("Without b at least 3 of 5 boards must agree on a leader, and d, e do not.");
    expect([whyNotWithout("d", look), whyNotWithout("e", look)]).toEqual([null, null]);
  });

  it("when one follows a leader of the past, then it is not in agreement", () => {
    expect(isInAgreement("b", lookAt(five, { b: { term: 2 } }))).toBe(false);
    expect(isInAgreement("b", lookAt(five, { b: { leader: "c" } }))).toBe(false);
  });

  it("when a deposed leader still believes in itself, then the one of the later term counts", () => {
    const look = lookAt(five, { c: { role: "leader", term: 4, leader: "c" } });
    expect(leaderOf(look)?.board).toBe("c");
    expect(whyNotWithout("b", look)).toContain("a, d, e do not");
  });

  it("when the leader hands over, then to one that has the new program, and of those to the longest log", () => {
    const look = lookAt(five, { b: { lastIndex: 12 }, c: { lastIndex: 11 }, d: { role: "candidate", lastIndex: 20 } });
    expect(successorOf("a", look, new Set())).toBe("b");
    expect(successorOf("a", look, new Set(["c", "d", "e"]))).toBe("c");
  });

  it("when a board has not applied all yet, then it has not caught up", () => {
    const look = lookAt(five, { b: { appliedIndex: 9 } });
    expect([hasCaughtUp("b", look, 10), hasCaughtUp("c", look, 10)]).toEqual([false, true]);
  });
});

it("given a cluster of two, then neither may be taken down, and it says why", () => {
  expect(whyNotWithout("b", lookAt(["a", "b"]))).toContain("stands still while any of its boards is down");
});

it("given nobody who leads, then nobody may be taken down", () => {
  expect(whyNotWithout("a", lookAt(five, { a: { role: "candidate" } }))).toBe("Nobody leads.");
});

it("given a board that took a new identity, then it is known by its name", () => {
  const look = lookAt(["a", "b", "c"], { a: { voters: ["a", "b.00000001", "c"] }, b: { member: "b.00000001" } });
  expect([isInAgreement("b", look), whyNotWithout("c", look)]).toEqual([true, null]);
});

it("given any bench in any state, then whoever may be taken down leaves a majority that agrees", () => {
  const states = fc.array(fc.constantFrom<"well" | "away" | "candidate" | "old">("well", "away", "candidate", "old"), {
    minLength: 1,
    maxLength: 7,
  });
  fc.assert(
    fc.property(states, (rest) => {
      const boards = ["a", ...rest.map((_, at) => `b${at}`)];
      const changes = { away: null, candidate: { role: "candidate" }, old: { term: 2 }, well: {} } as const;
      const look = lookAt(boards, Object.fromEntries(rest.map((state, at) => [`b${at}`, changes[state]])));
      for (const board of boards) {
        const others = boards.filter(
          (each) => each !== board && (each === "a" || rest[boards.indexOf(each) - 1] === "well"),
        );
        expect(whyNotWithout(board, look) === null).toBe(others.length > boards.length / 2);
      }
    }),
  );
});
