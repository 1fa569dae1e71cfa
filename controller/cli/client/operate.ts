/** `adrift get`, `put`, `cas`, `append`, `add`, `delete`: one operation on a running cluster. */

import type { Json } from "../../../device/json.ts";
import { ConnectError, type ConnectedClient, DefiniteError, IndefiniteError } from "../../../device/mqtt/client.ts";
import type { ReadMode } from "../../../device/transport/protocol.ts";
import { type ExitStatus, exitStatus, type Shell } from "../shell.ts";
import { connectTo, findCluster } from "./find-cluster.ts";
import type { ClientOptions } from "./options.ts";
import { typedNumber, typedText, typedValue } from "./typed.ts";

/** An operation as it was typed. */
export type Asked =
  | { readonly op: "read"; readonly key: string; readonly mode: ReadMode }
  | { readonly op: "write"; readonly key: string; readonly value: string }
  | { readonly op: "cas"; readonly key: string; readonly expected: string; readonly next: string }
  | { readonly op: "append"; readonly key: string; readonly text: string }
  | { readonly op: "add"; readonly key: string; readonly number: string }
  | { readonly op: "delete"; readonly key: string };

/** How an operation ended. */
type Ended =
  | { readonly type: "ok"; readonly result: Json }
  | { readonly type: "fail" | "info"; readonly error: string };

/**
 * Does it and prints the result. Ends as `done` if the cluster did it; as `failed` if it surely had no effect, and for a
 * `cas` that did not swap; as `unknown` if nobody knows.
 */
export async function operate(shell: Shell, asked: Asked, options: ClientOptions): Promise<ExitStatus> {
  const operation = operationOf(asked, options.text === true);
  const ended = await connectAndDo(operation, shell, options);
  if (options.json === true) shell.out.write(`${JSON.stringify({ op: asked.op, key: asked.key, ...ended })}\n`);
  else if (ended.type === "ok") shell.out.write(`${textOf(asked, ended.result)}\n`);
  else shell.err.write(`${ended.error}\n`);
  return statusOf(asked, ended);
}

type Operation = (client: ConnectedClient) => Promise<Json | undefined>;

/** What is to be done, everything that was typed understood before anybody is asked. */
function operationOf(asked: Asked, isText: boolean): Operation {
  const key = typedText(asked.key);
  switch (asked.op) {
    case "read":
      return (client) => client.read(key, { mode: asked.mode });
    case "write": {
      const value = typedValue(asked.value, isText);
      return (client) => client.write(key, value).then(nothing);
    }
    case "cas": {
      const [expected, next] = [typedValue(asked.expected, isText), typedValue(asked.next, isText)];
      return (client) => client.cas(key, expected, next);
    }
    case "append": {
      const text = typedText(asked.text);
      return (client) => client.append(key, text).then(nothing);
    }
    case "add": {
      const number = typedNumber(asked.number);
      return (client) => client.add(key, number);
    }
    case "delete":
      return (client) => client.delete(key);
  }
}

async function connectAndDo(operation: Operation, shell: Shell, options: ClientOptions): Promise<Ended> {
  const cluster = findCluster(shell.folder, options);
  try {
    const client = await connectTo(cluster, options);
    try {
      return { type: "ok", result: (await operation(client)) ?? null };
    } finally {
      await client.close();
    }
  } catch (error) {
    if (error instanceof IndefiniteError) return { type: "info", error: error.message };
    if (error instanceof DefiniteError || error instanceof ConnectError) return { type: "fail", error: error.message };
    throw error;
  }
}

function statusOf(asked: Asked, ended: Ended): ExitStatus {
  switch (ended.type) {
    case "ok":
      return asked.op === "cas" && ended.result !== true ? exitStatus.failed : exitStatus.done;
    case "fail":
      return exitStatus.failed;
    case "info":
      return exitStatus.unknown;
  }
}

/** A text is printed as it is, everything else as JSON; where there is nothing to tell, that it is done. */
function textOf({ op }: Asked, result: Json): string {
  if (op === "write" || op === "append") return "ok";
  return typeof result === "string" ? result : JSON.stringify(result);
}

function nothing(): null {
  return null;
}
