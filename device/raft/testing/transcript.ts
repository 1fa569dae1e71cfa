/** How a scripted run reads: one line an input, and below it what each board did. */

import { isJoint } from "../configuration.ts";
import type { RaftEvent, ReadResult, Save } from "../effects.ts";
import type { Configuration, Entry, MemberId, Message } from "../types.ts";

/** An entry as `index/term` and what it holds. */
export function describeEntry(entry: Entry): string {
  const place = `${entry.index}/${entry.term}`;
  switch (entry.kind) {
    case "empty":
      return `${place} empty`;
    case "command":
      return `${place} "${entry.data}"`;
    case "configuration":
      return `${place} ${describeConfiguration(entry.configuration)}`;
    default:
      return entry satisfies never;
  }
}

/** A configuration as its groups of members. */
export function describeConfiguration(configuration: Configuration): string {
  const parts = [`voters ${configuration.voters.join(" ")}`];
  if (isJoint(configuration)) parts.push(`and voters ${configuration.votersOutgoing.join(" ")}`);
  if (configuration.learners.length > 0) parts.push(`learners ${configuration.learners.join(" ")}`);
  if (configuration.learnersNext.length > 0) parts.push(`learners next ${configuration.learnersNext.join(" ")}`);
  if (isJoint(configuration)) parts.push(configuration.autoLeave ? "leaves by itself" : "stays until told");
  return `(${parts.join(", ")})`;
}

/** A message in a compact form: who to whom, and what it says. */
export function describeMessage(message: Message): string {
  return `${message.from}→${message.to} ${message.type} term ${message.term}${details(message)}`;
}

/** Who sent what kind of message to whom. */
export function nameMessage(message: Message): string {
  return `${message.from}→${message.to} ${message.type}`;
}

function details(message: Message): string {
  switch (message.type) {
    case "vote":
    case "preVote":
      return `, log ends at ${message.lastIndex}/${message.lastTerm}${message.transfer ? ", by transfer" : ""}`;
    case "voteReply":
    case "preVoteReply":
      return message.granted ? ": granted" : ": refused";
    case "append":
      return `, after ${message.prevIndex}/${message.prevTerm}: ${entries(message.entries)}, commit ${message.commit}`;
    case "appendAccepted":
      return `: matches up to ${message.matchIndex}`;
    case "appendRejected":
      return message.prevIndex === 0
        ? ": that term is over"
        : `: not ${message.prevIndex}; term ${message.conflictTerm} from ${message.conflictIndex} on, ends at ${message.lastIndex}`;
    case "heartbeat":
      return `, round ${message.round}, commit ${message.commit}, match ${message.match}`;
    case "heartbeatReply":
      return `, round ${message.round}`;
    case "snapshot":
      return `, as of ${message.snapshotIndex}/${message.snapshotTerm}: bytes ${message.offset} to ${message.offset + message.data.length} of ${message.size}`;
    case "snapshotReply":
      return `, as of ${message.snapshotIndex}: holds ${message.offset} bytes`;
    case "timeoutNow":
      return ": campaign now";
    case "readIndex":
      return `, read ${message.read}`;
    case "readIndexReply":
      return `, read ${message.read}: ${message.index === null ? "ask again" : `index ${message.index}`}`;
    default:
      return message satisfies never;
  }
}

function entries(list: readonly Entry[]): string {
  return list.length === 0 ? "nothing" : list.map(describeEntry).join(", ");
}

/** What happened inside the board `id`. */
export function describeEvent(event: RaftEvent, id: MemberId): string {
  switch (event.type) {
    case "role":
      return `becomes ${event.role} in term ${event.term}: ${event.reason}`;
    case "leader":
      if (event.leader === null) return "knows no leader now";
      return event.leader === id ? `leads in term ${event.term}` : `follows ${event.leader} in term ${event.term}`;
    case "committed":
      return `commits up to ${event.index}`;
    case "truncated":
      return `drops its log from ${event.from} on`;
    case "configuration":
      return `uses the configuration of ${event.index}: ${describeConfiguration(event.configuration)}`;
    case "snapshotReceived":
      return `has the whole snapshot as of ${event.index}`;
    case "snapshotRefused":
      return `refuses the snapshot as of ${event.index}: ${event.sizeBytes} bytes are too many`;
    case "snapshotSent":
      return `knows that ${event.to} has the snapshot as of ${event.index}`;
    case "transfer":
      return `transfer to ${event.to}: ${event.phase}`;
    default:
      return event satisfies never;
  }
}

/** What goes to the disk in one go. */
export function describeSave(save: Save): string {
  const parts: string[] = [];
  if (save.hardState !== null)
    parts.push(`term ${save.hardState.term}, vote for ${save.hardState.votedFor ?? "nobody"}`);
  if (save.snapshot !== null) parts.push(`snapshot as of ${save.snapshot.index}/${save.snapshot.term}`);
  if (save.entries.length > 0) parts.push(entries(save.entries));
  return parts.join("; ");
}

/** What became of a read. */
export function describeRead(result: ReadResult): string {
  return result.ready ? `read ${result.id} is ready at ${result.index}` : `read ${result.id} failed: ${result.reason}`;
}

/** Breaks a text into lines of at most `width` characters. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line.length + word.length + 1 > width && line !== "") {
      lines.push(line);
      line = "";
    }
    line = line === "" ? word : `${line} ${word}`;
  }
  return line === "" ? lines : [...lines, line];
}
