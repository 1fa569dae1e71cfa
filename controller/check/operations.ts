/** From events to operations: each invocation with its completion, checked against the rules of a history. */

import type { Json } from "../../device/json.ts";
import { isEqual } from "../../device/machine/json-equal.ts";
import { type EventType, HistoryError, type HistoryEvent, type OperationName, show, showName } from "./history.ts";

/** One client operation, from its invocation to its completion. */
export type Operation = {
  readonly process: string;
  readonly op: OperationName;
  readonly key: string;
  /** What it was given (see `HistoryEvent`). */
  readonly value: Json | undefined;
  /** What came back; only where `outcome` is `ok`. */
  readonly result: Json | undefined;
  /** `info` also where the history ends before the operation does. */
  readonly outcome: "ok" | "fail" | "info";
  readonly invokedAtUs: number;
  /** When its client knew, or gave up; `null` if the history ends before. */
  readonly completedAtUs: number | null;
  /** The lines (or numbers of events) where it begins and ends: the real-time order. The first line is 1. */
  readonly invokeLine: number;
  readonly completeLine: number | null;
};

/** A whole history, ready to be checked. */
export type History = {
  /** In the order of their invocations. */
  readonly operations: readonly Operation[];
  /** The same by key, each in the order of invocations. */
  readonly byKey: ReadonlyMap<string, readonly Operation[]>;
  readonly processes: number;
  readonly events: number;
  /** When the first and the last event happened; both 0 in an empty history. */
  readonly startUs: number;
  readonly endUs: number;
};

type Draft = { -readonly [Field in keyof Operation]: Operation[Field] };
type Process = { readonly name: string; open: Draft | null; lostAtLine: number | null };

/**
 * Takes the events one by one, in order, and pairs them up.
 *
 * The file's order is the truth about real time, so `atUs` that goes back would make it doubtful and is refused.
 */
export class HistoryBuilder {
  readonly #place: string;
  readonly #operations: Draft[] = [];
  readonly #byKey = new Map<string, { readonly key: string; readonly operations: Draft[] }>();
  readonly #processes = new Map<string, Process>();
  #events = 0;
  #startUs = 0;
  #lastUs = 0;

  /** @param place What the line numbers count, for messages: `history.jsonl, line`. */
  constructor(place: string) {
    this.#place = place;
  }

  /** @throws HistoryError if the event cannot come after the ones before. */
  add(event: HistoryEvent, line: number): void {
    if (this.#events === 0) this.#startUs = event.atUs;
    else if (event.atUs < this.#lastUs) {
      throw this.#refuse(
        line,
        `"atUs" is ${event.atUs}, before the ${this.#lastUs} of the event above; events must stand in real-time order.`,
      );
    }
    this.#lastUs = event.atUs;
    this.#events += 1;
    const process = this.#process(event.process);
    if (event.type === "invoke") this.#invoke(process, event, line);
    else this.#complete(process, event, event.type, line);
  }

