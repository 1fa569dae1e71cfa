/** What a board's flight recorder keeps, and tells on its event topic. */

import type { ReplicaEvent } from "../replica/host.ts";

/** Something that happened on a board. Commits are told a few times a second at most: there are too many of them. */
export type Happening =
  | { readonly kind: "replica"; readonly event: ReplicaEvent }
  | { readonly kind: "process"; readonly state: "started" | "stopping"; readonly version: string }
  /** The board's connection to a broker came up or ended. */
  | { readonly kind: "connection"; readonly broker: string; readonly up: boolean }
  /**
   * A network interface got or lost its carrier: a cable was plugged in or pulled. Nothing tells when: it happened after the
   * look before, which was `withinUs` earlier. At the first look there is none before.
   */
  | { readonly kind: "carrier"; readonly interface: string; readonly up: boolean; readonly withinUs?: number };
