/** The history of one key, made ready for the search: its steps, the order of their ends, and what can be left out. */

import { type Action, actionOf } from "./actions.ts";
import { Looks, type TimedAction } from "./looks.ts";
import type { Operation } from "./operations.ts";
import { absent, type State, unremarkable, Values } from "./values.ts";

/** One operation of the key. */
export type Step = {
  readonly operation: Operation;
  readonly action: Action;
  /** The lines of invocation and completion; the latter is infinite where nobody knows how the operation ended. */
  readonly invoke: number;
  readonly complete: number;
  /**
   * An observer never changes the state. A setter is possible in any state, and nothing of that state is left after it.
   * A changer is everything else.
   */
  readonly role: "observer" | "setter" | "changer";
  /** Possible in every state that this key can have, and forgotten after the next setter. */
  readonly hideable: boolean;
  /** The number of the group to which an indefinite step belongs, -1 for the others. */
  readonly group: number;
  /** May as well not have happened at all, though if it did, then before its completion. */
  readonly optional: boolean;
};

/** Indefinite steps that do the same: any of them may stand for any other that was invoked before it. */
export type Group = {
  readonly action: Action;
  readonly role: Step["role"];
  /** After this line it makes no difference to anyone whether such a step takes effect. */
  readonly usefulUntil: number;
};

/** What the search needs to know of a key. */
export type Plan = {
  readonly values: Values;
  /** How many values the operations themselves name; all further ones are thought of in the search. */
  readonly valuesNamed: number;
  /** In the order of their invocations. */
  readonly steps: readonly Step[];
  /** In real-time order: `i` where step `i` is invoked, `~i` where it completes. */
  readonly events: Int32Array;
  readonly groups: readonly Group[];
  /** Some step appends or adds, and nobody knows what came out: in which order such steps stood shows only later. */
  readonly growsUnseen: boolean;
  /** The last line at which somebody looks for this state: afterwards it is as good as any other that nobody knows. */
  readonly lastLookAt: (state: State) => number;
  /** Some step is possible in all states but one: to leave that one, anything will do. */
  readonly avoids: boolean;
};

/**
 * The plan for the operations of one key, given in the order of their invocations.
 *
 * @param doubted Operations of which it is believed only that they took effect between their ends, if at all.
 */
export function planOf(operations: readonly Operation[], doubted: ReadonlySet<Operation> = new Set()): Plan {
  const values = new Values();
  const drafts = draftsOf(operations, doubted, values);
  const shape = shapeOf(drafts, values);
  const looks = new Looks(drafts);
  // Only where steps build on a state (append, add) could it matter which of those it was that nobody looks for.
  if (!shape.grows) forgetDetail(drafts, looks);
  const groups: Group[] = [];
  const groupNumbers = new Map<string, number>();

  function groupOf(action: Action): number {
    const name = nameOf(action);
    let number = groupNumbers.get(name);
    if (number === undefined) {
      number = groups.length;
      groupNumbers.set(name, number);
      groups.push({ action, role: roleOf(action), usefulUntil: looks.usefulUntil(action) });
    }
    return number;
  }

  const useful = drafts.filter(({ action, invoke, optional }) => !optional || looks.usefulUntil(action) > invoke);
  const steps = useful.map(
    ({ operation, action, invoke, complete }): Step => ({
      operation,
      action,
      invoke,
      complete,
      role: roleOf(action),
      hideable: action.kind === "set" || (isUnseenGrowth(action) && shape.onlyTexts && !shape.removes),
      group: complete === never ? groupOf(action) : -1,
      optional: doubted.has(operation),
    }),
  );
  return {
    values,
    valuesNamed: values.size,
    steps,
    events: eventsOf(steps, shape),
    lastLookAt: (state) => (shape.grows ? never : looks.lastAt(state)),
    groups,
    growsUnseen: steps.some(({ action }) => isUnseenGrowth(action)),
    avoids: steps.some(({ action }) => action.kind === "differs" || action.kind === "remove"),
  };
}

const never = Number.POSITIVE_INFINITY;

type Draft = { readonly operation: Operation; action: Action } & Omit<TimedAction, "action">;

