/**
 * The measurements: each in rounds, ours and the peer's in turn, so that whatever else the machine does meanwhile
 * meets both.
 */

import type { Contestant, FaultName } from "./contestant.ts";
import { measureFailOver } from "./fail-over.ts";
import type { LoopResult } from "./load/closed-loop.ts";
import { MemoryWatch } from "./memory.ts";
import { type Row, rowOf } from "./row.ts";

/** Ours, and the one to compare it with, if any. */
export type Contest = { readonly adrift: Contestant; readonly peer: Contestant | null };

/** How much is measured. */
export type MeasureSettings = {
  readonly seconds: number;
  readonly rounds: number;
};

/** Tells what is being measured. @throws whatever ends the measurements early. */
export type Tell = (what: string) => void;

/** Operations under way at once. */
export const inFlightLevels = [1, 64, 1_000] as const;

export const keys = 1_000;
export const valueBytes = 256;

const warmUpSecondsMax = 3;

/** Runs every kind of load for a while, so that engines have compiled what is hot and files have grown. */
export async function warmUp({ adrift, peer }: Contest, { seconds }: MeasureSettings, tell: Tell): Promise<void> {
  for (const contestant of [adrift, peer]) {
    if (contestant === null) continue;
    for (const operation of ["write", "read"] as const) {
      tell(`warming up ${contestant.name}`);
      const durationMs = 1_000 * Math.min(seconds, warmUpSecondsMax);
      await contestant.load.run({ operation, inFlight: 1_000, durationMs, keys, valueBytes });
    }
  }
}

/** Operations a second and latencies at each level, and under the heaviest load the memory of each member. */
export async function measureThroughput(
  contest: Contest,
  operation: "write" | "read",
  settings: MeasureSettings,
  tell: Tell,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const verb = operation === "write" ? "writes" : "reads";
  for (const inFlight of inFlightLevels) {
    const ours: Round[] = [];
    const theirs: Round[] = [];
    for (let round = 1; round <= settings.rounds; round += 1) {
      for (const [contestant, results] of [[contest.adrift, ours] as const, [contest.peer, theirs] as const]) {
        if (contestant === null) continue;
        tell(`${verb}, ${inFlight} in flight, round ${round} of ${settings.rounds}: ${contestant.name}`);
        results.push(await runRound(contestant, operation, inFlight, settings.seconds));
      }
    }
    const valuesOf = (value: (round: Round) => number | null) => [ours.map(value), theirs.map(value)] as const;
    rows.push(
      rowOf(
        `${verb} a second`,
        inFlight,
        "operations a second",
        valuesOf(({ perSecond }) => perSecond),
      ),
      rowOf(
        `${operation} latency, p50`,
        inFlight,
        "milliseconds",
        valuesOf(({ p50Us }) => inMs(p50Us)),
      ),
      rowOf(
        `${operation} latency, p99`,
        inFlight,
        "milliseconds",
        valuesOf(({ p99Us }) => inMs(p99Us)),
      ),
    );
    if (operation === "write" && inFlight === Math.max(...inFlightLevels)) {
      rows.push(
        rowOf(
          "memory of a member, most",
          inFlight,
          "megabytes",
          valuesOf(({ memoryMb }) => memoryMb),
        ),
      );
    }
  }
  return rows;
}

type Round = LoopResult & { readonly perSecond: number; readonly memoryMb: number | null };

async function runRound(
  { name, load, members }: Contestant,
  operation: "write" | "read",
  inFlight: number,
  seconds: number,
): Promise<Round> {
  const memory = new MemoryWatch(members);
  try {
    const result = await load.run({ operation, inFlight, durationMs: 1_000 * seconds, keys, valueBytes });
    if (result.failed > 0)
      throw new Error(`${result.failed} operations failed at ${name}: what was measured means nothing.`);
    const bytes = memory.stop();
    return { ...result, perSecond: result.operations / seconds, memoryMb: bytes === null ? null : bytes / 1_000_000 };
  } finally {
    memory.stop();
  }
}

/** The wait of a client when the leader is lost in some way. */
export async function measureFailOvers(
  { adrift, peer }: Contest,
  fault: FaultName,
  times: { readonly adrift: number; readonly peer: number },
  tell: Tell,
): Promise<Row> {
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let time = 1; time <= times.adrift; time += 1) {
    tell(`fail-over after a ${fault}, ${time} of ${times.adrift}: ${adrift.name}`);
    ours.push((await measureFailOver(adrift, fault)) / 1_000);
    if (peer === null || time > times.peer) continue;
    tell(`fail-over after a ${fault}, ${time} of ${times.peer}: ${peer.name}`);
    theirs.push((await measureFailOver(peer, fault)) / 1_000);
  }
  return rowOf(`fail-over, leader ${fault === "kill" ? "killed" : "cut off"}`, 1, "milliseconds", [ours, theirs]);
}

/** From the start of all processes until one leads, so has the votes of two. */
export async function measureStarts({ adrift, peer }: Contest, times: number, tell: Tell): Promise<Row> {
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let time = 1; time <= times; time += 1) {
    tell(`start, ${time} of ${times}`);
    ours.push((await adrift.restart()) / 1_000);
    if (peer !== null) theirs.push((await peer.restart()) / 1_000);
  }
  return rowOf("start to first votes", null, "milliseconds", [ours, theirs]);
}

function inMs(us: number | null): number | null {
  return us === null ? null : us / 1_000;
}
