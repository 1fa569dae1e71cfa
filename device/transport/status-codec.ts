/** A board's status on the wire: retained by the broker, and in the will. */

import { toAsciiJson } from "../json.ts";
import type { Decoded } from "./decoded.ts";
import type { BoardStatus, StatusEnvelope } from "./envelope.ts";
import type { Fields } from "./fields.ts";
import { judged, notFrom, openPayload } from "./payload.ts";
import { wireVersion } from "./topics.ts";

/** The size that a status may have. */
export const statusBytesMax: number = 32 * 1024;

/** The roles that a board can have. */
export const roles: readonly BoardStatus["role"][] = [
  "opening",
  "joining",
  "follower",
  "preCandidate",
  "candidate",
  "leader",
  "stopped",
];

/** The text of a payload. */
export function encodeStatus({ from, boot, seq, online, status }: StatusEnvelope): string {
  return toAsciiJson({ v: wireVersion, from, boot, seq, online, status });
}

/** The payload on the status topic of `expected.board`. */
export function decodeStatus(text: string, expected: { readonly board: string }): Decoded<StatusEnvelope> {
  const opened = openPayload(text, statusBytesMax);
  if (!opened.ok) return opened;
  const fields = opened.value;
  const from = fields.name("from");
  if (fields.problem === null && from !== expected.board) return notFrom(expected.board, from);
  return judged(fields, {
    from,
    boot: fields.whole("boot"),
    seq: fields.whole("seq"),
    online: fields.boolean("online"),
    status: fields.isNull("status") ? null : readStatus(fields.object("status")),
  });
}

/** How a board takes part, from the fields of a status or of the answer to a request of the type `status`. */
export function readStatus(fields: Fields): BoardStatus {
  return {
    member: fields.member("member"),
    role: fields.oneOf("role", roles),
    term: fields.whole("term"),
    leader: fields.memberOrNull("leader"),
    commitIndex: fields.whole("commitIndex"),
    appliedIndex: fields.whole("appliedIndex"),
    lastIndex: fields.whole("lastIndex"),
    voters: fields.members("voters"),
    learners: fields.members("learners"),
    version: fields.text("version", 64),
    carrier: fields.isNull("carrier") ? null : fields.boolean("carrier"),
  };
}
