/** Cuts a long list of messages into payloads of a size that everybody accepts. */

import type { PeerMessage } from "../transport/protocol.ts";

/** Well below what a receiver takes in one payload, with room for what surrounds the data. */
const bytesMax = 512 * 1024;
const messagesMax = 512;

/** The messages in their order, in as few pieces as may be. */
export function* inPieces(messages: readonly PeerMessage[]): Generator<readonly PeerMessage[], void, void> {
  let start = 0;
  let bytes = 0;
  for (const [place, message] of messages.entries()) {
    const more = roughBytesOf(message);
    if (place > start && (bytes + more > bytesMax || place - start >= messagesMax)) {
      yield messages.slice(start, place);
      start = place;
      bytes = 0;
    }
    bytes += more;
  }
  yield start === 0 ? messages : messages.slice(start);
}

function roughBytesOf(message: PeerMessage): number {
  const envelopeBytes = 160;
  switch (message.type) {
    case "append": {
      let bytes = envelopeBytes;
      for (const entry of message.entries) bytes += 48 + (entry.kind === "command" ? entry.data.length : 256);
      return bytes;
    }
    case "snapshot":
      // Quotes within the data are escaped on the wire.
      return envelopeBytes + 2 * message.data.length;
    default:
      return envelopeBytes;
  }
}
