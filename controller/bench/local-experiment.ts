/** The local bench, made ready for an experiment: with orders for bad disks and clocks, clients, and an eye on the boards. */

import { DefiniteError, IndefiniteError } from "../../device/mqtt/client.ts";
import type { Bench } from "../../hardware/bench.ts";
import type { BenchAction } from "../experiment/actions.ts";
import type { RaftSettings } from "../experiment/model.ts";
import { BenchFailure, type ExperimentBench } from "./bench.ts";
import { startLocalBench } from "./local/local-bench.ts";
import { OverMqtt } from "./over-mqtt.ts";

/** Starts boards and brokers as processes of this machine. @throws {BenchFailure} if they do not start. */
export async function startLocalExperimentBench(bench: Bench, raft: RaftSettings): Promise<ExperimentBench> {
  const local = await startLocalBench({
    bench,
    folder: null,
    orders: true,
    forwarders: true,
    raft,
    rejoinAfterDamage: true,
    firstPort: null,
  });
  try {
    const brokers = local.brokers.map(({ url }) => url);
    const cluster = await OverMqtt.connect({ bench, brokers, keys: null });
    return {
      kind: "local",
      bench,
      carryOut: (action) => carryOut(action, (each) => local.carryOut(each)),
      view: () => cluster.view(runningBoards()),
      connectClient: (name, workload) => cluster.connectClient(name, workload),
      statuses: () => cluster.statuses(),
      flightRecords: () => cluster.flightRecords(),
      async close() {
        await cluster.close();
        await local.close();
      },
    };
  } catch (error) {
    await local.close();
    throw error;
  }

  function runningBoards(): readonly string[] {
    return local.state.boards.filter(({ state }) => state === "running").map(({ name }) => name);
  }
}

/** A leader may refuse what an operator asks of it, or nobody may lead: that is part of an experiment, not the bench's fault. */
async function carryOut(action: BenchAction, onBench: (action: BenchAction) => Promise<unknown>): Promise<void> {
  try {
    await onBench(action);
  } catch (error) {
    if (!asksTheLeader(action) || !isRefusal(error)) throw error;
  }
}

function asksTheLeader({ kind }: BenchAction): boolean {
  return kind === "transferLeadership" || kind === "addMembers" || kind === "removeMembers";
}

function isRefusal(error: unknown): boolean {
  return error instanceof DefiniteError || error instanceof IndefiniteError || error instanceof BenchFailure;
}
