/** Which cluster a command means, and how it gets there. */

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { ConnectError, type ConnectedClient, connect, type Keys } from "../../../device/mqtt/client.ts";
import { KeysError, readKeys } from "../../../device/mqtt/read-keys.ts";
import { UsageError } from "../shell.ts";
import type { ClientOptions } from "./options.ts";

/** Where a running cluster is. */
export type RunningCluster = {
  readonly cluster: string;
  readonly brokers: readonly { readonly name: string; readonly url: string }[];
};

/** What `adrift up` leaves for others, below the folder where it was started. */
export const upFile: string = join(".adrift", "up.json");

const upSchema = z.object({
  format: z.literal(1),
  pid: z.number(),
  cluster: z.string(),
  brokers: z.array(z.object({ name: z.string(), url: z.string() })),
  control: z.string(),
});

/** The name in `adrift init`'s folder of keys that is meant for people. */
const usualKeyName = "client";

/** The cluster that the options name, or that runs in this folder. @throws {UsageError} if there is none. */
export function findCluster(folder: string, { broker, cluster }: ClientOptions): RunningCluster {
  if (broker.length === 0) {
    const running = readUpFile(folder);
    if (cluster === undefined || cluster === running.cluster) return running;
    throw new UsageError(`Here runs ${running.cluster}, not ${cluster}: name the brokers of ${cluster} with --broker.`);
  }
  if (cluster === undefined) throw new UsageError("Name the cluster too: --cluster NAME, as in its bench.yaml.");
  return { cluster, brokers: broker.map((url) => ({ name: url.replace(/^mqtts?:\/\//, ""), url })) };
}

/**
 * Connects to it.
 *
 * @throws {UsageError} if what was given cannot be right.
 * @throws {ConnectError} if no broker answers.
 */
export async function connectTo(
  { cluster, brokers }: RunningCluster,
  folder: string,
  options: ClientOptions,
): Promise<ConnectedClient> {
  const keys = keysOf(folder, options);
  try {
    return await connect({
      cluster,
      brokers: brokers.map(({ url }) => url),
      deadlineMs: options.timeout,
      ...(keys === null ? {} : { keys }),
    });
  } catch (error) {
    if (error instanceof ConnectError && error.reason === "options") throw new UsageError(error.message);
    throw error;
  }
}

function keysOf(folder: string, { keys, as }: ClientOptions): Keys | null {
  if (keys === undefined) {
    if (as === undefined) return null;
    throw new UsageError("--as says whose keys to use: say with --keys where they are.");
  }
  try {
    return readKeys(resolve(folder, keys), as ?? usualKeyName);
  } catch (error) {
    if (error instanceof KeysError) throw new UsageError(error.message);
    throw error;
  }
}

function readUpFile(folder: string): RunningCluster {
  const text = readIfThere(join(folder, upFile));
  if (text === null)
    throw new UsageError(`${nothingRuns} Start one with npx adrift up, or name brokers with --broker.`);
  const read = upSchema.safeParse(parsed(text));
  if (!read.success) {
    throw new UsageError(`${upFile} cannot be read: end npx adrift up with Ctrl-C, and start it again.`);
  }
  if (isGone(read.data.pid)) {
    throw new UsageError(`${nothingRuns} The one that ran has ended without a farewell; start it with npx adrift up.`);
  }
  return read.data;
}

const nothingRuns = "No cluster runs in this folder.";

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw new UsageError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    // Of another user: it is there.
    return codeOf(error) === "ESRCH";
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
