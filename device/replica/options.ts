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
  snapshotAfterBytes: 2 * 1024 * 1024,
  trailingEntries: 1_000,
  pendingRequestsMax: 10_000,
  promoteLearners: true,
  rejoinAfterDamage: false,
};

/** What a bench and an experiment choose; `null`: as usual. */
export type ReplicaChoices = {
  readonly timing: { readonly heartbeatMs: number; readonly electionMinMs: number; readonly electionMaxMs: number };
  readonly raft: {
    readonly leaseReads: boolean;
    readonly clockDriftPpmMax: number | null;
    readonly snapshotAfterEntries: number | null;
    readonly trailingEntries: number | null;
  };
  readonly rejoinAfterDamage: boolean;
};

/** The settings of a board with these choices, simulated or real. */
export function replicaOptionsOf({ timing, raft, rejoinAfterDamage }: ReplicaChoices): ReplicaOptions {
  const usual = defaultReplicaOptions;
  return {
    ...usual,
    raft: {
      ...usual.raft,
      heartbeatUs: timing.heartbeatMs * 1_000,
      electionTimeoutMinUs: timing.electionMinMs * 1_000,
      electionTimeoutMaxUs: timing.electionMaxMs * 1_000,
      // A leader that is there is heard within two heartbeats.
      firstElectionTimeoutMinUs: 2 * timing.heartbeatMs * 1_000,
      leaseReads: raft.leaseReads,
      clockDriftMaxPpm: raft.clockDriftPpmMax ?? usual.raft.clockDriftMaxPpm,
    },
    snapshotAfterEntries: raft.snapshotAfterEntries ?? usual.snapshotAfterEntries,
    trailingEntries: raft.trailingEntries ?? usual.trailingEntries,
    rejoinAfterDamage,
  };
}
