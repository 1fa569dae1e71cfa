/**
 * What the controller asks a broker of ours to withhold, and what the broker says that it withholds: partitions that no
 * cable can make. Each pair is one direction, what `from` says to `to`, on the broker of `to`'s inbox.
 */

import { toAsciiJson } from "../json.ts";
import type { Decoded } from "./decoded.ts";
import { judged, notFrom, openPayload } from "./payload.ts";
import { wireVersion } from "./topics.ts";

/** The size that such a payload may have. */
export const withholdBytesMax: number = 256 * 1024;

/** Every board of a large bench to every other. */
export const withheldPairsMax = 1_024;

/** What is to be so from now on. Without pairs it only asks what is so. */
export type WithholdRequest = {
  /** Comes back in the answer. */
  readonly number: number;
  /** `leaseMs`: for so long, unless it is asked for again; 0: no longer. */
  readonly pairs: readonly { readonly from: string; readonly to: string; readonly leaseMs: number }[];
};

/** What a broker withholds now. It says so after each request, and whenever a lease has run out. */
export type WithheldEnvelope = {
  /** The broker. */
  readonly from: string;
  /** The number of the request that this answers; `null` if none asked. */
  readonly answers: number | null;
  readonly pairs: readonly { readonly from: string; readonly to: string; readonly remainingMs: number }[];
};

/** The text of a request. */
export function encodeWithhold({ number, pairs }: WithholdRequest): string {
  return toAsciiJson({ v: wireVersion, number, pairs: pairs.map(({ from, to, leaseMs }) => ({ from, to, leaseMs })) });
}

/** A request, if it is one. */
export function decodeWithhold(text: string): Decoded<WithholdRequest> {
  const opened = openPayload(text, withholdBytesMax);
  if (!opened.ok) return opened;
  const fields = opened.value;
  return judged(fields, {
    number: fields.whole("number"),
    pairs: fields.objects("pairs", withheldPairsMax, 0).map((pair) => ({
      from: pair.name("from"),
      to: pair.name("to"),
      leaseMs: pair.whole("leaseMs"),
    })),
  });
}

/** The text of an answer. */
export function encodeWithheld({ from, answers, pairs }: WithheldEnvelope): string {
  const written = pairs.map(({ from, to, remainingMs }) => ({ from, to, remainingMs }));
  return toAsciiJson({ v: wireVersion, from, answers, pairs: written });
}

/** An answer of the broker `expected.broker`. */
export function decodeWithheld(text: string, expected: { readonly broker: string }): Decoded<WithheldEnvelope> {
  const opened = openPayload(text, withholdBytesMax);
  if (!opened.ok) return opened;
  const fields = opened.value;
  const from = fields.name("from");
  if (fields.problem === null && from !== expected.broker) return notFrom(expected.broker, from);
  return judged(fields, {
    from,
    answers: fields.wholeOrNull("answers"),
    pairs: fields.objects("pairs", withheldPairsMax, 0).map((pair) => ({
      from: pair.name("from"),
      to: pair.name("to"),
      remainingMs: pair.whole("remainingMs"),
    })),
  });
}
