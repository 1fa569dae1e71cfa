/** Whose keys in a folder of keys are for people. */

import { readdirSync } from "node:fs";
import { keyFiles } from "../../../device/mqtt/read-keys.ts";
import { controllerName } from "../../../device/transport/topics.ts";
import type { Bench } from "../../../hardware/bench.ts";

/** The client as which commands speak unless they are told otherwise. */
export const usualKeyName = "client";

/** The name of a client that has keys in the folder, the usual one if it has; without any client the controller. */
export function clientWithKeys(folder: string, { boards, brokers }: Bench): string {
  const files = readdirSync(folder);
  const others = new Set([...boards.map(({ name }) => name), ...brokers.flatMap(({ name, node }) => [name, node])]);
  const hasKeys = (name: string) => files.includes(keyFiles("", name).privateKey);
  const names = files.filter((file) => file.endsWith(".pem")).map((file) => file.slice(0, -".pem".length));
  const clients = names.filter((name) => ![controllerName, "authority"].includes(name) && !others.has(name));
  const usable = clients.filter(hasKeys).sort();
  return usable.includes(usualKeyName) ? usualKeyName : (usable[0] ?? controllerName);
}
