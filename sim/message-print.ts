/** What of a message goes into the fingerprint: enough that two messages which differ leave different prints. */

import type { PeerMessage } from "../device/transport/protocol.ts";
import type { Fingerprint } from "./fingerprint.ts";

/** Takes a message into the fingerprint. */
export function mixMessage(fingerprint: Fingerprint, message: PeerMessage): void {
  switch (message.type) {
    case "append":
      fingerprint.mixNumber(message.term * 16 + 1);
      fingerprint.mixNumber(message.prevIndex);
      fingerprint.mixNumber(message.commit * 1024 + (message.entries.length % 1024));
      return;
    case "appendAccepted":
      fingerprint.mixNumber(message.term * 16 + 2);
      fingerprint.mixNumber(message.matchIndex);
      return;
    case "appendRejected":
      fingerprint.mixNumber(message.term * 16 + 3);
      fingerprint.mixNumber(message.prevIndex);
      fingerprint.mixNumber(message.conflictIndex);
      return;
    case "heartbeat":
      fingerprint.mixNumber(message.term * 16 + 4);
      fingerprint.mixNumber(message.commit);
      fingerprint.mixNumber(message.match);
      return;
    case "heartbeatReply":
      fingerprint.mixNumber(message.term * 16 + 5);
      fingerprint.mixNumber(message.round);
      return;
    case "vote":
    case "preVote":
      fingerprint.mixNumber(message.term * 16 + (message.type === "vote" ? 6 : 7));
      fingerprint.mixNumber(message.lastIndex);
      return;
    case "voteReply":
    case "preVoteReply":
      fingerprint.mixNumber(message.term * 16 + (message.granted ? 8 : 9));
      return;
    case "snapshot":
    case "snapshotReply":
      fingerprint.mixNumber(message.term * 16 + 10);
      fingerprint.mixNumber(message.offset);
      return;
    case "timeoutNow":
      fingerprint.mixNumber(message.term * 16 + 11);
      return;
    case "readIndex":
    case "readIndexReply":
      fingerprint.mixNumber(message.term * 16 + 12);
      fingerprint.mixNumber(message.read);
      return;
    case "join":
      fingerprint.mixText(message.from);
      return;
    default:
      message satisfies never;
  }
}
