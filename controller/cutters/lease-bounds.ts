/** Bounds of time for what devices are asked. */

import { setTimeout as sleep } from "node:timers/promises";
import { CutterFailure } from "./cutter.ts";

/** The promise, or a failure if it has not ended by then. */
export async function within<Value>(promise: Promise<Value>, ms: number, what: string): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = `${what}: no answer within ${ms / 1_000} s. Is the device there, and does nobody else use it?`;
    timer = setTimeout(() => reject(new CutterFailure(message)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Tries again and again, with longer and longer pauses, as long as a new try may begin within this time. */
export async function persist<Value>(attempt: () => Promise<Value>, forMs: number): Promise<Value> {
  const untilMs = performance.now() + forMs;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, pauseMsMax)) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() + pauseMs >= untilMs) throw error;
    }
    await sleep(pauseMs);
  }
}

/** The words of whatever was thrown. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const firstPauseMs = 50;
const pauseMsMax = 2_000;
