/** A board in numbers, as Prometheus takes them. */

import { monitorEventLoopDelay } from "node:perf_hooks";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { BoardStatus } from "../transport/envelope.ts";
import type { Happening } from "./happening.ts";

/** What is read from a board whenever its metrics are asked for; all of it must be cheap. */
export type MetricsSource = {
  status(): BoardStatus;
  /** The board's connection to each broker, and how many bytes wait for it. */
  brokers(): readonly { readonly broker: string; readonly isUp: boolean; readonly waitingBytes: number }[];
  /** Payloads that were dropped, by reason. */
  drops(): ReadonlyMap<string, number>;
  /** Requests of clients that wait for their answer. */
  pendingRequests(): number;
  /** Records that the flight recorder could not write. */
  lostRecords(): number;
};

/** The metrics of one board. What happens is told here as it happens; the rest is read from the source. */
export type Metrics = {
  happened(happening: Happening): void;
  /** From an entry's way to this board's disk to the moment when it is applied. */
  commitTook(us: number): void;
  /** From asking for a flush to its end. */
  flushTook(us: number): void;
  /** All of it, in Prometheus' text format. */
  text(): Promise<string>;
  readonly contentType: string;
  /** Ends the watch over the event loop. */
  close(): void;
};

const roles = ["opening", "joining", "follower", "preCandidate", "candidate", "leader", "stopped"] as const;

/** From a tenth of a millisecond, which a good disk takes, to ten seconds, which a bad card has taken. */
const bucketsSeconds = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

const eventLoopEveryMs = 20;

/** Begins to measure. */
export function createMetrics(source: MetricsSource): Metrics {
  const registry = new Registry();
  const eventLoop = monitorEventLoopDelay({ resolution: eventLoopEveryMs });
  eventLoop.enable();
  addStatus(registry, source);
  addQueues(registry, source);
  addProcess(registry, eventLoop);

  const registers = [registry];
  const elections = new Counter({
    name: "adrift_elections_total",
    help: "Elections in which this board stood",
    registers,
  });
  const leaderChanges = new Counter({
    name: "adrift_leader_changes_total",
    help: "How often this board heard of a new leader",
    registers,
  });
  const commits = new Histogram({
    name: "adrift_commit_seconds",
    help: "From an entry's way to this board's disk to the moment when it is applied",
    buckets: bucketsSeconds,
    registers,
  });
  const flushes = new Histogram({
    name: "adrift_flush_seconds",
    help: "From asking the disk to flush to its answer",
    buckets: bucketsSeconds,
    registers,
  });
  return {
    happened(happening): void {
      if (happening.kind !== "replica") return;
      const { event } = happening;
      if (event.type === "role" && event.role === "candidate") elections.inc();
      if (event.type === "leader" && event.leader !== null) leaderChanges.inc();
    },
    commitTook: (us) => commits.observe(us / 1_000_000),
    flushTook: (us) => flushes.observe(us / 1_000_000),
    text: () => registry.metrics(),
    contentType: registry.contentType,
    close: () => void eventLoop.disable(),
  };
}

function addStatus(registry: Registry, source: MetricsSource): void {
  addGauge(registry, "adrift_term", "The present term", () => source.status().term);
  addGauge(registry, "adrift_commit_index", "The last entry that is committed", () => source.status().commitIndex);
  addGauge(registry, "adrift_applied_index", "The last entry that is applied", () => source.status().appliedIndex);
  addGauge(registry, "adrift_last_index", "The last entry of the log", () => source.status().lastIndex);
  addGauge(registry, "adrift_carrier", "Whether a cable is plugged in; absent where nobody can tell", () => {
    const { carrier } = source.status();
    return carrier === null ? null : Number(carrier);
  });
  addLabelled(registry, "adrift_role", "1 for the role that the board has, 0 for all others", "role", () => {
    const { role } = source.status();
    return roles.map((each) => [each, Number(each === role)]);
  });
  addLabelled(registry, "adrift_version", "1 for the version of the board's software", "version", () => [
    [source.status().version, 1],
  ]);
}

function addQueues(registry: Registry, source: MetricsSource): void {
  addLabelled(registry, "adrift_broker_connected", "1 for brokers that the board is connected to", "broker", () =>
    source.brokers().map(({ broker, isUp }) => [broker, Number(isUp)]),
  );
  addLabelled(registry, "adrift_broker_waiting_bytes", "Bytes that the broker has not taken yet", "broker", () =>
    source.brokers().map(({ broker, waitingBytes }) => [broker, waitingBytes]),
  );
  addGauge(registry, "adrift_pending_requests", "Requests that wait for their answer", () => source.pendingRequests());
  new Counter({
    name: "adrift_dropped_payloads_total",
    help: "Payloads that were dropped, by reason",
    labelNames: ["reason"],
    registers: [registry],
    collect(): void {
      this.reset();
      for (const [reason, count] of source.drops()) this.inc({ reason }, count);
    },
  });
  new Counter({
    name: "adrift_lost_flight_records_total",
    help: "Records that the flight recorder could not write",
    registers: [registry],
    collect(): void {
      this.reset();
      this.inc(source.lostRecords());
    },
  });
}

/** The event loop's delay is that since the metrics were last asked for; Node counts the time between two looks at it. */
function addProcess(registry: Registry, eventLoop: ReturnType<typeof monitorEventLoopDelay>): void {
  addGauge(registry, "process_resident_memory_bytes", "Resident memory", () => process.memoryUsage.rss());
  const help = "How late the event loop was since the metrics were last asked for";
  addLabelled(registry, "adrift_event_loop_delay_seconds", help, "quantile", () => {
    const quantiles = [0.5, 0.99, 1].map((quantile): [string, number] => {
      const delayMs = eventLoop.percentile(100 * quantile) / 1e6 - eventLoopEveryMs;
      return [String(quantile), Math.max(0, delayMs) / 1_000];
    });
    eventLoop.reset();
    return quantiles;
  });
}

/** A number that is read when it is asked for; `null`: there is none. */
function addGauge(registry: Registry, name: string, help: string, read: () => number | null): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect(): void {
      const value = read();
      if (value === null) this.remove();
      else this.set(value);
    },
  });
}

/** A number for each value of a label. */
function addLabelled<Label extends string>(
  registry: Registry,
  name: string,
  help: string,
  label: Label,
  read: () => readonly (readonly [string, number])[],
): void {
  new Gauge<string>({
    name,
    help,
    labelNames: [label],
    registers: [registry],
    collect(): void {
      this.reset();
      for (const [value, number] of read()) this.set({ [label]: value }, number);
    },
  });
}
