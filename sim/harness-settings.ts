/** What a user may say about a simulated bench, and the world that it comes to. */

import { defaultReplicaOptions, type ReplicaOptions } from "../device/replica/options.ts";
import type { ReadMode } from "../device/transport/protocol.ts";
import { type Bench, parseBench } from "../hardware/bench.ts";
import { durationPattern, parseDurationUs } from "./duration.ts";
import { defaultWorkload, type Workload } from "./workload.ts";
import type { WorldSettings } from "./world.ts";

/** A length of virtual time: text such as `300ms`, `5s`, `2m`, or whole microseconds. */
export type Duration = string | number;

/** What `simulate` takes; everything may be left out. */
export type SimulateOptions = {
  /** A bench, or the text of a `bench.yaml`. Left out: `boards` boards, wired as `wiring` says. */
  readonly bench?: Bench | string;
  /** How many boards (pi-1, pi-2, ...), if no `bench` is given. Default: 5. */
  readonly boards?: number;
  /**
   * If no `bench` is given. `switch` (the default): all boards on one switch, with one broker. `direct`: a cable between
   * any two boards, `pi-1-pi-2` and so on, and a broker on each board, so that every pair can be parted from every other.
   */
  readonly wiring?: "switch" | "direct";
  /** The same seed gives the same run, to the byte. Default: 1. */
  readonly seed?: string | number;
  /** How many clients there are (c1, c2, ...); each has one operation open at a time. Default: 5. */
  readonly clients?: number;
  /** How fresh the clients' reads are. Default: `linearizable`. */
  readonly reads?: ReadMode;
  /** How long a client waits for an answer before it gives up. Default: `5s`. */
  readonly timeout?: Duration;
  /** What clients do once they `work`. */
  readonly workload?: Partial<Omit<Workload, "clients" | "readMode" | "timeoutUs">>;
  /** Settings of Raft; without them its timers are those of the bench. */
  readonly raft?: Partial<ReplicaOptions["raft"]>;
  /** Settings of a board beyond Raft's own: snapshots, sessions, what to do with a broken disk. */
  readonly replica?: Partial<Omit<ReplicaOptions, "raft">>;
} & Pick<WorldSettings, "network" | "disk" | "laws" | "tell" | "overhear">;

/** @throws RangeError if the duration cannot be read. */
export function durationUs(duration: Duration): number {
  if (typeof duration === "number" && Number.isSafeInteger(duration) && duration >= 0) return duration;
  if (typeof duration === "string" && durationPattern.test(duration)) return parseDurationUs(duration);
  throw new RangeError(`${duration} is no duration: write it like 300ms, 5s or 2m, or give whole microseconds.`);
}

/** The settings of the world that these options describe. */
export function worldSettings(options: SimulateOptions): WorldSettings {
  const { network, disk, laws, tell, overhear } = options;
  const bench = benchOf(options);
  return {
    bench,
    seed: options.seed ?? 1,
    replica: replicaOptions(bench, options),
    workload: {
      ...defaultWorkload,
      ...options.workload,
      clients: options.clients ?? defaultWorkload.clients,
      readMode: options.reads ?? defaultWorkload.readMode,
      timeoutUs: durationUs(options.timeout ?? defaultWorkload.timeoutUs),
    },
    ...(network === undefined ? {} : { network }),
    ...(disk === undefined ? {} : { disk }),
    ...(laws === undefined ? {} : { laws }),
    ...(tell === undefined ? {} : { tell }),
    ...(overhear === undefined ? {} : { overhear }),
  };
}

function benchOf({ bench, boards = 5, wiring = "switch" }: SimulateOptions): Bench {
  if (typeof bench === "object") return bench;
  if (bench !== undefined) return parseBench(bench, "bench.yaml");
  return parseBench(wiring === "switch" ? `boards: ${boards}` : directWiring(boards), "bench.yaml");
}

/** A broker on each board, a cable between any two, and one from each to a switch of its own, for the controller. */
function directWiring(count: number): string {
  const numbers = Array.from({ length: count }, (_, place) => place + 1);
  const pairs = numbers.flatMap((one) => numbers.filter((other) => other > one).map((other) => [one, other]));
  return [
    `boards: [${numbers.map((number) => `{ name: pi-${number}, inbox: inbox-${number} }`).join(", ")}]`,
    `brokers: [${numbers.map((number) => `{ name: inbox-${number}, board: pi-${number} }`).join(", ")}]`,
    `switches: [${numbers.map((number) => `switch-${number}`).join(", ")}]`,
    "cables:",
    ...numbers.map((number) => `  - { name: desk-${number}, ends: ["pi-${number}:eth0", "switch-${number}:1"] }`),
    ...pairs.map(
      ([one, other]) => `  - { name: pi-${one}-pi-${other}, ends: ["pi-${one}:eth${other}", "pi-${other}:eth${one}"] }`,
    ),
  ].join("\n");
}

function replicaOptions({ timing }: Bench, { raft, replica }: SimulateOptions): ReplicaOptions {
  return {
    ...defaultReplicaOptions,
    rejoinAfterDamage: true,
    ...replica,
    raft: {
      ...defaultReplicaOptions.raft,
      heartbeatUs: timing.heartbeatMs * 1_000,
      electionTimeoutMinUs: timing.electionMinMs * 1_000,
      electionTimeoutMaxUs: timing.electionMaxMs * 1_000,
      ...raft,
    },
  };
}
