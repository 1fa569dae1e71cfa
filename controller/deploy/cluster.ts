/** The cluster whose boards are updated: how each takes part, and who shall lead. */

import { ConnectError } from "../../device/mqtt/client.ts";
import type { Bench } from "../../hardware/bench.ts";
import { Operator } from "../bench/operator.ts";
import { OverMqtt } from "../bench/over-mqtt.ts";
import type { RackAccess } from "../bench/rack/addresses.ts";
import { DeployFailure } from "./deploy-failure.ts";
import type { Look } from "./order.ts";

/** See the head of this file. */
export type Cluster = {
  /** Asks every board how it takes part. */
  look(): Promise<Look>;
  /** Has the leader hand over to this board. Answers why it does not begin to; `null`: it does. */
  handOver(to: string): Promise<string | null>;
  close(): Promise<void>;
};

/** Connects as the controller. @throws {DeployFailure} if no broker can be reached */
export async function connectToCluster(bench: Bench, { brokers, keys }: RackAccess): Promise<Cluster> {
  const urls = brokers.map(({ url }) => url);
  try {
    const eye = await OverMqtt.connect({ bench, brokers: urls, keys });
    return {
      look: () => eye.statuses(),
      async handOver(to) {
        try {
          // Connected anew, it knows who leads now.
          const operator = await Operator.connect({ cluster: bench.cluster, brokers: urls, keys });
          return await operator.transferLeadership(to).finally(() => operator.close());
        } catch (error) {
          if (error instanceof ConnectError) return error.message;
          throw error;
        }
      },
      close: () => eye.close(),
    };
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    throw new DeployFailure(`The boards of ${bench.name} cannot be asked: ${error.message}`);
  }
}
