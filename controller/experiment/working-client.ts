/** A client of a run in real time: draws operations at the workload's pace, asks, waits, and writes down what it saw. */

import type { CallOutcome } from "../../device/client/client.ts";
import type { KeyValueOperation } from "../../device/client/key-value-call.ts";
import type { Random } from "../../device/random.ts";
import type { HistoryEvent } from "../../sim/history.ts";
import { OperationSource } from "../../sim/workload.ts";
import type { BenchClient } from "../bench/bench.ts";
import type { ExperimentWorkload } from "./model.ts";
import type { Time } from "./time.ts";

/** What a working client is made of. */
export type WorkingClientSettings = {
  readonly name: string;
  readonly client: BenchClient;
  readonly workload: ExperimentWorkload;
  readonly random: Random;
  readonly time: Time;
  /** Takes an event of the history, which happens now. */
  readonly record: (event: Omit<HistoryEvent, "atUs">) => void;
};

/** One client, which may be several processes in a history: after an indefinite outcome it goes on under a new name. */
export class WorkingClient {
  readonly name: string;
  readonly #settings: WorkingClientSettings;
  readonly #operations: OperationSource;
  readonly #thinkUs: number;
  #processes = 1;
  #isWorking = false;
  #isOpen = false;
  /** Operations that succeeded. */
  answered = 0;

  constructor(settings: WorkingClientSettings) {
    const { name, workload, random } = settings;
    this.name = name;
    this.#settings = settings;
    this.#operations = new OperationSource(workload, name, random);
    this.#thinkUs = Math.floor((1_000_000 * workload.clients) / workload.operationsPerSecond);
  }

  /** Whether no operation is open. */
  get isQuiet(): boolean {
    return !this.#isOpen;
  }

  /** Begins to work: one operation after the other, at the workload's pace. */
  startWork(): void {
    if (this.#isWorking) return;
    this.#isWorking = true;
    void this.#work();
  }

  /** Begins no more operations; the one that is open goes on. */
  stopWork(): void {
    this.#isWorking = false;
  }

  async #work(): Promise<void> {
    const { random, time } = this.#settings;
    const half = Math.floor(this.#thinkUs / 2);
    for (;;) {
      await time.sleep(random.between(half, this.#thinkUs + half + 1));
      if (!this.#isWorking) return;
      if (!this.#isOpen) void this.#perform(this.#operations.next());
    }
  }

  async #perform(operation: KeyValueOperation): Promise<void> {
    const { record, client, name } = this.#settings;
    const process = this.#processes === 1 ? name : `${name}.${this.#processes}`;
    this.#isOpen = true;
    record({ process, type: "invoke", ...operation });
    const outcome = await client.perform(operation);
    this.#isOpen = false;
    if (outcome.type === "ok") this.#succeeded(operation, outcome);
    // Nobody knows how it ended, so whoever asked it is not heard of again.
    if (outcome.type === "info") this.#processes += 1;
    record({ process, type: outcome.type, ...operation, ...(outcome.type === "ok" ? { result: outcome.result } : {}) });
  }

  #succeeded(operation: KeyValueOperation, { result }: Extract<CallOutcome, { readonly type: "ok" }>): void {
    this.answered += 1;
    if (operation.op === "read") this.#operations.saw(operation.key, result);
  }
}
