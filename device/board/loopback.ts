/** Whether an address leads to this machine and nowhere else. */

import { isIPv4 } from "node:net";

/** Whether a host name or address, of IPv6 with or without brackets, is of this machine alone. */
export function isLoopback(host: string): boolean {
  if (isIPv4(host)) return host.startsWith("127.");
  return host === "localhost" || host === "::1" || host === "[::1]";
}
