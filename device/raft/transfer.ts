/** Leadership transfer (§3.10): the leader brings one follower up to date and asks it to campaign at once. */

import { isVoter } from "./configuration.ts";
import { type Leadership, note, type State, send } from "./state.ts";
import type { MemberId } from "./types.ts";

/** Starts handing over to `target`. Returns why not, or `null`. Meanwhile nothing new is proposed. */
export function beginTransfer(state: State, leadership: Leadership, target: MemberId): string | null {
  if (target === state.id) return `${target} leads already`;
  if (!state.log.configuration.voters.includes(target)) {
    const known = isVoter(state.log.configuration, target) || leadership.progress.has(target);
    return known ? `${target} has no vote in the configuration in force` : `${target} is not a member of this cluster`;
  }
  if (leadership.transfer?.target === target) return null;
  if (leadership.transfer !== null)
    note(state, { type: "transfer", to: leadership.transfer.target, phase: "abandoned" });
  leadership.transfer = { target, deadline: state.now + state.options.electionTimeoutMaxUs, asked: false };
  note(state, { type: "transfer", to: target, phase: "begun" });
  askIfCaughtUp(state, leadership);
  return null;
}

/** Asks the target to campaign as soon as it has everything. */
export function askIfCaughtUp(state: State, leadership: Leadership): void {
  const { transfer } = leadership;
  if (transfer === null || transfer.asked) return;
  if (leadership.progress.get(transfer.target)?.matchIndex !== state.log.lastIndex) return;
  transfer.asked = true;
  askToCampaign(state, leadership, transfer.target);
}

/** "Campaign now." The answer may come late, so from here on no lease of this term protects a read. */
export function askToCampaign(state: State, leadership: Leadership, target: MemberId): void {
  leadership.leaseForfeited = true;
  note(state, { type: "transfer", to: target, phase: "asked" });
  send(state, { type: "timeoutNow", from: state.id, to: target, term: state.term });
}

/** Gives a transfer up that took an election time-out, or whose target is no longer a voter. */
export function checkTransfer(state: State, leadership: Leadership): void {
  const { transfer } = leadership;
  if (transfer === null) return;
  if (state.now < transfer.deadline && state.log.configuration.voters.includes(transfer.target)) return;
  leadership.transfer = null;
  note(state, { type: "transfer", to: transfer.target, phase: "abandoned" });
}
