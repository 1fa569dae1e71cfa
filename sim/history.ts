/** What the simulated clients saw: the run's history, in the form of `history.jsonl`. */

import type { Json } from "../device/json.ts";

/** One event of a history (see "Files" in the architecture page). */
export type HistoryEvent = {
  readonly process: string;
  readonly type: "invoke" | "ok" | "fail" | "info";
  readonly op: "read" | "write" | "cas" | "append" | "add" | "delete";
  readonly key: string;
  readonly value?: Json;
  /** Only of an `ok`. */
  readonly result?: Json;
  /** World time, in microseconds since the start of the run. */
  readonly atUs: number;
};
