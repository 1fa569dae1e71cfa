/**
 * Messages between boards as JSON objects. Sender and receiver stand in a message only where they are not both those
 * of its payload: a board that lost its disk goes by another identity. Entries follow on lines of their own.
 */

import type { Json } from "../json.ts";
import type { MemberId } from "../raft/types.ts";
import type { EntryLines } from "./entry-lines.ts";
import type { Fields } from "./fields.ts";
import type { PeerMessage } from "./protocol.ts";

const types = [
  "vote",
  "preVote",
  "voteReply",
  "preVoteReply",
  "append",
  "appendAccepted",
  "appendRejected",
  "heartbeat",
  "heartbeatReply",
  "snapshot",
  "snapshotReply",
  "timeoutNow",
  "readIndex",
  "readIndexReply",
  "join",
] as const satisfies readonly PeerMessage["type"][];

/** The board behind a member: a board's name holds no dot. */
export function boardOf(member: MemberId): string {
  const dot = member.indexOf(".");
  return dot === -1 ? member : member.slice(0, dot);
}

/** A message as it stands in a payload of board `from` to board `to`. */
export function writeMessage(message: PeerMessage, from: string, to: string): Json {
  const { from: sender, to: receiver, ...rest } = message;
  const body = rest.type === "append" ? { ...rest, entries: rest.entries.length } : rest;
  if (sender === from && receiver === to) return body;
  return { ...body, from: sender, to: receiver };
}

/** The message of a payload of board `board` to board `to`; `lines` hands out the entries that come with it. */
export function readMessage(fields: Fields, board: string, receiver: string, lines: EntryLines): PeerMessage {
  const type = fields.oneOf("type", types);
  const from = fields.has("from") ? fields.member("from") : board;
  const to = fields.has("to") ? fields.member("to") : receiver;
  if (type === "join") return { type, from, to };
  const term = fields.whole("term");
  switch (type) {
    case "vote":
    case "preVote": {
      const lastIndex = fields.whole("lastIndex");
      const lastTerm = fields.whole("lastTerm");
      return { type, from, to, term, lastIndex, lastTerm, transfer: fields.boolean("transfer") };
    }
    case "voteReply":
    case "preVoteReply":
      return { type, from, to, term, granted: fields.boolean("granted") };
    case "append": {
      const prevIndex = fields.whole("prevIndex");
      const prevTerm = fields.whole("prevTerm");
      const commit = fields.whole("commit");
      const entries = lines.take(fields.whole("entries"), prevIndex, prevTerm, term);
      return { type, from, to, term, prevIndex, prevTerm, entries, commit };
    }
    case "appendAccepted":
      return { type, from, to, term, matchIndex: fields.whole("matchIndex") };
    case "appendRejected": {
      const prevIndex = fields.whole("prevIndex");
      const conflictTerm = fields.whole("conflictTerm");
      const conflictIndex = fields.whole("conflictIndex");
      return { type, from, to, term, prevIndex, conflictTerm, conflictIndex, lastIndex: fields.whole("lastIndex") };
    }
    case "heartbeat": {
      const commit = fields.whole("commit");
      return { type, from, to, term, commit, match: fields.whole("match"), round: fields.whole("round") };
    }
    case "heartbeatReply":
      return { type, from, to, term, round: fields.whole("round") };
    case "snapshot":
      return {
        type,
        from,
        to,
        term,
        snapshotIndex: fields.whole("snapshotIndex"),
        snapshotTerm: fields.whole("snapshotTerm"),
        configuration: fields.configuration("configuration"),
        ...readPiece(fields),
      };
    case "snapshotReply":
      return { type, from, to, term, snapshotIndex: fields.whole("snapshotIndex"), offset: fields.whole("offset") };
    case "timeoutNow":
      return { type, from, to, term };
    case "readIndex":
      return { type, from, to, term, read: fields.whole("read") };
    case "readIndexReply":
      return { type, from, to, term, read: fields.whole("read"), index: fields.wholeOrNull("index") };
  }
}

/** A piece of a snapshot, which must lie within the whole. */
function readPiece(fields: Fields): { readonly offset: number; readonly size: number; readonly data: string } {
  const offset = fields.whole("offset");
  const size = fields.whole("size");
  const data = fields.asciiText("data");
  if (offset + data.length > size) fields.fail("data", 'a piece that ends within "size"');
  return { offset, size, data };
}
