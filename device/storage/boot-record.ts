/**
 * The boot record: the small file that says whose disk this is. A board that finds another board's record, or none,
 * must not take part under the identity that it had before: it no longer knows what that identity promised.
 */

import type { MemberId } from "../raft/types.ts";

/** Whom a disk belongs to. */
export type BootRecord = {
  readonly cluster: string;
  readonly board: string;
  /** The identity under which the board takes part: its name, or `<board>.<incarnation>` after it lost a disk. */
  readonly member: MemberId;
};
