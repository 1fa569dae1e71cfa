/** Where the brokers of a rack are, and whose keys open them: from the bench's description and the folder beside it. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Keys } from "../../../device/mqtt/keys.ts";
import { KeysError, readKeys } from "../../../device/mqtt/read-keys.ts";
import { controllerName } from "../../../device/transport/topics.ts";
import type { Bench } from "../../../hardware/bench.ts";
import { BenchFailure } from "../bench.ts";

/** The brokers of a rack, as the controller reaches them, and the controller's keys. */
export type RackAccess = {
  readonly brokers: readonly { readonly name: string; readonly url: string }[];
  readonly keys: Keys | null;
};

const usualPort = 1_883;
const usualSecurePort = 8_883;

/**
 * Works it out.
 *
 * @param folder the folder of the bench's file; its `keys/`, if there is one, holds the controller's keys
 * @throws {BenchFailure} if a broker has no address, or the keys are not what they must be.
 */
export function rackAccess(bench: Bench, folder: string): RackAccess {
  const keys = keysIn(join(folder, "keys"));
  return { brokers: rackBrokers(bench, keys !== null), keys };
}

/** The brokers of a rack. @throws {BenchFailure} if one of them has no address. */
export function rackBrokers(bench: Bench, isSecure: boolean): RackAccess["brokers"] {
  return bench.brokers.map(({ name, node, address }) => {
    const place = address ?? bench.boards.find((board) => board.name === node)?.address ?? null;
    if (place === null) {
      throw new BenchFailure(
        `Where is the broker ${name} of ${bench.name}? Write its address into the bench's file, as in ` +
          `"brokers: [{ name: ${name}, address: 192.168.7.2 }]".`,
      );
    }
    return { name, url: urlOf(place, isSecure) };
  });
}

function keysIn(folder: string): Keys | null {
  if (!existsSync(folder)) return null;
  try {
    return readKeys(folder, controllerName);
  } catch (error) {
    throw error instanceof KeysError ? new BenchFailure(error.message) : error;
  }
}

/** @param address `host` or `host:port`; an IPv6 address with a port stands in brackets */
export function urlOf(address: string, isSecure: boolean): string {
  const [, host = address, port] = /^(\[[^\]]+\]|[^:]+):([0-9]+)$/.exec(address) ?? [];
  const place = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  const scheme = isSecure ? "mqtts" : "mqtt";
  return `${scheme}://${place}:${port ?? (isSecure ? usualSecurePort : usualPort)}`;
}
