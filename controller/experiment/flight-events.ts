/** The flight recorders of all boards as events of a run: merged, on the run's own time line, in its order. */

import type { Happening } from "../../device/board/happening.ts";
import type { Json } from "../../device/json.ts";
import type { BoardRecord } from "../bench/bench.ts";
import type { RunEvent } from "./run-result.ts";

/** The stretch of time of a run. */
export type RunTime = {
  /** The wall clock, in microseconds since 1970, when the run began. */
  readonly zeroWallUs: number;
  /** How long the run took. */
  readonly durationUs: number;
};

/**
 * What boards recorded, as events. What came before the run began (boards start, a first leader is elected) has happened
 * when it begins. Boards' wall clocks must be right: those of one machine are the same.
 */
export function flightEvents(
  records: readonly BoardRecord[],
  { zeroWallUs, durationUs }: RunTime,
): readonly RunEvent[] {
  return [...byBoard(records)]
    .flatMap(([board, each]) => eventsOf(board, each, zeroWallUs))
    .toSorted(byTime)
    .map((event) => ({ ...event, atUs: Math.min(Math.max(0, event.atUs), durationUs) }));
}

/** Puts the events of boards among what the controller noted itself. What it does comes before what follows from it. */
export function mergeEvents(noted: readonly RunEvent[], flight: readonly RunEvent[]): readonly RunEvent[] {
  return [...noted, ...flight].toSorted(byTime);
}

/** Sorting is stable: what happened at the same time stays in its order. */
function byTime(one: RunEvent, other: RunEvent): number {
  return one.atUs - other.atUs;
}

/** The records of each board in the order in which it made them, each once, however often it was told. */
function byBoard(records: readonly BoardRecord[]): ReadonlyMap<string, readonly BoardRecord["record"][]> {
  const boards = new Map<string, Map<string, BoardRecord["record"]>>();
  for (const { board, record } of records) {
    const those = boards.get(board) ?? new Map<string, BoardRecord["record"]>();
    boards.set(board, those);
    those.set(`${record.boot} ${record.number}`, record);
  }
  const inOrder = (those: ReadonlyMap<string, BoardRecord["record"]>): readonly BoardRecord["record"][] =>
    [...those.values()].toSorted((one, other) => one.boot - other.boot || one.number - other.number);
  return new Map([...boards].map(([board, those]) => [board, inOrder(those)]));
}

/** What came before the run began has a time below 0. */
function eventsOf(board: string, records: readonly BoardRecord["record"][], zeroWallUs: number): readonly RunEvent[] {
  let atUs = Number.NEGATIVE_INFINITY;
  return records.flatMap(({ wallUs, happening }): readonly RunEvent[] => {
    // A board's own order is certain, whatever its clock says.
    atUs = Math.max(atUs, wallUs - zeroWallUs);
    const read = readHappening(happening);
    if (read === null) return [];
    return read.kind === "replica"
      ? [{ atUs, kind: "board", board, event: read.event }]
      : [{ atUs, kind: "happening", board, happening: read }];
  });
}

const kinds: ReadonlySet<unknown> = new Set<Happening["kind"]>(["replica", "process", "connection", "carrier"]);

/** A happening as a board of this version tells it; what other versions tell beyond that is left out. */
export function readHappening(happening: Json): Happening | null {
  const fields = fieldsOf(happening);
  if (fields === null || !kinds.has(fields["kind"])) return null;
  if (fields["kind"] === "replica" && typeof fieldsOf(fields["event"])?.["type"] !== "string") return null;
  return happening as Happening;
}

function fieldsOf(json: Json | undefined): { readonly [Field in string]?: Json } | null {
  return typeof json === "object" && json !== null && !Array.isArray(json)
    ? (json as { readonly [Field in string]?: Json })
    : null;
}
