/** The core's settings: time-outs and bounds. Everything that can grow has a bound. */

import type { DurationUs } from "./types.ts";

/** All lengths of time in microseconds, all sizes in bytes. */
export type RaftOptions = {
  /** How often a leader says that it still leads. */
  readonly heartbeatUs: DurationUs;
  /** A follower waits for its leader a random time from this on ... */
  readonly electionTimeoutMinUs: DurationUs;
  /** ... and less than this (§3.4). */
  readonly electionTimeoutMaxUs: DurationUs;
  /**
   * A board that starts waits for its first election from this on, and less than twice as long. Less than `electionTimeoutMinUs` will do, if a leader's
   * heartbeats come sooner: asking early disturbs nobody who hears one (pre-vote, §9.6).
   */
  readonly firstElectionTimeoutMinUs: DurationUs;
  /** The largest command, in bytes. */
  readonly entryBytesMax: number;
  /** How much one append carries. */
  readonly appendEntriesMax: number;
  readonly appendBytesMax: number;
  /** How much may be on its way to one follower without an answer. */
  readonly inFlightAppendsMax: number;
  readonly inFlightBytesMax: number;
  /** How much a leader takes in that is not committed yet; beyond it, proposals are refused. */
  readonly uncommittedBytesMax: number;
  /** How many linearizable reads may wait at once; beyond it, reads are refused. */
  readonly pendingReadsMax: number;
  /** How many bytes of a snapshot one message carries. */
  readonly snapshotChunkBytes: number;
  /** The largest snapshot that a follower accepts, in bytes. */
  readonly snapshotBytesMax: number;
  /** How far behind a learner may be, in entries, to become a voter. */
  readonly promotionLagEntriesMax: number;
  /** Answer lease reads without asking a majority (§6.4.1). Off by default: it trusts clocks. */
  readonly leaseReads: boolean;
  /** With lease reads: no board's clock runs faster or slower than true time by more than this, in parts per million. */
  readonly clockDriftMaxPpm: number;
};

/** Settings for a wired LAN; the bounds suit a Raspberry Pi. */
export const defaultRaftOptions: RaftOptions = {
  heartbeatUs: 50_000,
  electionTimeoutMinUs: 300_000,
  electionTimeoutMaxUs: 600_000,
  firstElectionTimeoutMinUs: 300_000,
  entryBytesMax: 256 * 1024,
  appendEntriesMax: 512,
  appendBytesMax: 256 * 1024,
  inFlightAppendsMax: 16,
  inFlightBytesMax: 1024 * 1024,
  uncommittedBytesMax: 4 * 1024 * 1024,
  pendingReadsMax: 10_000,
  snapshotChunkBytes: 64 * 1024,
  snapshotBytesMax: 256 * 1024 * 1024,
  promotionLagEntriesMax: 64,
  leaseReads: false,
  clockDriftMaxPpm: 50_000,
};

/** What is wrong with these settings, in words, or `null`. */
export function checkOptions(options: RaftOptions): string | null {
  for (const [name, value] of Object.entries(options)) {
    if (typeof value === "number" && (!Number.isSafeInteger(value) || value < 1) && name !== "clockDriftMaxPpm") {
      return `${name} is ${value}; it takes a whole number from 1 on`;
    }
  }
  if (options.electionTimeoutMinUs >= options.electionTimeoutMaxUs) {
    return `electionTimeoutMinUs (${options.electionTimeoutMinUs}) must be less than electionTimeoutMaxUs (${options.electionTimeoutMaxUs})`;
  }
  if (options.electionTimeoutMinUs < 2 * options.heartbeatUs) {
    return `electionTimeoutMinUs (${options.electionTimeoutMinUs}) must be at least two heartbeats (${2 * options.heartbeatUs}), or one lost heartbeat costs the leader its office`;
  }
  if (options.clockDriftMaxPpm < 0 || options.clockDriftMaxPpm >= 1_000_000) {
    return `clockDriftMaxPpm is ${options.clockDriftMaxPpm}; it takes a number from 0 to 999999`;
  }
  return null;
}
