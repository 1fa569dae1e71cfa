/**
 * A snapshot as a file: a line of JSON that says what it covers, then the state as it is. The name tells index and term
 * too, so that the right one is found without reading them all.
 */

import { toAsciiJson } from "../json.ts";
import type { LogIndex, Snapshot, Term } from "../raft/types.ts";
import { isObject, isWhole, parseConfiguration, parseJson } from "./parse.ts";
import { sealText, unsealText } from "./sealed-text.ts";

/** What the name of a snapshot's file says. */
export type SnapshotName = { readonly file: string; readonly index: LogIndex; readonly term: Term };

/** What a snapshot's file turns out to be; `newer` is one of a later version of this software. */
export type ReadSnapshot =
  | { readonly kind: "whole"; readonly snapshot: Snapshot }
  | { readonly kind: "broken"; readonly reason: string }
  | { readonly kind: "newer"; readonly reason: string };

/** `snapshot-<index, 16 digits>-<term>`. */
export function snapshotFile(index: LogIndex, term: Term): string {
  return `snapshot-${String(index).padStart(16, "0")}-${term}`;
}

/** What a file's name says, or `null` if it is not a snapshot's. */
export function parseSnapshotFile(file: string): SnapshotName | null {
  const [, index, term] = /^snapshot-(\d{16})-(\d{1,16})$/.exec(file) ?? [];
  return index === undefined || term === undefined ? null : { file, index: Number(index), term: Number(term) };
}

/** The file's bytes. */
export function encodeSnapshot(snapshot: Snapshot): Uint8Array {
  const { index, term, configuration, data } = snapshot;
  return sealText(sealKind, `${toAsciiJson({ index, term, configuration })}\n${data}`);
}

/** Reads the file back. */
export function decodeSnapshot(bytes: Uint8Array): ReadSnapshot {
  const unsealed = unsealText(sealKind, bytes);
  if (unsealed.kind !== "whole") return unsealed;
  const endOfLine = unsealed.text.indexOf("\n");
  const value = parseJson(unsealed.text.slice(0, endOfLine));
  const { index, term, configuration: written } = isObject(value) ? value : {};
  const configuration = parseConfiguration(written);
  if (!isWhole(index) || !isWhole(term) || configuration === null) {
    return { kind: "broken", reason: "its first line does not say index, term and configuration" };
  }
  return { kind: "whole", snapshot: { index, term, configuration, data: unsealed.text.slice(endOfLine + 1) } };
}

const sealKind = "adrift-snapshot";
