/**
 * How long a client waits when the leader is lost: from the fault to the next acknowledged write, as a client sees it
 * that has one write under way at a time and repeats it until it is acknowledged.
 *
 * What the old leader still acknowledged around the fault does not count: the wait ends where the longest gap between
 * acknowledgements ends.
 */

import type { Contestant, FaultName } from "./contestant.ts";
import { monotonicUs } from "./load/orders.ts";

const valueBytes = 256;
const calmMs = 300;
/** Watched for so long after the fault, and longer until writes are acknowledged again. */
const watchMs = 1_500;
const watchMsMax = 30_000;
const pollMs = 50;
/** Whoever acknowledged a write so recently does so again and again. */
const recentlyUs = 200_000;

/** Does a fault to the leader, measures, and makes the cluster whole again. In microseconds. */
export async function measureFailOver(contestant: Contestant, name: FaultName): Promise<number> {
  const { load, faults } = contestant;
  const strike = faults[name];
  if (strike === undefined) throw new Error(`There is no way to ${name} the leader of ${contestant.name}.`);
  await load.beginWriting(valueBytes);
  try {
    await pause(calmMs);
    const fault = await strike();
    const tookUs = await watch(contestant, fault.atUs);
    await fault.mend();
    return tookUs;
  } finally {
    await load.endWriting();
  }
}

async function watch({ name, load }: Contestant, faultUs: number): Promise<number> {
  for (;;) {
    await pause(pollMs);
    const sinceMs = (monotonicUs() - faultUs) / 1_000;
    const acknowledgedUs = await load.acknowledgements();
    const lastUs = acknowledgedUs.at(-1) ?? 0;
    const goesOn = lastUs > faultUs && monotonicUs() - lastUs < recentlyUs;
    if (sinceMs >= watchMs && goesOn) return endOfLongestGap(acknowledgedUs, faultUs) - faultUs;
    if (sinceMs > watchMsMax)
      throw new Error(`${name} acknowledged no write for ${watchMsMax / 1_000} s after a fault.`);
  }
}

/** Where the longest time without an acknowledgement ends, of those that end after the fault. */
export function endOfLongestGap(acknowledgedUs: readonly number[], faultUs: number): number {
  let [fromUs, longestUs, endUs] = [faultUs, 0, faultUs];
  for (const atUs of acknowledgedUs) {
    if (atUs <= faultUs) continue;
    if (atUs - fromUs > longestUs) [longestUs, endUs] = [atUs - fromUs, atUs];
    fromUs = atUs;
  }
  return endUs;
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}
