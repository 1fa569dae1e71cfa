/** Which cluster a command means, and how it gets there. */

import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { ConnectError, type ConnectedClient, connect, type Keys } from "../../../device/mqtt/client.ts";
import { KeysError, readKeys } from "../../../device/mqtt/read-keys.ts";
import { type Bench, parseBench } from "../../../hardware/bench.ts";
import { rackBrokers } from "../../bench/rack/addresses.ts";
import { findBench } from "../files.ts";
import { readUpFile, type UpFile } from "../local/up-file.ts";
import { UsageError } from "../shell.ts";
import type { ClientOptions } from "./options.ts";

/** Where a running cluster is. */
export type RunningCluster = {
  readonly cluster: string;
  readonly brokers: readonly { readonly name: string; readonly url: string }[];
  /** The folder of keys; `null`: its brokers take whoever comes. */
  readonly keys: string | null;
  /** The bench that describes it, and the folder of its file; `null` where only brokers are known. */
  readonly rack: { readonly bench: Bench; readonly folder: string } | null;
};

/** The name in `adrift init`'s folder of keys that is meant for people. */
const usualKeyName = "client";

/** The cluster that the options name, or that runs in this folder. @throws {UsageError} if there is none. */
export function findCluster(folder: string, options: ClientOptions): RunningCluster {
  const { broker, cluster, bench, keys: given } = options;
  const keys = given === undefined ? null : resolve(folder, given);
  if (bench !== undefined) {
    if (broker.length > 0 || cluster !== undefined) {
      throw new UsageError("A bench says where its brokers are: leave out --broker and --cluster, or --bench.");
    }
    return rackIn(folder, bench, keys);
  }
  if (broker.length === 0) {
    const running = runningIn(folder);
    if (cluster === undefined || cluster === running.cluster) {
      return { ...running, keys: keys ?? running.keys, rack: null };
    }
    throw new UsageError(`Here runs ${running.cluster}, not ${cluster}: name the brokers of ${cluster} with --broker.`);
  }
  if (cluster === undefined) throw new UsageError("Name the cluster too: --cluster NAME, as in its bench.yaml.");
  return { cluster, brokers: broker.map((url) => ({ name: url.replace(/^mqtts?:\/\//, ""), url })), keys, rack: null };
}

/** The cluster on the rack that a file describes. */
function rackIn(base: string, given: string, keys: string | null): RunningCluster {
  const { name, text } = findBench(given, base);
  const bench = parseBench(text, name);
  const folder = dirname(resolve(base, name));
  const beside = join(folder, "keys");
  const found = keys ?? (existsSync(beside) ? beside : null);
  return { cluster: bench.cluster, brokers: rackBrokers(bench, found !== null), keys: found, rack: { bench, folder } };
}

/**
 * Connects to it.
 *
 * @throws {UsageError} if what was given cannot be right.
 * @throws {ConnectError} if no broker answers.
 */
export async function connectTo(found: RunningCluster, { as, timeout }: ClientOptions): Promise<ConnectedClient> {
  const keys = keysOf(found, as);
  try {
    return await connect({
      cluster: found.cluster,
      brokers: found.brokers.map(({ url }) => url),
      deadlineMs: timeout,
      ...(keys === null ? {} : { keys }),
    });
  } catch (error) {
    if (error instanceof ConnectError && error.reason === "options") throw new UsageError(error.message);
    throw error;
  }
}

function keysOf({ keys }: RunningCluster, as: string | undefined): Keys | null {
  if (keys === null) {
    if (as === undefined) return null;
    throw new UsageError("--as says whose keys to use: say with --keys where they are.");
  }
  try {
    return readKeys(keys, as ?? usualKeyName);
  } catch (error) {
    if (error instanceof KeysError) throw new UsageError(error.message);
    throw error;
  }
}

function runningIn(folder: string): UpFile {
  const running = readUpFile(folder);
  if (running !== null && isThere(running.pid)) return running;
  throw new UsageError("No cluster runs in this folder. Start one with npx adrift up, or name brokers with --broker.");
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process of another user may not be signalled, but it is there.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
