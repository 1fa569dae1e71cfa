/**
 * The boot record: the small file that says whose disk this is. A board that finds another board's record, or none,
 * must not take part under the identity that it had before: it no longer knows what that identity promised.
 */

import { toAsciiJson } from "../json.ts";
import type { MemberId } from "../raft/types.ts";
import { isObject, isText, parseJson } from "./parse.ts";
import { sealText, unsealText } from "./sealed-text.ts";

/** Whom a disk belongs to. */
export type BootRecord = {
  readonly cluster: string;
  readonly board: string;
  /** The identity under which the board takes part: its name, or `<board>.<incarnation>` after it lost a disk. */
  readonly member: MemberId;
};

/** `formatting` until everything that a member's disk needs is durable; only then can the member have promised anything. */
export type BootState = "formatting" | "formatted";

/** What the boot record turns out to be; `newer` is one of a later version of this software. */
export type ReadBootRecord =
  | { readonly kind: "whole"; readonly boot: BootRecord; readonly state: BootState }
  | { readonly kind: "broken"; readonly reason: string }
  | { readonly kind: "newer"; readonly reason: string };

/** The name of its file. */
export const bootFile = "boot";

/** The file's bytes. */
export function encodeBootRecord(boot: BootRecord, state: BootState): Uint8Array {
  const { cluster, board, member } = boot;
  return sealText(sealKind, `${toAsciiJson({ cluster, board, member, state })}\n`);
}

/** Reads the file back. */
export function decodeBootRecord(bytes: Uint8Array): ReadBootRecord {
  const unsealed = unsealText(sealKind, bytes);
  if (unsealed.kind !== "whole") return unsealed;
  const value = parseJson(unsealed.text);
  const boot = parseBootRecord(value);
  const state = isObject(value) ? value["state"] : undefined;
  if (boot === null || (state !== "formatting" && state !== "formatted")) {
    return { kind: "broken", reason: "it does not name a cluster, a board, a member and a state" };
  }
  return { kind: "whole", boot, state };
}

/** The boot record that `value` is, or `null` if it is none. */
export function parseBootRecord(value: unknown): BootRecord | null {
  if (!isObject(value)) return null;
  const { cluster, board, member } = value;
  return isText(cluster) && isText(board) && isText(member) ? { cluster, board, member } : null;
}

const sealKind = "adrift-boot";
