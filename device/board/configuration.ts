/** What a board is told about itself and its bench: `board.yaml`, read and checked. */

import type { ReplicaChoices } from "../replica/options.ts";

/** What an LED of its own can show. */
export type LedSignal = "leader" | "follower" | "candidate" | "cutOff" | "broken";

/** A board's configuration, everything filled in. */
export type BoardConfiguration = {
  /** Its name. */
  readonly board: string;
  readonly cluster: string;
  /** The folder for its log, its flight recorder and its lock. */
  readonly data: string;
  /** Every board that there may be, with the broker on which it listens; this one among them. */
  readonly boards: readonly { readonly name: string; readonly inbox: string }[];
  /** The boards with which the cluster began. */
  readonly founders: readonly string[];
  /** Where each broker is reached: `mqtt://host:port`, or `mqtts://host:port` with keys. */
  readonly brokers: readonly { readonly name: string; readonly url: string }[];
  /** The broker that runs inside this board, if any. */
  readonly serves: {
    readonly broker: string;
    readonly host: string;
    readonly port: number;
    readonly webSocketPort: number | null;
  } | null;
  readonly timing: ReplicaChoices["timing"];
  readonly raft: ReplicaChoices["raft"];
  /** A board whose log is damaged joins anew by itself; otherwise it waits for a person. */
  readonly rejoinAfterDamage: boolean;
  /** Files of PEM texts, read when the board starts; `null`: no TLS, and loopback only. */
  readonly keys: { readonly authority: string; readonly certificate: string; readonly privateKey: string } | null;
  /** Where Prometheus finds the metrics, on loopback; `null`: nowhere. 0 takes a free port. */
  readonly metricsPort: number | null;
  readonly logLevel: "trace" | "debug" | "info" | "warn" | "error" | "silent";
  /** The network interfaces whose carrier is watched; empty: all that have a cable. */
  readonly interfaces: readonly string[];
  /**
   * The LEDs that say how the board stands, by their names in `/sys/class/leds`: by patterns, or steadily as long as the
   * board is what one of them `shows`.
   */
  readonly leds: readonly { readonly name: string; readonly shows: LedSignal | null }[];
  /** The serial line to which the board writes how it takes part, such as `/dev/serial0`; `null`: none. */
  readonly console: string | null;
};
