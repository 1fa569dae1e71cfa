/** Replies on the wire. The topic says whom they answer, so no reply repeats it. */

import { toAsciiJson } from "../json.ts";
import type { Decoded } from "./decoded.ts";
import type { ReplyEnvelope } from "./envelope.ts";
import type { Fields } from "./fields.ts";
import { judged, openPayload } from "./payload.ts";
import type { Outcome } from "./protocol.ts";
import { wireVersion } from "./topics.ts";

/** The size that a payload of replies may have. */
export const replyBytesMax: number = 1024 * 1024;

/** The number of replies that one payload may hold. */
export const repliesMax = 16_384;

const kinds = ["ok", "refused", "retry", "sessionExpired"] as const;

/** The text of a payload. */
export function encodeReplies({ from, boot, seq, replies }: ReplyEnvelope): string {
  const answers = replies.map(({ request, outcome }) => ({ request, outcome }));
  return toAsciiJson({ v: wireVersion, from, boot, seq, replies: answers });
}

/** The payload on the reply topic of `expected.client`; any board may have sent it. */
export function decodeReplies(text: string, expected: { readonly client: string }): Decoded<ReplyEnvelope> {
  const opened = openPayload(text, replyBytesMax);
  if (!opened.ok) return opened;
  const fields = opened.value;
  const { client } = expected;
  return judged(fields, {
    from: fields.name("from"),
    boot: fields.whole("boot"),
    seq: fields.whole("seq"),
    replies: fields.objects("replies", repliesMax).map((reply) => ({
      client,
      request: reply.whole("request"),
      outcome: readOutcome(reply.object("outcome")),
    })),
  });
}

function readOutcome(fields: Fields): Outcome {
  const kind = fields.oneOf("kind", kinds);
  switch (kind) {
    case "ok":
      return { kind, value: fields.value("value") };
    case "refused":
      return { kind, error: fields.text("error", replyBytesMax) };
    case "retry":
      return { kind, error: fields.text("error", replyBytesMax), leader: fields.memberOrNull("leader") };
    case "sessionExpired":
      return { kind };
  }
}
