/** Without keys a broker may be reached from its own machine only. */

import { BlockList, isIP } from "node:net";
import { BrokerError } from "./broker.ts";

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** Whether only programs of this machine reach a name or address, one of IPv6 with or without brackets. */
export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, "$1");
  const family = isIP(address);
  if (family === 0) return host === "localhost";
  return loopback.check(address, family === 6 ? "ipv6" : "ipv4");
}

/**
 * Refuses to let everybody in from everywhere.
 *
 * @throws {BrokerError} without keys on an address that others reach.
 */
export function refuseOpenDoor(broker: { readonly name: string; readonly host: string }, hasKeys: boolean): void {
  if (hasKeys || isLoopback(broker.host)) return;
  throw new BrokerError(
    `broker ${broker.name}: without keys it may listen on this machine only, and ${broker.host} is an address that ` +
      "others reach. Use 127.0.0.1, or make keys with `adrift init` and give them with --keys.",
  );
}
