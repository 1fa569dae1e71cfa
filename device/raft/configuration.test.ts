import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  isJoint,
  isQuorum,
  isQuorumLost,
  isVoter,
  leaveJoint,
  membersOf,
  planChange,
  quorumReached,
  simpleConfiguration,
} from "./configuration.ts";
import { rules } from "./rules.ts";
import type { Configuration, MemberId } from "./types.ts";

const everyone = ["a", "b", "c", "d", "e", "f", "g"];
const group = fc.subarray(everyone, { minLength: 1 });
const majorityOnly = group.map((voters) => simpleConfiguration(voters));
const joint = fc
  .tuple(group, group)
  .map(([voters, votersOutgoing]): Configuration => ({ ...simpleConfiguration(voters), votersOutgoing }));
const kinds = [
  ["a majority", majorityOnly],
  ["a joint configuration", joint],
] as const;

/** The slow way: some majority of every group lies within `agreeing`; all subsets of a group are tried. */
function slowIsQuorum(configuration: Configuration, agreeing: readonly MemberId[]): boolean {
  return groupsOf(configuration).every((voters) =>
    subsets(voters).some(
      (subset) => subset.length * 2 > voters.length && subset.every((voter) => agreeing.includes(voter)),
    ),
  );
}

function groupsOf({ voters, votersOutgoing }: Configuration): readonly (readonly MemberId[])[] {
  return votersOutgoing.length === 0 ? [voters] : [voters, votersOutgoing];
}

function subsets(members: readonly MemberId[]): readonly (readonly MemberId[])[] {
  return Array.from({ length: 2 ** members.length }, (_, chosen) =>
    members.filter((_member, place) => Math.floor(chosen / 2 ** place) % 2 === 1),
  );
}

describe.each(kinds)("quorums of %s, against trying all subsets", (_kind, configurations) => {
  test("votes win exactly when a majority of every group agrees", () => {
    fc.assert(
      fc.property(configurations, fc.subarray(everyone), (configuration, agreeing) => {
        expect(isQuorum(configuration, rules, (voter) => agreeing.includes(voter))).toBe(
          slowIsQuorum(configuration, agreeing),
        );
      }),
    );
  });

  test("votes are lost exactly when those who have not refused could not win any more", () => {
    fc.assert(
      fc.property(configurations, fc.subarray(everyone), (configuration, refusing) => {
        const rest = everyone.filter((member) => !refusing.includes(member));
        expect(isQuorumLost(configuration, rules, (voter) => refusing.includes(voter))).toBe(
          !slowIsQuorum(configuration, rest),
        );
      }),
    );
  });

  test("the number reached is the highest that a quorum has reached or passed", () => {
    fc.assert(
      fc.property(configurations, fc.array(fc.nat(12), { minLength: 7, maxLength: 7 }), (configuration, numbers) => {
        const reached = (voter: MemberId): number => numbers[everyone.indexOf(voter)] ?? 0;
        const slow = Array.from({ length: 13 }, (_, number) => number).filter((number) =>
          slowIsQuorum(
            configuration,
            everyone.filter((member) => reached(member) >= number),
          ),
        );
        expect(quorumReached(configuration, rules, reached)).toBe(Math.max(...slow));
      }),
    );
  });

  test("any two quorums share a voter", () => {
    fc.assert(
      fc.property(configurations, fc.subarray(everyone), fc.subarray(everyone), (configuration, one, other) => {
        const both = [one, other].every((members) =>
          isQuorum(configuration, rules, (voter) => members.includes(voter)),
        );
        if (both) expect(one.some((member) => other.includes(member))).toBe(true);
      }),
    );
  });
});

describe("quorums by hand", () => {
  const reachedBy =
    (numbers: Readonly<Record<MemberId, number>>) =>
    (voter: MemberId): number =>
      numbers[voter] ?? 0;

  test("a majority commits what its slowest member holds; who said nothing holds nothing", () => {
    expect(quorumReached(simpleConfiguration(["a"]), rules, reachedBy({ a: 12 }))).toBe(12);
    expect(quorumReached(simpleConfiguration(["a", "b"]), rules, reachedBy({ a: 12, b: 5 }))).toBe(5);
    expect(quorumReached(simpleConfiguration(["a", "b", "c"]), rules, reachedBy({ a: 12, b: 5 }))).toBe(5);
    expect(quorumReached(simpleConfiguration(["a", "b", "c"]), rules, reachedBy({ a: 12 }))).toBe(0);
    const five = simpleConfiguration(["a", "b", "c", "d", "e"]);
    expect(quorumReached(five, rules, reachedBy({ a: 101, b: 104, c: 103, d: 103 }))).toBe(103);
  });

  test("a joint configuration commits what both of its halves have", () => {
    const configuration = { ...simpleConfiguration(["a", "b", "c"]), votersOutgoing: ["c", "d", "e"] };
    expect(quorumReached(configuration, rules, reachedBy({ a: 9, b: 9, c: 1, d: 2, e: 3 }))).toBe(2);
    expect(quorumReached(configuration, rules, reachedBy({ a: 9, b: 1, c: 9, d: 9, e: 1 }))).toBe(9);
  });

  test("joint votes are lost when one half is lost, and open while either half is", () => {
    const configuration = { ...simpleConfiguration(["a", "b", "c"]), votersOutgoing: ["d", "e", "f"] };
    const agrees = (voter: MemberId): boolean => ["a", "b", "c", "d"].includes(voter);
    expect(isQuorum(configuration, rules, agrees)).toBe(false);
    expect(isQuorumLost(configuration, rules, (voter) => voter === "e")).toBe(false);
    expect(isQuorumLost(configuration, rules, (voter) => voter === "e" || voter === "f")).toBe(true);
  });
});

