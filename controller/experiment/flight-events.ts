/** The flight recorders of all boards as events of a run: merged, on the run's own time line, in its order. */

import type { Happening } from "../../device/board/happening.ts";
import type { Json } from "../../device/json.ts";
import type { FlightRecord } from "../../device/transport/envelope.ts";
import type { BoardRecord, PlaceMoment } from "../bench/bench.ts";
import type { PlacedMoment } from "../bench/board-clocks.ts";
import type { RunEvent } from "./run-result.ts";

/** The stretch of time of a run. */
export type RunTime = {
  /** When the run began, on the controller's time line; and by its wall clock, in microseconds since 1970. */
  readonly zeroUs: number;
  readonly zeroWallUs: number;
  /** How long the run took. */
  readonly durationUs: number;
  /** Where moments of boards' clocks lie on the controller's time line; `null`: boards have the controller's wall clock. */
  readonly place: PlaceMoment | null;
};

/**
 * What boards recorded, as events. What came before the run began (boards start, a first leader is elected) has happened
 * when it begins.
 */
export function flightEvents(records: readonly BoardRecord[], time: RunTime): readonly RunEvent[] {
  return [...byBoard(records)]
    .flatMap(([board, each]) => eventsOf(board, each, time))
    .toSorted(byTime)
    .map((event) => ({ ...event, atUs: Math.min(Math.max(0, event.atUs), time.durationUs) }));
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
function byBoard(records: readonly BoardRecord[]): ReadonlyMap<string, readonly FlightRecord[]> {
  const boards = new Map<string, Map<string, FlightRecord>>();
  for (const { board, record } of records) {
    const those = boards.get(board) ?? new Map<string, FlightRecord>();
    boards.set(board, those);
    those.set(`${record.boot} ${record.number}`, record);
  }
  const inOrder = (those: ReadonlyMap<string, FlightRecord>): readonly FlightRecord[] =>
    [...those.values()].toSorted((one, other) => one.boot - other.boot || one.number - other.number);
  return new Map([...boards].map(([board, those]) => [board, inOrder(those)]));
}

/** What came before the run began has a time below 0. */
function eventsOf(board: string, records: readonly FlightRecord[], time: RunTime): readonly RunEvent[] {
  let last: PlacedMoment = { atUs: Number.NEGATIVE_INFINITY, uncertaintyUs: 0 };
  return records.flatMap((record): readonly RunEvent[] => {
    last = notBefore(last, placeIn(time, board, record));
    const read = readHappening(record.happening);
    if (read === null) return [];
    if (read.kind === "replica") return [{ ...last, kind: "board", board, event: read.event }];
    const uncertaintyUs = last.uncertaintyUs + seenWithinUs(read);
    return [{ atUs: last.atUs, uncertaintyUs, kind: "happening", board, happening: read }];
  });
}

/** A board's wall clock shows whole milliseconds. */
const wallClockUs = 1_000;

/** What nobody can place has the time of the board's wall clock, and may have been at any time of the run. */
function placeIn(time: RunTime, board: string, record: FlightRecord): PlacedMoment {
  const placed = time.place?.(board, record) ?? null;
  if (placed !== null) return { ...placed, atUs: placed.atUs - time.zeroUs };
  return {
    atUs: record.wallUs - time.zeroWallUs,
    uncertaintyUs: time.place === null ? wallClockUs : time.durationUs,
  };
}

/** A board's own order is certain, whatever its clock says: nothing comes before what it noted earlier. */
function notBefore(earlier: PlacedMoment, placed: PlacedMoment): PlacedMoment {
  if (placed.atUs >= earlier.atUs) return placed;
  return { atUs: earlier.atUs, uncertaintyUs: Math.max(earlier.uncertaintyUs, placed.uncertaintyUs) };
}

/** How long before it was noted something may have happened. */
function seenWithinUs(happening: Happening): number {
  return happening.kind === "carrier" ? (happening.withinUs ?? 0) : 0;
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
