/**
 * What the first record of a segment says: whose log this is, and all that the segments before it would have told, so
 * that they can go once a snapshot covers their entries.
 */

import type { HardState, LogIndex, Term } from "../raft/types.ts";
import { type BootRecord, parseBootRecord } from "./boot-record.ts";
import { isObject, isWhole, parseHardState } from "./parse.ts";

/** A segment's header. */
export type SegmentHeader = {
  readonly owner: BootRecord;
  readonly hardState: HardState;
  /** The end of the log before this segment. */
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
};

/** The header that `value` is, or `null` if it is none. */
export function parseSegmentHeader(value: unknown): SegmentHeader | null {
  if (!isObject(value)) return null;
  const { lastIndex, lastTerm } = value;
  const owner = parseBootRecord(value["owner"]);
  const hardState = parseHardState(value["hardState"]);
  if (owner === null || hardState === null || !isWhole(lastIndex) || !isWhole(lastTerm)) return null;
  return { owner, hardState, lastIndex, lastTerm };
}
