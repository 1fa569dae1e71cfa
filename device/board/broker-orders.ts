/** What a bench of local processes and the process of one of its brokers say to each other, over the channel between them. */

import type { BrokerSettings } from "../mqtt/broker.ts";

/** The first and only thing that the parent says. */
export type BrokerOrder = { readonly type: "start"; readonly settings: Omit<BrokerSettings, "tell"> };

/** What the broker's process tells its parent. */
export type BrokerReport =
  /** It can be reached at these ports. */
  | { readonly type: "started"; readonly port: number; readonly webSocketPort: number | null }
  /** It could not start, and ends. */
  | { readonly type: "failed"; readonly message: string };
