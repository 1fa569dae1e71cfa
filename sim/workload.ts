/** What the simulated clients do: which operations on which keys, how often. */

import type { KeyValueOperation } from "../device/client/key-value-call.ts";
import type { Random } from "../device/random.ts";
import type { ReadMode } from "../device/transport/protocol.ts";

/** What all clients of a run do together. */
export type Workload = {
  readonly clients: number;
  /** Operations that all clients together begin in a second of virtual time, while they are answered. */
  readonly operationsPerSecond: number;
  /** How many keys of each kind. Numbers are added to, texts appended to, registers written and swapped; all are read. */
  readonly keys: number;
  /** How often each operation is drawn, in relation to the others; none may be negative. */
  readonly mix: Mix;
  readonly readMode: ReadMode;
  /** How long a client waits for an operation before it gives it up, in microseconds. */
  readonly timeoutUs: number;
  /** How long it waits for an answer before it repeats a request the first time, in microseconds. */
  readonly retryAfterUs: number;
};

/** The weight of each operation in a mix. */
export type Mix = { readonly [Name in KeyValueOperation["op"]]: number };

/** Five clients, twenty operations a second, half of them reads. */
export const defaultWorkload: Workload = {
  clients: 5,
  operationsPerSecond: 20,
  keys: 2,
  mix: { read: 10, write: 4, cas: 2, append: 1, add: 3, delete: 0 },
  readMode: "linearizable",
  timeoutUs: 5_000_000,
  retryAfterUs: 300_000,
};

/** Draws operations one after the other. What they write is unlike anything written before, so that a read shows its source. */
export class OperationSource {
  readonly #workload: Workload;
  readonly #random: Random;
  readonly #prefix: string;
  readonly #weightSum: number;
  #written = 0;
  readonly #lastSeen = new Map<string, string | number | null>();

  constructor(workload: Workload, prefix: string, random: Random) {
    this.#workload = workload;
    this.#prefix = prefix;
    this.#random = random;
    this.#weightSum = Object.values(workload.mix).reduce((sum, weight) => sum + weight, 0);
    if (this.#weightSum <= 0) throw new RangeError("The workload's mix draws no operation: give one a weight above 0.");
  }

  next(): KeyValueOperation {
    const number = this.#random.between(0, this.#workload.keys);
    const op = this.#draw();
    switch (op) {
      case "read":
        return { op, key: `${this.#random.pick(kinds)}${number}` };
      case "write":
        return { op, key: `register${number}`, value: this.#fresh() };
      case "cas": {
        const key = `register${number}`;
        return { op, key, value: [this.#lastSeen.get(key) ?? null, this.#fresh()] };
      }
      case "append":
        return { op, key: `text${number}`, value: `${this.#fresh()} ` };
      case "add":
        return { op, key: `number${number}`, value: this.#random.between(1, 10) };
      case "delete":
        return { op, key: `register${number}` };
    }
  }

  /** A read brought this value: a later compare-and-swap will expect it. */
  saw(key: string, value: unknown): void {
    if (typeof value === "string") this.#lastSeen.set(key, value);
  }

  #fresh(): string {
    this.#written += 1;
    return `${this.#prefix}-${this.#written}`;
  }

  #draw(): KeyValueOperation["op"] {
    let place = this.#random.between(0, this.#weightSum);
    for (const op of operations) {
      place -= this.#workload.mix[op];
      if (place < 0) return op;
    }
    return "read";
  }
}

const kinds = ["register", "number", "text"] as const;
const operations = ["read", "write", "cas", "append", "add", "delete"] as const;
