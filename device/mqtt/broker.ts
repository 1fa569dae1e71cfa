/** What a broker that Adrift starts itself is given, and what it gives. `embedded-broker.ts` is the one that does it. */

import type { Keys } from "./keys.ts";

/** What a broker is made of. */
export type BrokerSettings = {
  readonly name: string;
  /** Without keys it must be a loopback address: nobody from outside may come in unknown. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** MQTT over WebSocket, for pages; `null`: none; 0 takes a free port. */
  readonly webSocketPort: number | null;
  /** With keys it takes only TLS with client certificates, and holds everybody to their name. */
  readonly keys: Keys | null;
  /** For the rules of who may do what: see `permissions.ts`. */
  readonly cluster: string;
  readonly boards: readonly string[];
  /** What happens at the door, a line each, for whoever runs the broker: who came, who was turned away and why. */
  tell?(happening: string): void;
};

/** A broker that runs. */
export type RunningBroker = {
  readonly port: number;
  readonly webSocketPort: number | null;
  /** Ends it and every connection. */
  close(): Promise<void>;
};

/** A broker cannot be started as it was asked for. The message says why, and what to do now. */
export class BrokerError extends Error {
  override readonly name = "BrokerError";
}
