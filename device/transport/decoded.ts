/** What comes of reading a payload: what it says, or why it is dropped. Whatever somebody sends, reading never throws. */

/** Why payloads are dropped. */
export const dropReasons = [
  /** Longer than its kind may be. */
  "oversized",
  /** Not what the reference of the wire says. */
  "malformed",
  /** Of a version that this one does not speak. */
  "version",
  /** Damaged on its way. */
  "checksum",
  /** Addressed to somebody else, or not from whom the topic names. */
  "foreign",
  /** From before the sender's process was started anew. */
  "oldBoot",
  /** By a connection that the sender has replaced. */
  "oldConnection",
  /** Here already, or overtaken by a newer one. */
  "repeated",
  /** Held up on its way for too long. */
  "stale",
  /** Asked by somebody who may not ask it. */
  "forbidden",
  /** Too much is waiting already. */
  "congested",
] as const;

/** See `dropReasons`. */
export type DropReason = (typeof dropReasons)[number];

/** A value that was read, or why there is none; `detail` is for the person who looks for the fault. */
export type Decoded<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly reason: DropReason; readonly detail: string };

/** A payload that is dropped. */
export function dropped(reason: DropReason, detail: string): Decoded<never> {
  return { ok: false, reason, detail };
}
