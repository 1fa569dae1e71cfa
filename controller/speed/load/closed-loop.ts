/** A closed loop: so many operations are under way at any moment, and each that ends makes room for the next. */

import { Latencies } from "./latencies.ts";
import type { LoadClient } from "./load-client.ts";
import type { HistoryRecorder } from "./recorder.ts";

/** What the loop does. */
export type LoopSettings = {
  readonly operation: "write" | "read";
  readonly inFlight: number;
  readonly durationMs: number;
  readonly keys: number;
  readonly valueBytes: number;
};

/** What came of it. Only what ended within the time counts. */
export type LoopResult = {
  readonly operations: number;
  /** Operations that were given up, or not done. */
  readonly failed: number;
  readonly durationMs: number;
  readonly p50Us: number | null;
  readonly p99Us: number | null;
};

/** Values are told apart by the number at their beginning. */
let values = 0;

/** Runs the loop to its end. */
export async function runLoop(
  client: LoadClient,
  recorder: HistoryRecorder | null,
  settings: LoopSettings,
): Promise<LoopResult> {
  const { operation, inFlight, durationMs, keys, valueBytes } = settings;
  const latencies = new Latencies();
  const begunMs = performance.now();
  const endMs = begunMs + durationMs;
  let failed = 0;

  async function runSlot(): Promise<void> {
    while (performance.now() < endMs) {
      const key = `k${Math.floor(Math.random() * keys)}`;
      const startMs = performance.now();
      const succeeded =
        operation === "write" ? await write(client, recorder, key, valueBytes) : await read(client, recorder, key);
      const doneMs = performance.now();
      if (!succeeded) failed += 1;
      else if (doneMs <= endMs) latencies.add(1_000 * (doneMs - startMs));
    }
  }

  await Promise.all(Array.from({ length: inFlight }, runSlot));
  const [p50Us = null, p99Us = null] = latencies.quantiles([0.5, 0.99]);
  return { operations: latencies.count, failed, durationMs, p50Us, p99Us };
}

/** Writes a new value. Says whether the cluster acknowledged it. */
export async function write(
  client: LoadClient,
  recorder: HistoryRecorder | null,
  key: string,
  valueBytes: number,
): Promise<boolean> {
  values += 1;
  const number = values;
  const record = recorder?.begin({ op: "write", key, value: number }) ?? null;
  try {
    await client.write(key, valueText(number, valueBytes));
    record?.ok();
    return true;
  } catch {
    record?.info();
    return false;
  }
}

async function read(client: LoadClient, recorder: HistoryRecorder | null, key: string): Promise<boolean> {
  const record = recorder?.begin({ op: "read", key }) ?? null;
  let value: string | null;
  try {
    value = await client.read(key);
  } catch {
    record?.fail();
    return false;
  }
  const number = value === null ? null : numberIn(value);
  record?.ok(number);
  return true;
}

const filling = ".";

function valueText(number: number, valueBytes: number): string {
  return `${number}`.padEnd(valueBytes, filling);
}

/** The number that a value begins with. A value that is not as it was written is a fault that no measurement may hide. */
function numberIn(value: string): number {
  const number = Number.parseInt(value, 10);
  if (value === valueText(number, value.length)) return number;
  throw new Error(`A value came back that nobody wrote: "${value.slice(0, 40)}".`);
}
