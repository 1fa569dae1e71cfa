/** What a leader does by itself about who belongs to the cluster: takes boards in again, and gives learners their vote. */

import { type FollowerStatus, isJoint, type MemberId, type Raft } from "../raft/index.ts";
import { boardOf } from "./identity.ts";

/** Takes a board in under its new identity, as a learner, in the place of the old one. Harmless if it is done already. */
export function takeIn(raft: Raft, member: MemberId): void {
  const { voters, learners } = raft.configuration;
  if (raft.role !== "leader" || voters.includes(member) || learners.includes(member)) return;
  const isOther = (other: MemberId): boolean => boardOf(other) !== boardOf(member);
  const remaining = voters.filter(isOther);
  if (remaining.length === 0) return;
  raft.changeMembers({ voters: remaining, learners: [...learners.filter(isOther), member] });
}

/** Makes all learners that have caught up voters. The core refuses while another change is under way. */
export function promoteLearners(raft: Raft, now: number, heardWithinUs: number): void {
  const { configuration } = raft;
  if (configuration.learners.length === 0 || isJoint(configuration)) return;
  const isReady = ({ matchIndex, sending, lastHeardAt }: FollowerStatus): boolean =>
    sending === "replicate" && matchIndex >= raft.commitIndex && now - lastHeardAt < heardWithinUs;
  const ready = raft
    .followers()
    .filter((follower) => configuration.learners.includes(follower.member) && isReady(follower))
    .map((follower) => follower.member);
  if (ready.length === 0) return;
  const voters = [...configuration.voters, ...ready];
  raft.changeMembers({ voters, learners: configuration.learners.filter((learner) => !ready.includes(learner)) });
}
