/**
 * What boards say to each other, on the wire:
 *
 *     {"v":1,"crc":"8a2e91c7","from":"pi-1","boot":3,"connection":1,"seq":7,"atMs":5120,"to":"pi-2","messages":[...]}
 *     {"term":2,"command":{"client":"c1","session":4,"request":2,...}}
 *     {"term":2,"command":{"client":"c1","session":4,"request":3,...}}
 *
 * The first line is JSON, and so is each of the others, which are the entries of the appends in `messages`, in their
 * order (see `entry-lines.ts`). `crc` is the CRC-32C of all that stands behind it, up to the end: no damaged payload
 * passes. What stands before it is the same in every payload.
 */

import { crc32cOfText, joinedCrc32c } from "../crc32c.ts";
import { toAsciiJson } from "../json.ts";
import { type Decoded, dropped } from "./decoded.ts";
import { blockOf, EntryLines } from "./entry-lines.ts";
import type { PeerEnvelope } from "./envelope.ts";
import { Fields, parseObject } from "./fields.ts";
import { boardOf, readMessage, writeMessage } from "./message-codec.ts";
import { judged, notFrom, tooLong } from "./payload.ts";
import { wireVersion } from "./topics.ts";

/** The size that a payload of a board to another may have. */
export const peerBytesMax: number = 1024 * 1024;

/** The number of messages that one payload may hold. */
export const messagesMax = 1_024;

/** The text of a payload, ASCII alone. All its messages go to members of one board, and there is at least one. */
export function encodePeer({ from, boot, connection, seq, atMs, messages }: PeerEnvelope): string {
  const [first] = messages;
  if (first === undefined) throw new RangeError("A payload must hold a message: without one nobody is addressed.");
  const to = boardOf(first.to);
  const written = messages.map((message) => writeMessage(message, from, to));
  const head = toAsciiJson({ from, boot, connection, seq, atMs, to, messages: written }).slice(1);
  let checksum = crc32cOfText(head, 0);
  let lines = "";
  for (const message of messages) {
    if (message.type !== "append" || message.entries.length === 0) continue;
    const block = blockOf(message);
    checksum = joinedCrc32c(checksum, block.checksum, block.lines.length);
    lines += block.lines;
  }
  return beforeChecksum + hexOf(checksum) + afterChecksum + head + lines;
}

/** The payload on the topic by which `expected.from` speaks to `expected.to`, every field of every message checked. */
export function decodePeer(
  text: string,
  expected: { readonly from: string; readonly to: string },
): Decoded<PeerEnvelope> {
  if (text.length > peerBytesMax) return tooLong(text, peerBytesMax);
  if (!text.startsWith(beforeChecksum)) return withoutChecksum(text);
  const checksum = crc32cOfText(text, coveredStart);
  if (checksum < 0) return dropped("malformed", "a payload between boards must be ASCII");
  if (!text.startsWith(hexOf(checksum) + afterChecksum, beforeChecksum.length)) {
    return dropped("checksum", `the checksum of what arrived is ${hexOf(checksum)}, not the one that it carries`);
  }
  const firstLineEnd = text.indexOf("\n");
  const head = parseObject(firstLineEnd === -1 ? text : text.slice(0, firstLineEnd));
  if (head === null) return dropped("malformed", "the first line must be one JSON object");
  const fields = new Fields(head);
  const from = fields.name("from");
  const to = fields.name("to");
  if (fields.problem !== null) return dropped("malformed", fields.problem);
  if (from !== expected.from) return notFrom(expected.from, from);
  if (to !== expected.to) return dropped("foreign", `"to" is "${to}" on a topic to ${expected.to}`);
  return readMessages(fields, new EntryLines(text, firstLineEnd), expected);
}

/** What stands before and after the eight digits of the checksum, and where what it covers starts. */
const beforeChecksum = `{"v":${wireVersion},"crc":"`;
const afterChecksum = '",';
const coveredStart = beforeChecksum.length + 8 + afterChecksum.length;

function readMessages(
  fields: Fields,
  lines: EntryLines,
  { from, to }: { readonly from: string; readonly to: string },
): Decoded<PeerEnvelope> {
  const boot = fields.whole("boot");
  const connection = fields.whole("connection");
  const seq = fields.whole("seq");
  const atMs = fields.amount("atMs");
  const messages = fields.objects("messages", messagesMax).map((message) => readMessage(message, from, to, lines));
  if (fields.problem === null) {
    if (lines.problem !== null) return dropped("malformed", lines.problem);
    if (!lines.isAtEnd) return dropped("malformed", "there are more lines than entries");
    const foreign = messages.find((message) => boardOf(message.from) !== from || boardOf(message.to) !== to);
    if (foreign !== undefined) {
      return dropped("foreign", `a message from ${foreign.from} to ${foreign.to} in a payload from ${from} to ${to}`);
    }
  }
  return judged(fields, { from, boot, connection, seq, atMs, messages });
}

function withoutChecksum(text: string): Decoded<never> {
  const version = /^\{"v":(\d+),/.exec(text)?.[1];
  return version === undefined || version === String(wireVersion)
    ? dropped("malformed", `a payload between boards must start with ${beforeChecksum}`)
    : dropped("version", `"v", the version, is ${version}: this board speaks ${wireVersion}`);
}

function hexOf(checksum: number): string {
  return checksum.toString(16).padStart(8, "0");
}
