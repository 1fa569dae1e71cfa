/** The history of one key, made ready for the search: its steps, the order of their ends, and what can be left out. */

import { type Action, actionOf } from "./actions.ts";
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
  /** In the order of their invocations. */
  readonly steps: readonly Step[];
  /** In real-time order: `i` where step `i` is invoked, `~i` where it completes. */
  readonly events: Int32Array;
  readonly groups: readonly Group[];
  /** Some step appends or adds, and nobody knows what came out: in which order such steps stood shows only later. */
  readonly growsUnseen: boolean;
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
  if (!shape.grows) forgetDetail(drafts);
  const lastLooks = lastLooksOf(drafts);
  const groups: Group[] = [];
  const groupNumbers = new Map<string, number>();

  function groupOf(action: Action): number {
    const name = nameOf(action);
    let number = groupNumbers.get(name);
    if (number === undefined) {
      number = groups.length;
      groupNumbers.set(name, number);
      groups.push({ action, role: roleOf(action), usefulUntil: usefulUntil(action, lastLooks) });
    }
    return number;
  }

  const steps = drafts.map(
    ({ operation, action, complete }): Step => ({
      operation,
      action,
      invoke: operation.invokeLine,
      complete,
      role: roleOf(action),
      hideable: action.kind === "set" || (isUnseenGrowth(action) && shape.onlyTexts && !shape.removes),
      group: complete === never ? groupOf(action) : -1,
      optional: doubted.has(operation),
    }),
  );
  return {
    values,
    steps,
    events: eventsOf(steps, groups, shape),
    groups,
    growsUnseen: steps.some(({ action }) => isUnseenGrowth(action)),
    avoids: steps.some(({ action }) => action.kind === "differs" || action.kind === "remove"),
  };
}

const never = Number.POSITIVE_INFINITY;

type Draft = { readonly operation: Operation; action: Action; readonly complete: number };

function draftsOf(operations: readonly Operation[], doubted: ReadonlySet<Operation>, values: Values): Draft[] {
  const drafts: Draft[] = [];
  for (const operation of operations) {
    const action = actionOf(operation, operation.outcome === "ok" && !doubted.has(operation), values);
    if (action === null) continue;
    const complete = operation.outcome === "ok" ? (operation.completeLine ?? never) : never;
    drafts.push({ operation, action, complete });
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

/**
 * Makes one state of all those that no step looks for: only where steps build on a state (append, add) could it matter
 * which of them it was.
 */
function forgetDetail(drafts: readonly Draft[]): void {
  const remarkable = new Set<State>([absent]);
  for (const { action } of drafts) {
    if (action.kind === "equals" || action.kind === "differs") remarkable.add(action.state);
    else if (action.kind === "swap") remarkable.add(action.from);
  }
  for (const draft of drafts) {
    const { action } = draft;
    if (action.kind === "set" && !remarkable.has(action.state)) draft.action = { kind: "set", state: unremarkable };
    if (action.kind === "swap" && !remarkable.has(action.to)) draft.action = { ...action, to: unremarkable };
  }
}

type LastLooks = {
  /** The last line at which a step completes that is possible in just this state. */
  readonly at: ReadonlyMap<State, number>;
  /** The same for steps that are possible in many states, though not in all. */
  readonly atMany: number;
};

function lastLooksOf(drafts: readonly Draft[]): LastLooks {
  const at = new Map<State, number>();
  let atMany = 0;
  for (const { action, complete } of drafts) {
    if (action.kind === "equals") at.set(action.state, Math.max(complete, at.get(action.state) ?? 0));
    else if (action.kind === "swap") at.set(action.from, Math.max(complete, at.get(action.from) ?? 0));
    else if (action.kind !== "set") atMany = Math.max(complete, atMany);
  }
  return { at, atMany };
}

/** A step that left behind what nobody looks at, until the next setter, might as well not have happened. */
function usefulUntil(action: Action, lastLooks: LastLooks): number {
  if (action.kind !== "set" && action.kind !== "swap") return never;
  const left = action.kind === "set" ? action.state : action.to;
  return Math.max(lastLooks.at.get(left) ?? 0, lastLooks.atMany);
}

/**
 * The order of events, without indefinite steps that are of no use and without the end, where only steps are left that
 * are possible in any order.
 */
function eventsOf(steps: readonly Step[], groups: readonly Group[], shape: Shape): Int32Array {
  let end = 0;
  for (const { action, complete, optional } of steps) {
    const alwaysPossible = action.kind === "set" || (isUnseenGrowth(action) && shape.onlyTexts);
    if (complete !== never && !alwaysPossible && !optional) end = Math.max(end, complete);
  }
  const invoked: number[] = [];
  const completing: { readonly line: number; readonly index: number }[] = [];
  for (const [index, { invoke, complete, group }] of steps.entries()) {
    if (invoke > end) break;
    if (group >= 0 && (groups[group]?.usefulUntil ?? never) <= invoke) continue;
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
