/** What is said between the load process and the one that started it. */

import type { LoopResult, LoopSettings } from "./closed-loop.ts";
import type { LoadTarget } from "./load-client.ts";

/** What the load process is told. It answers each order before it takes the next. */
export type LoadOrder =
  /** `historyFile`: where to write down what clients see; `null`: nowhere. */
  | { readonly type: "connect"; readonly target: LoadTarget; readonly historyFile: string | null }
  | { readonly type: "loop"; readonly settings: LoopSettings }
  /** Write without a pause, one operation after the other, until told otherwise. */
  | { readonly type: "beginWriting"; readonly valueBytes: number }
  /** When writes were acknowledged since they began. */
  | { readonly type: "acknowledgements" }
  | { readonly type: "endWriting" }
  | { readonly type: "close" };

/** What it answers. */
export type LoadAnswer =
  | { readonly type: "done" }
  | { readonly type: "loop"; readonly result: LoopResult }
  /** By the machine's monotonic clock, microseconds. */
  | { readonly type: "acknowledgements"; readonly atUs: readonly number[] }
  | { readonly type: "failed"; readonly error: string };

/** The machine's monotonic clock, the same in all its processes, in microseconds. */
export function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}
