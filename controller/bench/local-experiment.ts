/** The local bench, made ready for an experiment: with orders for bad disks and clocks, clients, and an eye on the boards. */

import type { Bench } from "../../hardware/bench.ts";
import type { RaftSettings } from "../experiment/model.ts";
import type { Time } from "../experiment/time.ts";
import type { ExperimentBench } from "./bench.ts";
import { Deaths } from "./local/deaths.ts";
import { startLocalBench } from "./local/local-bench.ts";
import { OverMqtt } from "./over-mqtt.ts";

/** Starts boards and brokers as processes of this machine. @throws {BenchFailure} if they do not start. */
export async function startLocalExperimentBench(
  bench: Bench,
  raft: RaftSettings,
  time: Time,
): Promise<ExperimentBench> {
  const deaths = new Deaths();
  const local = await startLocalBench({
    bench,
    folder: null,
    forwarders: true,
    raft,
    rejoinAfterDamage: true,
    firstPort: null,
    nowUs: () => time.nowUs(),
    tell(event) {
      if (event.kind === "process") deaths.note(event.name, event.change, event.atUs);
    },
  });
  try {
    const brokers = local.brokers.map(({ url }) => url);
    const cluster = await OverMqtt.connect({ bench, brokers, keys: null });
    return {
      kind: "local",
      bench,
      carryOut: async (action) => (await local.carryOut(action)).refusal ?? null,
      view: () => cluster.view(runningBoards()),
      connectClient: (name, workload) => cluster.connectClient(name, workload),
      statuses: () => cluster.statuses(),
      flightRecords: () => cluster.flightRecords(),
      deaths: () => deaths.all,
      async close() {
        await cluster.close();
        await local.close();
        return { leftovers: [] };
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