/** Who should belong to the cluster: voters, and learners who are not. */
const target = fc.tuple(group, fc.subarray(everyone)).map(([voters, learners]) => {
  return { voters, learners: learners.filter((member) => !voters.includes(member)) };
});
const settled = target.map(({ voters, learners }) => simpleConfiguration(voters, learners));

describe("planning a change", () => {
  test("whatever is changed, quorums of one configuration and the next always share a voter", () => {
    fc.assert(
      fc.property(settled, target, fc.boolean(), fc.subarray(everyone), (current, wanted, autoLeave, quorum) => {
        const planned = planChange(current, wanted, autoLeave);
        if (!planned.ok) return;
        const next = planned.configuration;
        const rest = everyone.filter((member) => !quorum.includes(member));
        const decides = (configuration: Configuration, members: readonly MemberId[]): boolean =>
          isQuorum(configuration, rules, (voter) => members.includes(voter));
        expect(decides(current, quorum) && decides(next, rest)).toBe(false);
        if (isJoint(next)) expect(decides(leaveJoint(next), quorum) && decides(next, rest)).toBe(false);
      }),
    );
  });

  test("however it goes there, it ends with the voters and learners that were wanted", () => {
    fc.assert(
      fc.property(settled, target, fc.boolean(), (current, wanted, autoLeave) => {
        const planned = planChange(current, wanted, autoLeave);
        if (!planned.ok) return;
        const end = isJoint(planned.configuration) ? leaveJoint(planned.configuration) : planned.configuration;
        expect(end).toEqual(simpleConfiguration(wanted.voters, wanted.learners));
      }),
    );
  });

  test("on the way nobody loses the log who keeps it, and nobody is a voter and a learner at once", () => {
    fc.assert(
      fc.property(settled, target, (current, wanted) => {
        const planned = planChange(current, wanted, true);
        if (!planned.ok) return;
        const { configuration } = planned;
        const members = membersOf(configuration);
        for (const member of [...wanted.voters, ...wanted.learners]) expect(members).toContain(member);
        expect(configuration.learners.filter((learner) => isVoter(configuration, learner))).toEqual([]);
        for (const waiting of configuration.learnersNext) expect(configuration.votersOutgoing).toContain(waiting);
      }),
    );
  });

  test("the order in which members are named makes no difference, and a member named twice is one member", () => {
    const current = simpleConfiguration(["a"]);
    expect(planChange(current, { voters: ["c", "a", "b", "c"], learners: [] }, true)).toEqual(
      planChange(current, { voters: ["a", "b", "c"], learners: [] }, true),
    );
  });

  test("the same change again is refused, since nothing would change", () => {
    const current = simpleConfiguration(["a", "b"], ["c"]);
    expect(planChange(current, { voters: ["b", "a"], learners: ["c"] }, true)).toMatchObject({ ok: false });
  });

  test("one voter more, one less, one promoted or one demoted takes one step", () => {
    const current = simpleConfiguration(["a", "b"], ["c"]);
    const steps = [
      { voters: ["a", "b", "c"], learners: [] },
      { voters: ["a"], learners: ["c"] },
      { voters: ["a"], learners: ["b", "c"] },
      { voters: ["a", "b"], learners: ["c", "d"] },
    ];
    for (const wanted of steps) {
      expect(planChange(current, wanted, true)).toEqual({
        ok: true,
        configuration: simpleConfiguration(wanted.voters, wanted.learners),
      });
    }
  });

  test("two voters at once take a joint configuration, which leaves by itself only if it was told to", () => {
    const wanted = { voters: ["a", "b", "c"], learners: [] };
    const planned = (autoLeave: boolean) => planChange(simpleConfiguration(["a"]), wanted, autoLeave);
    expect(planned(true)).toMatchObject({ configuration: { votersOutgoing: ["a"], autoLeave: true } });
    expect(planned(false)).toMatchObject({ configuration: { votersOutgoing: ["a"], autoLeave: false } });
  });

  test("a voter that is to become a learner in a joint change waits until the old voters are left", () => {
    const planned = planChange(
      simpleConfiguration(["a", "b", "c"]),
      { voters: ["a", "d"], learners: ["b", "e"] },
      true,
    );
    expect(planned).toMatchObject({ ok: true, configuration: { learners: ["e"], learnersNext: ["b"] } });
    if (planned.ok) expect(leaveJoint(planned.configuration)).toEqual(simpleConfiguration(["a", "d"], ["b", "e"]));
  });

  test("a change is refused while a joint configuration is in force, without voters, and with a voter that also learns", () => {
    const current = simpleConfiguration(["a", "b"]);
    const inForce = { ...current, votersOutgoing: ["a"] };
    expect(planChange(inForce, { voters: ["a"], learners: [] }, true)).toMatchObject({ ok: false });
    expect(planChange(current, { voters: [], learners: ["a"] }, true)).toMatchObject({ ok: false });
    expect(planChange(current, { voters: ["a"], learners: ["a"] }, true)).toMatchObject({
      reason: "a cannot be a voter and a learner at once",
    });
  });
});
