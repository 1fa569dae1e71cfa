/**
 * What a leader knows of one follower, and how it sends to it.
 *
 * `probe`: where the logs agree is not known; one append at a time asks. `replicate`: it is known; appends are sent
 * ahead of their answers, within bounds. `snapshot`: the follower is too far behind the log; it is sent the state, piece
 * by piece.
 */

import type { LogIndex, MemberId, Snapshot, TimeUs } from "./types.ts";

/** Appends sent and not yet answered, oldest first. */
export type InFlight = { readonly lastIndex: LogIndex; readonly bytes: number; readonly sentAt: TimeUs };

/** How the leader sends to one follower at the moment. */
export type Sending =
  /** `askedAt`: when the question under way was asked; `null` if none is. */
  | { readonly mode: "probe"; askedAt: TimeUs | null }
  | { readonly mode: "replicate"; readonly inFlight: InFlight[]; bytesInFlight: number }
  /**
   * `offset`: what the follower holds of `snapshot`; `sentAt`: when the piece from there on was sent; `advancedAt`: when
   * the follower last took one.
   */
  | { readonly mode: "snapshot"; readonly snapshot: Snapshot; offset: number; sentAt: TimeUs; advancedAt: TimeUs };

/** What a leader knows of one follower. */
export type Progress = {
  readonly member: MemberId;
  /** Up to here the follower's log is known to agree, durably. */
  matchIndex: LogIndex;
  /** The next entry to send. */
  nextIndex: LogIndex;
  sending: Sending;
  /** When anything was last sent to it, and last heard from it in this term. */
  lastSentAt: TimeUs;
  lastHeardAt: TimeUs;
  /** The latest heartbeat round that it answered. */
  heardRound: number;
};

/** A follower of whom a new leader knows nothing yet. It counts as heard from, so that it has a time-out to answer in. */
export function createProgress(member: MemberId, nextIndex: LogIndex, now: TimeUs): Progress {
  return {
    member,
    matchIndex: 0,
    nextIndex,
    sending: { mode: "probe", askedAt: null },
    lastSentAt: Number.NEGATIVE_INFINITY,
    lastHeardAt: now,
    heardRound: 0,
  };
}

/** Something does not fit or got lost: begin to ask again, right after what is known to agree or at `nextIndex`. */
export function beginProbe(progress: Progress, nextIndex: LogIndex): void {
  progress.sending = { mode: "probe", askedAt: null };
  progress.nextIndex = Math.max(nextIndex, progress.matchIndex + 1);
}

/** It is known where the logs agree: from now on send ahead. */
export function beginReplicate(progress: Progress): void {
  progress.sending = { mode: "replicate", inFlight: [], bytesInFlight: 0 };
  progress.nextIndex = progress.matchIndex + 1;
}

/** What the follower needs next is compacted away: send the state instead. */
export function beginSnapshot(progress: Progress, snapshot: Snapshot, now: TimeUs): void {
  progress.sending = { mode: "snapshot", snapshot, offset: 0, sentAt: now, advancedAt: now };
}

/** The follower's log agrees durably up to `index`: appends up to there are answered. */
export function noteMatch(progress: Progress, index: LogIndex): void {
  progress.matchIndex = Math.max(progress.matchIndex, index);
  progress.nextIndex = Math.max(progress.nextIndex, progress.matchIndex + 1);
  const { sending } = progress;
  if (sending.mode !== "replicate") return;
  while (sending.inFlight.length > 0) {
    const oldest = sending.inFlight[0];
    if (oldest === undefined || oldest.lastIndex > progress.matchIndex) break;
    sending.bytesInFlight -= oldest.bytes;
    sending.inFlight.shift();
  }
}
