/** The QEMU bench, made ready for an experiment: timers for slow boards, patient clients, and an eye on the boards. */

import type { Bench } from "../../hardware/bench.ts";
import type { BenchAction } from "../experiment/bench-action.ts";
import type { RaftSettings } from "../experiment/model.ts";
import { type Time, waitUntil } from "../experiment/time.ts";
import { BenchFailure, type ExperimentBench } from "./bench.ts";
import { Deaths } from "./local/deaths.ts";
import { OverMqtt } from "./over-mqtt.ts";
import { emulatedTiming, patience } from "./qemu/emulation.ts";
import { controllerKeys } from "./qemu/equip.ts";
import { type QemuBench, startQemuBench } from "./qemu/qemu-bench.ts";

/** So long machines have to boot, all at once, on a small computer. */
const bootWithinUs = 600_000_000;

/**
 * Boots all boards; resolves when each of them answers.
 *
 * @param tell hears what takes long, a line each
 * @throws {BenchFailure} if this computer lacks something, or a board does not boot.
 */
export async function startQemuExperimentBench(
  described: Bench,
  raft: RaftSettings,
  time: Time,
  tell: (line: string) => void,
): Promise<ExperimentBench> {
  const bench: Bench = { ...described, timing: emulatedTiming };
  const deaths = new Deaths();
  const qemu = await startQemuBench({
    bench,
    raft,
    tell,
    changed: (name, change) => deaths.note(name, change, time.nowUs()),
  });
  try {
    const { heartbeatMs, electionMinMs, electionMaxMs } = emulatedTiming;
    tell(
      `Booting ${bench.boards.length} emulated boards, which takes a minute or two. Their timers: heartbeat ${heartbeatMs} ms, ` +
        `election ${electionMinMs}-${electionMaxMs} ms; clients' patience and promises of time are ${patience} times as long as the experiment says.`,
    );
    const cluster = await OverMqtt.connect({
      bench,
      brokers: qemu.brokerUrls,
      keys: controllerKeys(qemu.keys),
      nowUs: () => time.nowUs(),
    });
    const startedUs = time.nowUs();
    await awaitBoards(
      qemu,
      cluster,
      bench.boards.map(({ name }) => name),
      time,
    );
    tell(`All boards run, after ${Math.round((time.nowUs() - startedUs) / 1_000_000)} s.`);
    return {
      kind: "qemu",
      bench,
      async carryOut(action: BenchAction) {
        const refusal = await qemu.carryOut(action);
        if (action.kind === "start") await awaitBoards(qemu, cluster, [action.board], time);
        return refusal;
      },
      view: () => cluster.view(qemu.running),
      connectClient: (name, workload) => cluster.connectClient(name, workload),
      statuses: () => cluster.statuses(),
      flightRecords: () => cluster.flightRecords(),
      place: (board, moment) => cluster.place(board, moment),
      deaths: () => deaths.all,
      async close() {
        await cluster.close();
        await qemu.close();
        return { leftovers: [] };
      },
    };
  } catch (error) {
    await qemu.close();
    throw error;
  }
}

/** Waits until these boards answer by MQTT. */
async function awaitBoards(qemu: QemuBench, cluster: OverMqtt, boards: readonly string[], time: Time): Promise<void> {
  let missing = boards;
  const allAnswer = async (): Promise<boolean> => {
    const statuses = await cluster.statuses();
    missing = boards.filter((board) => !statuses.has(board));
    return missing.length === 0;
  };
  if (await waitUntil(allAnswer, bootWithinUs, time)) return;
  throw new BenchFailure(
    `${missing.join(", ")} did not boot within ${bootWithinUs / 1_000_000} s. What the machines said on their consoles ` +
      `was in ${qemu.folder}.`,
  );
}
