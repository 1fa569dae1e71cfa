/**
 * What other processes of the same user ask of a running local bench, over a socket in a folder that only this user may
 * enter: one line of JSON there, one line back.
 */

import * as z from "zod/mini";
import type { LocalBenchState } from "./settings.ts";

const names = z.array(z.string()).check(z.maxLength(1_000));
const leaseMs = z.int().check(z.gte(1), z.lte(86_400_000));

const request = z.discriminatedUnion("do", [
  /** Cuts cables, or all cables that are plugged in somewhere; of one direction if `from` names one end of them. */
  z.strictObject({ do: z.literal("cut"), names, from: z.nullable(z.string()), leaseMs }),
  /** Heals cables; without names all that are cut. */
  z.strictObject({ do: z.literal("heal"), names }),
  z.strictObject({ do: z.literal("partition"), groups: z.array(names), leaseMs }),
  z.strictObject({ do: z.literal("state") }),
]);

/** A request. */
export type ControlRequest = z.output<typeof request>;

/** The answer to a request. An `error` is for a person. */
export type ControlReply =
  | { readonly ok: true; readonly did: Did; readonly state: LocalBenchState }
  | { readonly ok: false; readonly error: string };

/** What was done. */
export type Did = {
  /** The cables that the request cut or healed. */
  readonly cables: readonly string[];
  /** Which boards hear each other now, as far as cables are concerned. */
  readonly groups: readonly (readonly string[])[];
  /** Boards that a partition left alone, though they should have company: see `planPartition`. */
  readonly alone: readonly string[];
};

/** Longer lines nobody sends. */
export const lineBytesMax = 1024 * 1024;

/** Reads a request; `null` if it is none. */
export function parseRequest(line: string): ControlRequest | null {
  try {
    const parsed = request.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
