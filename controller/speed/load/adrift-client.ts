/** A cluster of boards, through the client library that everybody uses. */

import { connect } from "../../../device/mqtt/client.ts";
import type { LoadClient, LoadTarget } from "./load-client.ts";

const patienceMs = 15_000;

/** Connects to all brokers. */
export async function connectToAdrift(target: Extract<LoadTarget, { kind: "adrift" }>): Promise<LoadClient> {
  const { cluster, brokers, inFlightMax } = target;
  const client = await connect({ cluster, brokers, inFlightMax, deadlineMs: patienceMs });
  return {
    write: (key, value) => client.write(key, value),
    async read(key) {
      const value = await client.read(key);
      if (value !== null && typeof value !== "string") throw new Error(`${key} holds no text.`);
      return value;
    },
    close: () => client.close(),
  };
}