function draftsOf(operations: readonly Operation[], doubted: ReadonlySet<Operation>, values: Values): Draft[] {
  const drafts: Draft[] = [];
  for (const operation of operations) {
    const action = actionOf(operation, operation.outcome === "ok" && !doubted.has(operation), values);
    if (action === null) continue;
    const complete = operation.outcome === "ok" ? (operation.completeLine ?? never) : never;
    const optional = complete === never || doubted.has(operation);
    drafts.push({ operation, action, invoke: operation.invokeLine, complete, optional });
  }
  return drafts;
}

type Shape = {
  /** Some step appends or adds. */
  readonly grows: boolean;
  /** Some step removes what it found, whatever it was. */
  readonly removes: boolean;
  /** The key never holds anything but texts. */
  readonly onlyTexts: boolean;
};

function shapeOf(drafts: readonly Draft[], values: Values): Shape {
  const isText = (state: State): boolean => state === absent || typeof values.valueOf(state) === "string";
  let grows = false;
  let removes = false;
  let onlyTexts = true;
  for (const { action } of drafts) {
    if (action.kind === "add" || action.kind === "append") grows = true;
    if (action.kind === "remove") removes = true;
    if (action.kind === "add") onlyTexts = false;
    if (action.kind === "set" && !isText(action.state)) onlyTexts = false;
    if (action.kind === "swap" && !isText(action.to)) onlyTexts = false;
  }
  return { grows, removes, onlyTexts };
}

/** Makes one state of all those that no step looks for. */
function forgetDetail(drafts: readonly Draft[], looks: Looks): void {
  const isForgotten = (state: State): boolean => state !== absent && looks.lastAt(state) === 0;
  for (const draft of drafts) {
    const { action } = draft;
    if (action.kind === "set" && isForgotten(action.state)) draft.action = { kind: "set", state: unremarkable };
    if (action.kind === "swap" && isForgotten(action.to)) draft.action = { ...action, to: unremarkable };
  }
}

/** The order of events, without the end, where only steps are left that are possible in any order. */
function eventsOf(steps: readonly Step[], shape: Shape): Int32Array {
  let end = 0;
  for (const { action, complete, optional } of steps) {
    const alwaysPossible = action.kind === "set" || (isUnseenGrowth(action) && shape.onlyTexts);
    if (complete !== never && !alwaysPossible && !optional) end = Math.max(end, complete);
  }
  const invoked: number[] = [];
  const completing: { readonly line: number; readonly index: number }[] = [];
  for (const [index, { invoke, complete }] of steps.entries()) {
    if (invoke > end) break;
    invoked.push(index);
    if (complete <= end) completing.push({ line: complete, index });
  }
  completing.sort((a, b) => a.line - b.line);
  return merged(steps, invoked, completing);
}

function merged(
  steps: readonly Step[],
  invoked: readonly number[],
  completing: readonly { readonly line: number; readonly index: number }[],
): Int32Array {
  const events = new Int32Array(invoked.length + completing.length);
  let length = 0;
  let done = 0;
  for (const index of invoked) {
    const invoke = steps[index]?.invoke ?? 0;
    for (let end = completing[done]; end !== undefined && end.line < invoke; end = completing[done]) {
      events[length++] = ~end.index;
      done += 1;
    }
    events[length++] = index;
  }
  for (const { index } of completing.slice(done)) events[length++] = ~index;
  return events;
}

/** A text that two actions of indefinite steps share only if they are the same. */
function nameOf(action: Action): string {
  switch (action.kind) {
    case "set":
    case "equals":
    case "differs":
      return `${action.kind} ${action.state}`;
    case "swap":
      return `swap ${action.from} ${action.to}`;
    case "add":
      return `add ${action.amount}`;
    case "append":
      return `append ${action.text}`;
    case "remove":
      return action.kind;
    default:
      return action satisfies never;
  }
}

function roleOf(action: Action): Step["role"] {
  if (action.kind === "equals" || action.kind === "differs") return "observer";
  return action.kind === "set" ? "setter" : "changer";
}

function isUnseenGrowth(action: Action): boolean {
  return (action.kind === "append" || action.kind === "add") && action.result === null;
}
