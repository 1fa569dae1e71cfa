/** Who belongs to the cluster, what a majority of it is, and how one configuration becomes the next (§4). */

import type { Rules } from "./rules.ts";
import type { Configuration, LogIndex, MemberId } from "./types.ts";

/** A configuration that is not joint. Members may come in any order. */
export function simpleConfiguration(voters: readonly MemberId[], learners: readonly MemberId[] = []): Configuration {
  return {
    voters: sorted(voters),
    votersOutgoing: [],
    learners: sorted(learners),
    learnersNext: [],
    autoLeave: false,
  };
}

/** Whether old and new voters must both agree (§4.3). */
export function isJoint(configuration: Configuration): boolean {
  return configuration.votersOutgoing.length > 0;
}

/** Whether a member's vote counts: in either half of a joint configuration. */
export function isVoter(configuration: Configuration, member: MemberId): boolean {
  return configuration.voters.includes(member) || configuration.votersOutgoing.includes(member);
}

/** Everyone who receives the log: voters, old and new, and learners; sorted. */
export function membersOf(configuration: Configuration): readonly MemberId[] {
  return sorted([...configuration.voters, ...configuration.votersOutgoing, ...configuration.learners]);
}

/** Whether those for whom `agrees` says so are a quorum: a majority of each group of voters. */
export function isQuorum(configuration: Configuration, rules: Rules, agrees: (voter: MemberId) => boolean): boolean {
  for (const group of rules.quorumGroups(configuration)) {
    let agreeing = 0;
    for (const voter of group) if (agrees(voter)) agreeing += 1;
    if (agreeing < rules.majorityOf(group.length)) return false;
  }
  return true;
}

/** Whether a quorum has become impossible because too many said no. */
export function isQuorumLost(
  configuration: Configuration,
  rules: Rules,
  refuses: (voter: MemberId) => boolean,
): boolean {
  for (const group of rules.quorumGroups(configuration)) {
    let refusing = 0;
    for (const voter of group) if (refuses(voter)) refusing += 1;
    if (group.length - refusing < rules.majorityOf(group.length)) return true;
  }
  return false;
}

/**
 * The highest number that a quorum has reached, where `reached` says how far each voter is: a log index for commitment,
 * a heartbeat round for reads. In each group, sorted from the highest, it stands in the last place of a majority.
 */
export function quorumReached(
  configuration: Configuration,
  rules: Rules,
  reached: (voter: MemberId) => number,
): LogIndex {
  let lowest = Number.POSITIVE_INFINITY;
  for (const group of rules.quorumGroups(configuration)) {
    const place = rules.majorityOf(group.length) - 1;
    lowest = Math.min(lowest, nthHighest(group.map(reached), place));
  }
  return lowest === Number.POSITIVE_INFINITY ? 0 : lowest;
}

/** Who should belong to the cluster after a change. */
export type Target = { readonly voters: readonly MemberId[]; readonly learners: readonly MemberId[] };

/** The configuration to append so that `current` turns into `target`, or why that cannot be. */
export type PlannedChange =
  | { readonly ok: true; readonly configuration: Configuration }
  | { readonly ok: false; readonly reason: string };

/**
 * Plans a change from a configuration that is not joint. One voter more or less goes in one step, since majorities
 * before and after still share a voter (§4.1); anything else goes through a joint configuration (§4.3).
 */
export function planChange(current: Configuration, target: Target, autoLeave: boolean): PlannedChange {
  if (isJoint(current)) return refusal("a joint configuration is in force; wait until it has been left");
  const voters = sorted(target.voters);
  const learners = sorted(target.learners);
  if (voters.length === 0) return refusal("a cluster needs at least one voter");
  const both = learners.find((member) => voters.includes(member));
  if (both !== undefined) return refusal(`${both} cannot be a voter and a learner at once`);
  if (sameMembers(voters, current.voters) && sameMembers(learners, current.learners)) {
    return refusal("nothing would change: that is the configuration in force");
  }
  const added = voters.filter((member) => !current.voters.includes(member)).length;
  const removed = current.voters.filter((member) => !voters.includes(member)).length;
  if (added + removed <= 1) return { ok: true, configuration: simpleConfiguration(voters, learners) };
  return {
    ok: true,
    configuration: {
      voters,
      votersOutgoing: current.voters,
      learners: learners.filter((member) => !current.voters.includes(member)),
      learnersNext: learners.filter((member) => current.voters.includes(member)),
      autoLeave,
    },
  };
}

/** What follows a joint configuration: the new half alone, and the learners that waited. */
export function leaveJoint(joint: Configuration): Configuration {
  return simpleConfiguration(joint.voters, [...joint.learners, ...joint.learnersNext]);
}

function refusal(reason: string): PlannedChange {
  return { ok: false, reason };
}

function sorted(members: readonly MemberId[]): readonly MemberId[] {
  return [...new Set(members)].sort();
}

function sameMembers(left: readonly MemberId[], right: readonly MemberId[]): boolean {
  return left.length === right.length && left.every((member, place) => member === right[place]);
}

/** The value in place `place` (from 0) of the numbers sorted from the highest; groups are small, so insertion does. */
function nthHighest(numbers: number[], place: number): number {
  for (let next = 1; next < numbers.length; next += 1) {
    const number = numbers[next] ?? 0;
    let hole = next;
    while (hole > 0 && (numbers[hole - 1] ?? 0) < number) {
      numbers[hole] = numbers[hole - 1] ?? 0;
      hole -= 1;
    }
    numbers[hole] = number;
  }
  return numbers[place] ?? 0;
}
