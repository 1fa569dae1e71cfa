/** Histories as drawings, for tests. */

import type { Json } from "../../device/json.ts";
import type { HistoryEvent, OperationName } from "./history.ts";

/**
 * The events of a drawing: a line (or what stands between semicolons) for each client, `name: |operation| |operation|`.
 * Columns are time. An operation begins at its first bar and ends at its last: `|` is `ok`, `?` is `info`, `!` is `fail`.
 * Inside stand the name, what it was given, and after `=` what came back; a read is given nothing, so what follows its
 * name came back. Columns count from the beginning of each client's part.
 */
export function drawn(drawing: string, key = "x"): HistoryEvent[] {
  const events: { readonly column: number; readonly event: HistoryEvent }[] = [];
  for (const row of drawing.split(/[;\n]/)) {
    const [, process, bars] = /^\s*(\w+):(.*)$/.exec(row) ?? [];
    if (process === undefined || bars === undefined) continue;
    for (const { 0: text, 1: body = "", 2: end, index } of bars.matchAll(/\|([^|?!]+)([|?!])/g)) {
      const { result, ...call } = operationIn(body, key);
      const type = end === "|" ? "ok" : end === "?" ? "info" : "fail";
      const column = index + text.length;
      events.push({ column: index + 0.5, event: { process, type: "invoke", ...call, atUs: index } });
      events.push({
        column,
        event: { process, type, ...call, result: type === "ok" ? result : undefined, atUs: column },
      });
    }
  }
  return events.sort((a, b) => a.column - b.column).map(({ event }, atUs) => ({ ...event, atUs }));
}

function operationIn(text: string, key: string): Pick<HistoryEvent, "op" | "key" | "value" | "result"> {
  const [call = "", came] = text.split(" = ");
  const [name = "", ...given] = call.trim().split(/\s+/);
  const op = name as OperationName;
  const values = given.map((value): Json => JSON.parse(value));
  const result = came === undefined ? undefined : (JSON.parse(came) as Json);
  switch (op) {
    case "read":
      return { op, key, result: values[0] };
    case "cas":
      return { op, key, value: values, result };
    default:
      return { op, key, value: values[0], result };
  }
}
