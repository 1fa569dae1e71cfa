/**
 * What a replicated state machine is: a pure function of the commands applied to it, one after the other, on every
 * board. No clock, no chance, no I/O; time, where it matters, comes with the command from the leader's entry.
 */

import type { Json } from "../json.ts";

/** What a machine may know of the entry that it applies. */
export type ApplyContext = {
  /** The entry's index in the log. */
  readonly index: number;
  /** The cluster's time at this entry in milliseconds, written by the leader; it never goes back along the log. */
  readonly timeMs: number;
};

/** The answer to a command or a query: a value, or a refusal by the machine's own rules (which is an answer too). */
export type MachineResult =
  | { readonly ok: true; readonly value: Json }
  | { readonly ok: false; readonly error: string };

/** One replicated state machine. */
export interface Machine {
  /** The name by which commands address this machine, e.g. `kv`. */
  readonly name: string;

  /** Carries out a command. The same commands in the same order give the same results and states on every board. */
  apply(command: Json, context: ApplyContext): MachineResult;

  /** Answers a question about the present state and leaves it as it is. */
  query(question: Json): MachineResult;

  /** The whole state as JSON, the same on every board that applied the same commands (so with an order of its own). */
  snapshot(): Json;

  /** Takes a state made by `snapshot` in the place of the present one. Throws if it is not one, changing nothing. */
  restore(state: Json): void;

  /** Why this command would be refused before it enters the log (too large, not a command), or `null`. Pure. */
  check(command: Json): string | null;
}