  /** What was added, as a history. Operations still open count as `info`: nobody knows. */
  finish(): History {
    const byKey = new Map<string, readonly Operation[]>();
    for (const [key, entry] of this.#byKey) byKey.set(key, entry.operations);
    return {
      operations: this.#operations,
      byKey,
      processes: this.#processes.size,
      events: this.#events,
      startUs: this.#startUs,
      endUs: this.#lastUs,
    };
  }

  #invoke(process: Process, event: HistoryEvent, line: number): void {
    if (process.lostAtLine !== null) {
      throw this.#refuse(
        line,
        `process "${showName(process.name)}" invokes again after its "info" in line ${process.lostAtLine}; ` +
          "whoever does not know how an operation ended must go on under a new name.",
      );
    }
    if (process.open !== null) {
      throw this.#refuse(
        line,
        `process "${showName(process.name)}" invokes while its ${process.open.op} of line ${process.open.invokeLine} is open; ` +
          'that one must end first, by "ok", "fail" or "info".',
      );
    }
    const problem = argumentProblem(event);
    if (problem !== null) throw this.#refuse(line, problem);
    const entry = this.#key(event.key);
    const operation: Draft = {
      process: process.name,
      op: event.op,
      key: entry.key,
      value: event.value,
      result: undefined,
      outcome: "info",
      invokedAtUs: event.atUs,
      completedAtUs: null,
      invokeLine: line,
      completeLine: null,
    };
    this.#operations.push(operation);
    entry.operations.push(operation);
    process.open = operation;
  }

  #complete(process: Process, event: HistoryEvent, outcome: Exclude<EventType, "invoke">, line: number): void {
    const open = process.open;
    if (open === null) {
      throw this.#refuse(
        line,
        `process "${showName(process.name)}" has no operation open that could end with "${outcome}"; an "invoke" must come before.`,
      );
    }
    if (event.op !== open.op || event.key !== open.key || !repeats(event.value, open.value)) {
      throw this.#refuse(
        line,
        `this ends ${describe(event)}, but process "${showName(process.name)}" has ${describe(open)} open since line ${open.invokeLine}; ` +
          '"op", "key" and "value" must be the same.',
      );
    }
    if (outcome === "ok") {
      const problem = resultProblem(event);
      if (problem !== null) throw this.#refuse(line, problem);
      open.result = event.result;
    }
    open.outcome = outcome;
    open.completedAtUs = event.atUs;
    open.completeLine = line;
    process.open = null;
    if (outcome === "info") process.lostAtLine = line;
  }

  /** Names come anew with each line of a file: one copy of each is kept. */
  #process(name: string): Process {
    let process = this.#processes.get(name);
    if (process === undefined) {
      process = { name, open: null, lostAtLine: null };
      this.#processes.set(name, process);
    }
    return process;
  }

  #key(key: string): { readonly key: string; readonly operations: Draft[] } {
    let entry = this.#byKey.get(key);
    if (entry === undefined) {
      entry = { key, operations: [] };
      this.#byKey.set(key, entry);
    }
    return entry;
  }

  #refuse(line: number, problem: string): HistoryError {
    return new HistoryError(this.#place, line, problem);
  }
}

/** The history that these events are. @throws HistoryError, counting events from 1. */
export function historyOf(events: Iterable<HistoryEvent>): History {
  const builder = new HistoryBuilder("event");
  let number = 0;
  for (const event of events) {
    number += 1;
    builder.add(event, number);
  }
  return builder.finish();
}

/** Why an operation of this name cannot be given this value, or `null`. */
function argumentProblem({ op, value }: HistoryEvent): string | null {
  switch (op) {
    case "read":
    case "delete":
      return value === undefined || value === null
        ? null
        : `"value" is ${show(value)}; a ${op} is given nothing, and what it brings back stands in "result".`;
    case "write":
      return value === undefined ? '"value" is missing; a write must say what it writes.' : null;
    case "cas":
      return isPair(value) ? null : `"value" is ${show(value)}; a cas must be given [expected, new].`;
    case "append":
      return typeof value === "string" ? null : `"value" is ${show(value)}; an append must be given a text.`;
    case "add":
      return typeof value === "number" ? null : `"value" is ${show(value)}; an add must be given a number.`;
    default:
      return op satisfies never;
  }
}

/** Why an operation of this name cannot have ended `ok` with this result, or `null`. */
function resultProblem({ op, result }: HistoryEvent): string | null {
  switch (op) {
    case "read":
      return result === undefined
        ? '"result" is missing; an ok read must say what it saw (null: nothing there).'
        : null;
    case "cas":
      return typeof result === "boolean" ? null : `"result" is ${show(result)}; an ok cas must say true or false.`;
    case "add":
      return typeof result === "number" ? null : `"result" is ${show(result)}; an ok add must say the new number.`;
    case "append":
      return result === undefined || result === null || typeof result === "string"
        ? null
        : `"result" is ${show(result)}; an ok append may say the new text, or nothing.`;
    case "delete":
      return result === undefined || result === null || typeof result === "boolean"
        ? null
        : `"result" is ${show(result)}; an ok delete may say true (it was there) or false, or nothing.`;
    case "write":
      return null;
    default:
      return op satisfies never;
  }
}

function repeats(repeated: Json | undefined, given: Json | undefined): boolean {
  return repeated === undefined || isEqual(repeated, given ?? null);
}

/** Whether this is what a cas is given. */
export function isPair(value: Json | undefined): value is readonly [Json, Json] {
  return Array.isArray(value) && value.length === 2;
}

function describe({ op, key, value }: Pick<HistoryEvent, "op" | "key" | "value">): string {
  return value === undefined ? `${op} "${showName(key)}"` : `${op} "${showName(key)}" ${show(value)}`;
}
