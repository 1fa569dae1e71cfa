import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { simpleConfiguration } from "./configuration.ts";
import { diskOf, electA } from "./testing/absent-boards.ts";
import { Cluster } from "./testing/cluster.ts";
import type { Append, Term } from "./types.ts";

/** Lets a, with one log, lead b, with another, and counts the questions until b's log is a's. */
function bringIntoLine(
  leader: readonly Term[],
  follower: readonly Term[],
): { readonly cluster: Cluster; readonly asked: readonly number[] } {
  const term = Math.max(0, ...leader, ...follower);
  const cluster = new Cluster({
    initial: simpleConfiguration(["a", "b", "c"]),
    boards: ["a", "b"],
    recorded: false,
    disks: { a: diskOf(leader, term), b: diskOf(follower, term) },
  });
  cluster.isolate("b");
  electA(cluster, ["a", "c"]);
  cluster.heal();
  cluster.heartbeat("a");
  const asked: number[] = [];
  for (let round = 0; round < 100 && cluster.messages({ to: "b" }).length > 0; round += 1) {
    for (const append of cluster.messages({ to: "b", type: "append" })) asked.push((append as Append).prevIndex);
    cluster.deliver({ to: "b" });
    cluster.deliver({ from: "b" });
  }
  return { cluster, asked };
}

/** The last index at which both logs have the same term: by log matching they agree up to there (§3.5). */
function agreement(leader: readonly Term[], follower: readonly Term[]): number {
  let index = 0;
  while (index < leader.length && index < follower.length && leader[index] === follower[index]) index += 1;
  return index;
}

/** How often the paper's plain search, one entry back at a time, would ask: once at the end of the log, and so on. */
function naiveQuestions(leader: readonly Term[], follower: readonly Term[]): number {
  return leader.length - agreement(leader, follower) + 1;
}

/** Two logs that obey log matching: a common beginning, and then terms that no two boards can share. */
const pairOfLogs = fc
  .tuple(
    fc.array(fc.nat(2), { maxLength: 8 }),
    fc.array(fc.nat(3), { maxLength: 12 }),
    fc.array(fc.nat(3), { maxLength: 12 }),
  )
  .map(([common, ofLeader, ofFollower]) => {
    const beginning = growing(1, common, 1);
    const next = (beginning.at(-1) ?? 0) + 1;
    // Terms of one parity each: no term beyond the common beginning has entries in both logs.
    return {
      leader: [...beginning, ...growing(next, ofLeader, 2)],
      follower: [...beginning, ...growing(next + 1, ofFollower, 2)],
    };
  });

function growing(from: Term, steps: readonly number[], stride: number): readonly Term[] {
  let term = from;
  return steps.map((step) => {
    term += step * stride;
    return term;
  });
}

describe("fast back-up on conflict", () => {
  test("for any two logs that obey log matching, the leader finds exactly where they agree and the follower ends with its log", () => {
    fc.assert(
      fc.property(pairOfLogs, ({ leader, follower }) => {
        const { cluster, asked } = bringIntoLine(leader, follower);
        const [a, b] = [cluster.raft("a"), cluster.raft("b")];
        expect(b.lastIndex).toBe(a.lastIndex);
        for (let index = 1; index <= a.lastIndex; index += 1) expect(b.termAt(index)).toBe(a.termAt(index));
        expect(Math.min(...asked)).toBe(Math.min(agreement(leader, follower), leader.length));
      }),
      { numRuns: 150 },
    );
  });

  test("it never asks more often than one step back at a time would, nor more than once for each term that differs", () => {
    fc.assert(
      fc.property(pairOfLogs, ({ leader, follower }) => {
        const { asked } = bringIntoLine(leader, follower);
        const from = agreement(leader, follower);
        const differing = new Set([...leader.slice(from), ...follower.slice(from)]).size;
        expect(asked.length).toBeLessThanOrEqual(naiveQuestions(leader, follower));
        expect(asked.length).toBeLessThanOrEqual(differing + 2);
      }),
      { numRuns: 150 },
    );
  });

  test.each([
    { about: "a follower that is only short", leader: [1, 1, 2, 2, 2], follower: [1, 1], questions: 2 },
    { about: "an empty follower", leader: [1, 1, 2, 2, 2], follower: [], questions: 2 },
    { about: "a long tail of one dead term", leader: [1, 3, 3, 3], follower: [1, 2, 2, 2, 2, 2, 2], questions: 2 },
    {
      about: "a leader's long tail of one term",
      leader: [1, 1, 5, 5, 5, 5, 5],
      follower: [1, 1, 1, 1, 1, 1, 1],
      questions: 2,
    },
    { about: "terms that take turns", leader: [1, 2, 2, 4, 4, 6], follower: [1, 3, 3, 5, 5, 5], questions: 3 },
    { about: "nothing in common", leader: [2, 2, 2], follower: [1, 1, 1, 1], questions: 2 },
    { about: "a follower that is only longer", leader: [1, 1], follower: [1, 1, 1, 1], questions: 1 },
    { about: "equal logs", leader: [1, 2], follower: [1, 2], questions: 1 },
  ])("given $about, then $questions questions are enough", ({ leader, follower, questions }) => {
    const { cluster, asked } = bringIntoLine(leader, follower);
    expect(asked).toHaveLength(questions);
    expect(cluster.raft("b").lastIndex).toBe(leader.length + 1);
  });

  test("given a late rejection, when the follower is known to agree further, then the leader does not go back below that", () => {
    const { cluster } = bringIntoLine([1, 2, 2, 2], [1, 1, 1]);
    const term = cluster.raft("a").term;
    const late = {
      type: "appendRejected",
      from: "b",
      to: "a",
      term,
      prevIndex: 4,
      conflictTerm: 1,
      conflictIndex: 1,
      lastIndex: 3,
    } as const;
    cluster.inject(late);
    expect(cluster.messages({ to: "b" })).toEqual([]);
    cluster.propose("a", "x");
    cluster.drop();
    cluster.inject({ ...late, prevIndex: 6 });
    expect(cluster.messages({ to: "b" })).toMatchObject([{ type: "append", prevIndex: 5 }]);
  });
});
