/**
 * A long steady load: `npx tsx controller/speed/soak.ts --minutes 60`. Prints a line of JSON each minute, to show that
 * nothing grows: neither the memory of a board, nor what is on its disk, nor what a client waits.
 */

import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { version } from "../cli/version.ts";
import { startAdrift } from "./adrift-cluster.ts";
import type { Contestant } from "./contestant.ts";
import { keys, valueBytes } from "./measure.ts";
import { residentBytes } from "./memory.ts";

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "60" }, "in-flight": { type: "string", default: "64" } },
});
const minutes = Number(values.minutes);
const inFlight = Number(values["in-flight"]);
if (!(minutes >= 1) || !(inFlight >= 1)) throw new Error("--minutes and --in-flight must be numbers, 1 or more.");

const contestant = await startAdrift({ version, cables: false, historyFile: null, inFlightMax: inFlight });
try {
  for (let minute = 1; minute <= minutes; minute += 1) {
    process.stdout.write(`${JSON.stringify({ minute, ...(await soakForAMinute(contestant)) })}\n`);
  }
} finally {
  await contestant.close();
}

/** Mostly writes, since these are what piles up. */
async function soakForAMinute({ load, members, folder }: Contestant) {
  const writes = await load.run({ operation: "write", inFlight, durationMs: 50_000, keys, valueBytes });
  const reads = await load.run({ operation: "read", inFlight, durationMs: 10_000, keys, valueBytes });
  const memoryMb = Array.from(members(), ([name, pid]) => [name, megabytes(residentBytes(pid) ?? 0)] as const);
  return {
    writesPerSecond: Math.round(writes.operations / 50),
    writeP50Ms: milliseconds(writes.p50Us),
    writeP99Ms: milliseconds(writes.p99Us),
    readsPerSecond: Math.round(reads.operations / 10),
    readP99Ms: milliseconds(reads.p99Us),
    failed: writes.failed + reads.failed,
    memoryMb: Object.fromEntries(memoryMb),
    diskMb: megabytes(sizeBytes(folder)),
  };
}

/** Everything below a folder. What a board removes meanwhile counts for nothing. */
function sizeBytes(path: string): number {
  try {
    const stats = lstatSync(path);
    if (!stats.isDirectory()) return stats.size;
    return readdirSync(path).reduce((sum, name) => sum + sizeBytes(join(path, name)), 0);
  } catch {
    return 0;
  }
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 100_000) / 10;
}

function milliseconds(us: number | null): number | null {
  return us === null ? null : Math.round(us) / 1_000;
}
