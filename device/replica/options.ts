/** A replica's settings beyond those of consensus. */

import type { SessionLimits } from "../machine/sessions.ts";
import { defaultRaftOptions, type RaftOptions } from "../raft/index.ts";
import type { StorageOptions } from "../storage/index.ts";

/** Settings of one board; those of sessions must be the same on all of them. */
export type ReplicaOptions = {
  readonly raft: RaftOptions;
  readonly storage: StorageOptions;
  readonly sessions: Partial<SessionLimits>;
  /** A snapshot is taken when so many entries, or so many bytes of log, came since the last one. */
  readonly snapshotAfterEntries: number;
  readonly snapshotAfterBytes: number;
  /** How many entries before a snapshot are kept for slow followers. */
  readonly trailingEntries: number;
  /** How many requests may wait for an answer at a leader. */
  readonly pendingRequestsMax: number;
  /** A leader makes a learner a voter as soon as it has caught up. */
  readonly promoteLearners: boolean;
  /** A board whose disk is broken gives it up and joins anew; otherwise it waits for a person. */
  readonly rejoinAfterDamage: boolean;
};

/** Settings for a Raspberry Pi on a LAN. */
export const defaultReplicaOptions: ReplicaOptions = {
  raft: defaultRaftOptions,
  storage: {},
  sessions: {},
  snapshotAfterEntries: 10_000,
  snapshotAfterBytes: 4 * 1024 * 1024,
  trailingEntries: 1_000,
  pendingRequestsMax: 10_000,
  promoteLearners: true,
  rejoinAfterDamage: false,
};
