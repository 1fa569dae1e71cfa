/** Commitment: when a quorum holds an entry for good (§3.6.2). */

import { quorumReached } from "./configuration.ts";
import { assertInvariant } from "./invariant.ts";
import { weight } from "./log.ts";
import { configurationCommitted } from "./membership.ts";
import { releaseEarlyReads } from "./reads.ts";
import { type Leadership, note, type State } from "./state.ts";
import type { LogIndex } from "./types.ts";

/** Commits what a quorum holds durably, if it is of this term (§3.6.2). */
export function advanceCommit(state: State, leadership: Leadership): void {
  const { log, rules } = state;
  const index = quorumReached(log.configuration, rules, (voter) =>
    voter === state.id
      ? rules.leaderMatchIndex(log.durableIndex, log.lastIndex)
      : (leadership.progress.get(voter)?.matchIndex ?? 0),
  );
  if (index <= state.commitIndex || !rules.mayCommitByCounting(log.termAt(index), state.term)) return;
  for (const entry of log.range(state.commitIndex + 1, index)) leadership.uncommittedBytes -= weight(entry);
  commitThrough(state, index);
  releaseEarlyReads(state, leadership);
  configurationCommitted(state, leadership);
}

/** Moves the commit index; it never moves back and never beyond the log. */
export function commitThrough(state: State, index: LogIndex): void {
  assertInvariant(
    index >= state.commitIndex && index <= state.log.lastIndex,
    "the commit index moves forward within the log",
    () => `from ${state.commitIndex} to ${index}, the log ends at ${state.log.lastIndex}`,
  );
  state.commitIndex = index;
  if (state.incoming !== null && state.incoming.index <= index) state.incoming = null;
  note(state, { type: "committed", index });
}
