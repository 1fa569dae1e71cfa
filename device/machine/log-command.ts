/**
 * What stands in the log for the machines: the opening of a session, or a command under a session.
 *
 * In the log a command is ASCII JSON with plain words, so that a person who watches the wire can read it:
 * `{"register":"c1","timeMs":1500}` and
 * `{"client":"c1","session":4,"request":2,"firstPending":2,"machine":"kv","command":{"op":"delete","key":"x"},"timeMs":1512}`.
 */

import { type Json, toAsciiJson } from "../json.ts";
import { isCount, isObject } from "./json-shape.ts";

/** `timeMs` is the cluster's time as the leader's clock told it when it proposed the entry. */
export type LogCommand =
  /**
   * Opens a session (§6.3); its number is the index of this entry. The session is this client's alone. `client` has at
   * most `clientNameLengthMax` characters.
   */
  | { readonly kind: "register"; readonly client: string; readonly timeMs: number }
  /** A command for one machine. What the numbers mean stands at `Request` in `device/transport/protocol.ts`. */
  | {
      readonly kind: "command";
      /** Who asks: nobody acts in the session of another client. */
      readonly client: string;
      readonly session: number;
      readonly request: number;
      /** At most `request`. */
      readonly firstPending: number;
      readonly machine: string;
      readonly command: Json;
      readonly timeMs: number;
    };

/** The most characters that the name of a client may have. */
export const clientNameLengthMax = 128;

/** The text that stands in the log for a command. */
export function encodeCommand(entry: LogCommand): string {
  switch (entry.kind) {
    case "register":
      return toAsciiJson({ register: entry.client, timeMs: entry.timeMs });
    case "command": {
      const { client, session, request, firstPending, machine, command, timeMs } = entry;
      return toAsciiJson({ client, session, request, firstPending, machine, command, timeMs });
    }
  }
}

/** The command for which a text stands, or `null` if it stands for none: the same answer on every board. */
export function decodeCommand(data: string): LogCommand | null {
  // Where several hosts share a process, each entry is decoded by all of them, one soon after the other.
  const place = data.length % recent.length;
  const known = recent[place];
  if (known !== undefined && known.data === data) return known.command;
  const command = parseCommand(data);
  recent[place] = { data, command };
  return command;
}

/** What was decoded lately, found by the text's length. Commands are immutable, so they may be handed out again. */
const recent: ({ readonly data: string; readonly command: LogCommand | null } | undefined)[] = Array.from({
  length: 64,
});

function parseCommand(data: string): LogCommand | null {
  const fields = parse(data);
  if (!isObject(fields)) return null;
  const { register, client, session, request, firstPending, machine, command, timeMs } = fields;
  if (!isCount(timeMs)) return null;
  if (typeof register === "string") {
    return register.length <= clientNameLengthMax ? { kind: "register", client: register, timeMs } : null;
  }
  if (!isCount(session) || !isCount(request) || !isCount(firstPending) || firstPending > request) return null;
  if (typeof client !== "string" || typeof machine !== "string" || command === undefined) return null;
  return { kind: "command", client, session, request, firstPending, machine, command, timeMs };
}

/** What a text says, `null` if it is no JSON. */
function parse(data: string): Json {
  try {
    return JSON.parse(data);
  } catch {
    return null;
  }
}
