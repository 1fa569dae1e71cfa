/** A stand-in for a real bench: a simulated world behind the interface of real ones, in time that nobody waits for. */

import { boardOf } from "../../device/replica/identity.ts";
import { replicaOptionsOf } from "../../device/replica/options.ts";
import type { BoardStatus } from "../../device/transport/envelope.ts";
import type { Bench } from "../../hardware/bench.ts";
import type { SimBoard } from "../../sim/sim-board.ts";
import { World, type WorldEvent } from "../../sim/world.ts";
import type { BoardRecord, Death, ExperimentBench } from "../bench/bench.ts";
import { carryOut, viewOf } from "../bench/simulated.ts";
import type { BenchAction } from "./bench-action.ts";
import type { Experiment } from "./model.ts";
import type { Time } from "./time.ts";

export type StandIn = {
  readonly bench: ExperimentBench;
  readonly time: Time;
  readonly world: World;
  /** What the bench is to say of processes that died. */
  readonly deaths: Death[];
  /** Lets time pass until this settles. */
  passUntilSettled<Value>(promise: Promise<Value>): Promise<Value>;
};

/** The wall clock when the world begins. */
const wallZeroUs = 1_700_000_000_000_000;
/** How fine time passes, and how long the bench takes from an order to what is seen of it. */
const stepUs = 2_000;
const seenAfterUs = 7_000;

/** @param refuse throws for actions that the bench is to fail at. */
export function createStandIn(
  experiment: Experiment,
  bench: Bench,
  refuse: (action: BenchAction) => void = () => undefined,
): StandIn {
  const records: BoardRecord[] = [];
  const deaths: Death[] = [];
  const note = (event: WorldEvent): void => {
    if (event.kind !== "board") return;
    const { atUs, board } = event;
    const happening = { kind: "replica", event: JSON.parse(JSON.stringify(event.event)) } as const;
    const number = records.length + 1;
    records.push({ board, record: { number, boot: 1, wallUs: wallZeroUs + atUs, monotonicUs: atUs, happening } });
  };
  const world = new World({
    bench,
    seed: 1,
    replica: replicaOptionsOf({ timing: bench.timing, raft: experiment.raft, rejoinAfterDamage: true }),
    workload: experiment.workload,
    tell: note,
  });
  const sleepers: { readonly atUs: number; wake(): void }[] = [];
  const time: Time = {
    nowUs: () => world.nowUs,
    wallUs: () => wallZeroUs + world.nowUs,
    sleep: (us) => new Promise((resolve) => sleepers.push({ atUs: world.nowUs + us, wake: resolve })),
  };
  world.powerOn();

  return {
    world,
    deaths,
    time,
    bench: {
      kind: "local",
      bench,
      async carryOut(action) {
        refuse(action);
        carryOut(world, action, { sparesQuorum: false });
        await time.sleep(seenAfterUs);
        return null;
      },
      view: () => viewOf(world),
      connectClient: (name) =>
        Promise.resolve({
          perform: (operation) =>
            new Promise((resolve) => world.clients.find((each) => each.name === name)?.begin(operation, resolve)),
          close: () => Promise.resolve(),
        }),
      statuses: () => Promise.resolve(new Map(world.boards.flatMap(statusOf))),
      // As on real benches, a record may come twice, and boards answer in any order.
      flightRecords: () => Promise.resolve([...records.slice(0, 20), ...records.toReversed()]),
      deaths: () => deaths,
      close: () => Promise.resolve({ leftovers: [] }),
    },
    async passUntilSettled(promise) {
      let isSettled = false;
      const settled = promise.finally(() => {
        isSettled = true;
      });
      settled.catch(() => undefined);
      for (;;) {
        // Whoever was woken or answered goes on first.
        await new Promise((resolve) => setImmediate(resolve));
        if (isSettled) return settled;
        world.runUntil(world.nowUs + stepUs);
        for (const due of sleepers.filter(({ atUs }) => atUs <= world.nowUs)) {
          sleepers.splice(sleepers.indexOf(due), 1);
          due.wake();
        }
      }
    },
  };
}

function statusOf({ name, replica, state }: SimBoard): readonly [string, BoardStatus][] {
  const raft = replica?.raft;
  if (replica === null || raft === undefined || raft === null || state !== "running") return [];
  const { voters, learners } = raft.configuration;
  return [[boardOf(name), { ...replica.status, voters, learners, version: "0", carrier: null }]];
}
