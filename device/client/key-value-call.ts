import type { Json } from "../json.ts";
import type { ReadMode } from "../transport/protocol.ts";
import type { Call } from "./client.ts";

/** An operation on the machine `kv`, as it stands in a history. */
export type KeyValueOperation =
  | { readonly op: "read" | "delete"; readonly key: string }
  | { readonly op: "write"; readonly key: string; readonly value: Json }
  | { readonly op: "cas"; readonly key: string; readonly value: readonly [expected: Json, next: Json] }
  | { readonly op: "append"; readonly key: string; readonly value: string }
  | { readonly op: "add"; readonly key: string; readonly value: number };

/** What to submit to a client for an operation: a read is a query, everything else a command. */
export function keyValueCall(operation: KeyValueOperation, readMode: ReadMode = "linearizable"): Call {
  return operation.op === "read"
    ? { kind: "query", machine: "kv", query: operation, mode: readMode }
    : { kind: "command", machine: "kv", command: operation };
}
