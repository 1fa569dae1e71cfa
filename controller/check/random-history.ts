/** Random histories of a real object, for tests and for measuring: linearizable by the way in which they come about. */

import type { Json } from "../../device/json.ts";
import { isEqual } from "../../device/machine/json-equal.ts";
import type { Random } from "../../device/random.ts";
import type { HistoryEvent, OperationName } from "./history.ts";

/** What the clients do. */
export type RandomHistoryOptions = {
  readonly clients: number;
  readonly keys: number;
  readonly operations: number;
  /** How often each operation is chosen, relative to the others. */
  readonly mix: Partial<Readonly<Record<OperationName, number>>>;
  /** Of a hundred operations, so many end with `info`; half of these took effect, some of them much later. */
  readonly indefinitePercent: number;
  /** Of a hundred operations, so many end with `fail`. */
  readonly failPercent: number;
  /** Values are drawn from so many, the empty text among those to append; 0 for values that are all different. */
  readonly values: number;
  /** Whether an `ok` append says what came out. */
  readonly appendResults: boolean;
};

type Call = { readonly op: OperationName; readonly key: string; readonly value: Json | undefined };
type Moment =
  | { readonly kind: "invoke"; readonly client: number }
  | { readonly kind: "effect"; readonly pending: Pending }
  | { readonly kind: "complete"; readonly client: number; readonly pending: Pending };
type Pending = { readonly call: Call; result: Json | undefined; outcome: "ok" | "fail" | "info" };

/** One history; the same for the same generator and options. */
export function randomHistory(random: Random, options: RandomHistoryOptions): HistoryEvent[] {
  const events: HistoryEvent[] = [];
  const state = new Map<string, Json>();
  const agenda = new Agenda();
  const generations = Array.from({ length: options.clients }, () => 0);
  const choices = Object.entries(options.mix).flatMap(([op, weight]) => Array.from({ length: weight }, () => op));
  let left = options.operations;
  let fresh = 0;

  const freshValue = (): number => (options.values > 0 ? random.between(0, options.values) : ++fresh);
  const nameOf = (client: number): string => {
    const generation = generations[client] ?? 0;
    return generation === 0 ? `c${client}` : `c${client}.${generation}`;
  };
  const record = (
    client: number,
    type: HistoryEvent["type"],
    call: Call,
    result: Json | undefined,
    atUs: number,
  ): void => {
    events.push({ process: nameOf(client), type, ...call, result, atUs });
  };

  function draw(): Call {
    const op = random.pick(choices) as OperationName;
    const key = `k${random.between(0, options.keys)}`;
    switch (op) {
      case "read":
      case "delete":
        return { op, key, value: undefined };
      case "write":
        return { op, key, value: freshValue() };
      case "cas": {
        const seen = state.get(key) ?? null;
        return { op, key, value: [random.chance(2, 3) ? seen : freshValue(), freshValue()] };
      }
      case "append":
        return { op, key, value: textOf(freshValue()) };
      case "add":
        return { op, key, value: options.values > 0 ? random.between(1, options.values + 1) : 1 };
    }
  }

  function invoke(client: number, nowUs: number): void {
    if (left === 0) return;
    left -= 1;
    const call = draw();
    record(client, "invoke", call, undefined, nowUs);
    const chance = random.between(0, 100);
    const effectUs = nowUs + random.between(1, 1_000);
    const endUs = effectUs + random.between(1, 1_000);
    const pending: Pending = { call, result: undefined, outcome: "ok" };
    if (chance < options.indefinitePercent) {
      pending.outcome = "info";
      if (random.chance(1, 2))
        agenda.add(random.chance(1, 4) ? effectUs + 20_000 : effectUs, { kind: "effect", pending });
    } else if (chance < options.indefinitePercent + options.failPercent) pending.outcome = "fail";
    else agenda.add(effectUs, { kind: "effect", pending });
    agenda.add(endUs, { kind: "complete", client, pending });
  }

  function complete(client: number, { call, result, outcome }: Pending, nowUs: number): void {
    const shown = call.op === "append" && !options.appendResults ? undefined : result;
    record(client, outcome, call, outcome === "ok" ? shown : undefined, nowUs);
    if (outcome === "info") generations[client] = (generations[client] ?? 0) + 1;
    agenda.add(nowUs + random.between(1, 500), { kind: "invoke", client });
  }

  for (let client = 0; client < options.clients; client += 1) {
    agenda.add(random.between(0, 1_000), { kind: "invoke", client });
  }
  for (let due = agenda.take(); due !== null; due = agenda.take()) {
    const { atUs, moment } = due;
    if (moment.kind === "invoke") invoke(moment.client, atUs);
    else if (moment.kind === "complete") complete(moment.client, moment.pending, atUs);
    else takeEffect(moment.pending, state);
  }
  return events;
}

/** The text of a drawn value: that of 0 is empty. */
function textOf(value: number): string {
  return value === 0 ? "" : `${value} `;
}

/** What the object does with a call; one that it refuses counts as failed. */
function takeEffect(pending: Pending, state: Map<string, Json>): void {
  const { op, key, value } = pending.call;
  const before = state.get(key) ?? null;
  const put = (after: Json): Json => {
    if (after === null) state.delete(key);
    else state.set(key, after);
    return after;
  };
  const refuse = (): void => {
    if (pending.outcome === "ok") pending.outcome = "fail";
  };
  switch (op) {
    case "read":
      pending.result = before;
      return;
    case "write":
      put(value ?? null);
      return;
    case "delete":
      put(null);
      pending.result = before !== null;
      return;
    case "cas": {
      const [expected, next] = value as readonly [Json, Json];
      pending.result = isEqual(before, expected);
      if (pending.result) put(next);
      return;
    }
    case "append":
      if (before !== null && typeof before !== "string") refuse();
      else pending.result = put(`${before ?? ""}${value as string}`);
      return;
    case "add":
      if (before !== null && typeof before !== "number") refuse();
      else pending.result = put((before ?? 0) + (value as number));
      return;
    default:
      op satisfies never;
  }
}

type Due = { readonly atUs: number; readonly order: number; readonly moment: Moment };

/** What is to happen, soonest first; of two at the same time the one that was planned first. A binary heap. */
class Agenda {
  readonly #heap: Due[] = [];
  #planned = 0;

  add(atUs: number, moment: Moment): void {
    const due = { atUs, order: this.#planned++, moment };
    let place = this.#heap.length;
    while (place > 0) {
      const parent = this.#heap[(place - 1) >> 1];
      if (parent === undefined || isSooner(parent, due)) break;
      this.#heap[place] = parent;
      place = (place - 1) >> 1;
    }
    this.#heap[place] = due;
  }

  take(): Due | null {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (first === undefined || last === undefined) return null;
    if (this.#heap.length > 0) this.#sink(last);
    return first;
  }

  #sink(due: Due): void {
    let place = 0;
    for (;;) {
      const left = this.#heap[place * 2 + 1];
      const right = this.#heap[place * 2 + 2];
      const goesRight = left !== undefined && right !== undefined && isSooner(right, left);
      const child = goesRight ? right : left;
      if (child === undefined || isSooner(due, child)) break;
      this.#heap[place] = child;
      place = place * 2 + (goesRight ? 2 : 1);
    }
    this.#heap[place] = due;
  }
}

function isSooner(a: Due, b: Due): boolean {
  return a.atUs < b.atUs || (a.atUs === b.atUs && a.order < b.order);
}
