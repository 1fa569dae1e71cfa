/** A cluster that is measured: ours, or one to compare it with. */

import type { LoadProcess } from "./load/load-process.ts";

/** A cluster of three that runs, with the load process that asks it. */
export type Contestant = {
  /** With its version: `adrift 0.1.0`. */
  readonly name: string;
  readonly load: LoadProcess;
  /** Where the members keep their data. */
  readonly folder: string;
  /** The processes whose memory counts, by the names of members. */
  members(): ReadonlyMap<string, number>;
  /** Kills all members and starts them again. From their start until one is known to lead, in microseconds. */
  readonly restart: () => Promise<number>;
  /** The faults that can be done to its leader. */
  readonly faults: { readonly [Name in FaultName]?: () => Promise<Fault> };
  /** Ends all of it, and leaves nothing behind. */
  close(): Promise<void>;
};

/** What happens to a leader: its process is killed, or its cable is cut. */
export type FaultName = "kill" | "cut";

/** A fault that was done. */
export type Fault = {
  /** By the machine's monotonic clock, microseconds. */
  readonly atUs: number;
  /** Makes the cluster whole again; done when the member has caught up. */
  mend(): Promise<void>;
};

/** Waits for something, looking every few milliseconds. @throws with what was awaited if it does not come in time. */
export async function until(what: string, condition: () => Promise<boolean>, withinMs = 20_000): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`Waited ${withinMs / 1_000} s in vain: ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
