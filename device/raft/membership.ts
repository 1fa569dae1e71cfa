/** Changing who belongs to the cluster, one change at a time (§4). */

import { isJoint, isQuorum, isVoter, leaveJoint, planChange, type Target } from "./configuration.ts";
import { followMembers } from "./leadership.ts";
import { appendOwn, becomeFollower, type Leadership, type State } from "./state.ts";
import { askToCampaign } from "./transfer.ts";
import type { Configuration, LogIndex, MemberId } from "./types.ts";

/** Begins a change to `target`. `autoLeave`: a joint configuration on the way is left without being told to. */
export function changeMembers(
  state: State,
  leadership: Leadership,
  target: Target,
  autoLeave: boolean,
): { readonly ok: true; readonly index: LogIndex } | { readonly ok: false; readonly reason: string } {
  const { log, rules } = state;
  if (!mayChange(state))
    return { ok: false, reason: "the last change, or this leader's first entry, is not committed yet" };
  const planned = planChange(log.configuration, target, autoLeave);
  if (!planned.ok) return planned;
  for (const voter of target.voters) {
    if (isVoter(log.configuration, voter)) continue;
    const matchIndex = leadership.progress.get(voter)?.matchIndex;
    if (matchIndex === undefined) {
      return { ok: false, reason: `${voter} must first be a learner and catch up` };
    }
    if (!rules.isCaughtUp(matchIndex, log.lastIndex, state.options.promotionLagEntriesMax)) {
      return { ok: false, reason: `${voter} still lacks ${log.lastIndex - matchIndex} entries` };
    }
  }
  if (!hearsQuorumOf(state, leadership, planned.configuration)) {
    return { ok: false, reason: "too few of the new voters are heard from to commit the change" };
  }
  return { ok: true, index: appendConfiguration(state, leadership, planned.configuration) };
}

/**
 * A configuration is in force as soon as it is in the log; if its voters are not there to commit it, the cluster stands
 * still, and the change cannot even be taken back.
 */
function hearsQuorumOf(state: State, leadership: Leadership, configuration: Configuration): boolean {
  const since = state.now - state.options.electionTimeoutMaxUs;
  return isQuorum(configuration, state.rules, (voter) => {
    return voter === state.id || (leadership.progress.get(voter)?.lastHeardAt ?? Number.NEGATIVE_INFINITY) > since;
  });
}

/** Leaves a joint configuration that does not leave by itself. */
export function leaveJointConfiguration(
  state: State,
  leadership: Leadership,
): { readonly ok: true; readonly index: LogIndex } | { readonly ok: false; readonly reason: string } {
  const { configuration } = state.log;
  if (!isJoint(configuration)) return { ok: false, reason: "the configuration in force is not joint" };
  if (!mayChange(state)) return { ok: false, reason: "the joint configuration is not committed yet" };
  return { ok: true, index: appendConfiguration(state, leadership, leaveJoint(configuration)) };
}

/** The leader's commit index moved: perhaps past the configuration in force, which then has consequences. */
export function configurationCommitted(state: State, leadership: Leadership): void {
  const { configuration, configurationIndex } = state.log;
  if (configurationIndex > state.commitIndex) return;
  if (isJoint(configuration)) {
    if (configuration.autoLeave && mayChange(state)) appendConfiguration(state, leadership, leaveJoint(configuration));
    return;
  }
  if (!configuration.voters.includes(state.id)) leaveOffice(state, leadership, configuration);
}

/** A leader without a vote in the new configuration hands over to whoever has most, and goes (§4.2.2). */
function leaveOffice(state: State, leadership: Leadership, configuration: Configuration): void {
  let heir: MemberId | null = null;
  let heirMatchIndex = -1;
  for (const voter of configuration.voters) {
    const matchIndex = leadership.progress.get(voter)?.matchIndex ?? -1;
    if (matchIndex > heirMatchIndex) {
      heir = voter;
      heirMatchIndex = matchIndex;
    }
  }
  if (heir !== null) askToCampaign(state, leadership, heir);
  becomeFollower(state, null, "it has no vote in the new configuration");
}

function mayChange(state: State): boolean {
  const { log, rules, commitIndex, term } = state;
  return rules.mayChangeConfiguration(log.configurationIndex, commitIndex, log.termAt(commitIndex), term);
}

function appendConfiguration(state: State, leadership: Leadership, configuration: Configuration): LogIndex {
  const index = state.log.lastIndex + 1;
  appendOwn(state, leadership, { kind: "configuration", index, term: state.term, configuration });
  followMembers(state, leadership);
  return index;
}
