/** What a leader does by itself about who belongs to the cluster: takes boards in again, and gives learners their vote. */

import { isJoint, type MemberId, type Raft } from "../raft/index.ts";
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

/** Makes one learner that has caught up a voter. The core refuses while another change is under way. */
export function promoteLearner(raft: Raft, now: number, heardWithinUs: number): void {
  const { configuration } = raft;
  if (configuration.learners.length === 0 || isJoint(configuration)) return;
  for (const { member, matchIndex, sending, lastHeardAt } of raft.followers()) {
    if (!configuration.learners.includes(member)) continue;
    const isReady = sending === "replicate" && matchIndex >= raft.commitIndex && now - lastHeardAt < heardWithinUs;
    if (!isReady) continue;
    const voters = [...configuration.voters, member];
    const learners = configuration.learners.filter((learner) => learner !== member);
    if (raft.changeMembers({ voters, learners }).ok) return;
  }
}
