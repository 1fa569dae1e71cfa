/**
 * Keys of a run's own: a rack goes on from run to run, but a history begins with keys that nobody has written. So a run's
 * keys get a prefix that no other run has, and are deleted at its end.
 */

import type { CallOutcome } from "../../../device/client/client.ts";
import type { KeyValueOperation } from "../../../device/client/key-value-call.ts";
import type { BenchClient } from "../bench.ts";

/** See the head of this file. */
export class RunKeys {
  readonly #prefix: string;
  readonly #used = new Set<string>();

  /** @param run what no other run of the cluster is called */
  constructor(run: string) {
    this.#prefix = `run-${run}/`;
  }

  /** A client whose keys are those of this run; its operations and answers read as if they had no prefix. */
  over(client: BenchClient): BenchClient {
    return {
      perform: (operation) => this.#perform(client, operation),
      close: () => client.close(),
    };
  }

  /** Deletes what the run wrote, as far as somebody answers. */
  async clear(client: BenchClient): Promise<void> {
    for (const key of this.#used) {
      const { type } = await client.perform({ op: "delete", key });
      if (type !== "ok") return;
    }
  }

  #perform(client: BenchClient, operation: KeyValueOperation): Promise<CallOutcome> {
    const key = `${this.#prefix}${operation.key}`;
    if (operation.op !== "read") this.#used.add(key);
    return client.perform({ ...operation, key });
  }
}
