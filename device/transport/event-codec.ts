/** What happens on a board, on the wire: one record of its flight recorder a payload. */

import { toAsciiJson } from "../json.ts";
import type { Decoded } from "./decoded.ts";
import type { EventEnvelope, FlightRecord } from "./envelope.ts";
import type { Fields } from "./fields.ts";
import { judged, notFrom, openPayload } from "./payload.ts";
import { wireVersion } from "./topics.ts";

/** The size that an event may have. */
export const eventBytesMax: number = 64 * 1024;

/** The text of a payload. */
export function encodeEvent({ from, boot, seq, record }: EventEnvelope): string {
  return toAsciiJson({ v: wireVersion, from, boot, seq, record });
}

/** The payload on the event topic of `expected.board`. */
export function decodeEvent(text: string, expected: { readonly board: string }): Decoded<EventEnvelope> {
  const opened = openPayload(text, eventBytesMax);
  if (!opened.ok) return opened;
  const fields = opened.value;
  const from = fields.name("from");
  if (fields.problem === null && from !== expected.board) return notFrom(expected.board, from);
  const boot = fields.whole("boot");
  const seq = fields.whole("seq");
  return judged(fields, { from, boot, seq, record: readRecord(fields.object("record")) });
}

/** A record of a flight recorder, from the fields of an event or of the answer to a request of the type `flight`. */
export function readRecord(fields: Fields): FlightRecord {
  return {
    number: fields.whole("number"),
    boot: fields.whole("boot"),
    wallUs: fields.whole("wallUs"),
    monotonicUs: fields.whole("monotonicUs"),
    happening: fields.value("happening"),
  };
}
