/** What boards answer to questions that only one of them can answer: read as everything that comes from outside. */

import type { Json } from "../../device/json.ts";
import type { BoardStatus, BoardTime, FlightRecord } from "../../device/transport/envelope.ts";
import { readRecord } from "../../device/transport/event-codec.ts";
import { Fields, type JsonObject } from "../../device/transport/fields.ts";
import { readStatus } from "../../device/transport/status-codec.ts";

/** The answer to a request of the type `status`; `null` if it is none. */
export function readStatusAnswer(answer: Json): BoardStatus | null {
  if (!isObject(answer)) return null;
  const fields = new Fields(answer);
  const status = readStatus(fields);
  return fields.problem === null ? status : null;
}

/** The answer to a request of the type `time`; `null` if it is none. */
export function readTimeAnswer(answer: Json): BoardTime | null {
  if (!isObject(answer)) return null;
  const fields = new Fields(answer);
  const time = {
    boot: fields.whole("boot"),
    monotonicUs: fields.whole("monotonicUs"),
    wallUs: fields.whole("wallUs"),
  };
  return fields.problem === null ? time : null;
}

/** The answer to a request of the type `flight`; `null` if it is none. */
export function readFlightAnswer(answer: Json): Flight | null {
  if (!isObject(answer)) return null;
  const fields = new Fields(answer);
  const last = fields.whole("last");
  const { records } = answer;
  if (fields.problem !== null || !Array.isArray(records) || !records.every(isObject)) return null;
  const all = records.map((record) => new Fields(record));
  const read = all.map(readRecord);
  return all.some(({ problem }) => problem !== null) ? null : { records: read, last };
}

/** Some records, oldest first, and the number of the newest that there is. */
export type Flight = { readonly records: readonly FlightRecord[]; readonly last: number };

function isObject(json: Json): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
