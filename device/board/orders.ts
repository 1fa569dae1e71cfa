/**
 * What a bench of local processes may tell a board to do to itself, over the channel between parent and child: faults
 * that on a table would need a bad card or a bad clock. Only a board that was started with `--orders` listens.
 */

/** An order to a board. */
export type Order =
  | { readonly type: "setDisk"; readonly condition: DiskCondition }
  /** From now on its clocks gain so many parts in a million; negative: they lose. */
  | { readonly type: "setClockDrift"; readonly driftPpm: number }
  /** Its wall clock is set wrong by so much. */
  | { readonly type: "jumpClock"; readonly byUs: number }
  /** The broker that runs inside the board. */
  | { readonly type: "stopBroker" | "startBroker" };

/** `slow`: each flush takes at least `flushUs`. `stalled`: nothing ends. `full`: nothing more fits. */
export type DiskCondition =
  | { readonly kind: "healthy" | "stalled" | "full" }
  | { readonly kind: "slow"; readonly flushUs: number };

/** What a board tells its parent. */
export type OrderReport =
  /** It runs; ports are those of the broker inside it, if any. */
  | { readonly type: "started"; readonly brokerPort: number | null }
  /** An order was carried out. */
  | { readonly type: "done"; readonly order: Order["type"] };
