/**
 * The machine `kv`: values under keys.
 *
 * `null` means absent: a key that is not there reads as `null`, `cas` from `null` creates a key, and a key that is
 * written or swapped to `null` is gone. `append` and `add` take an absent key as `""` and `0`.
 */

import { type Json, toAsciiJson } from "../json.ts";
import { isEqual } from "./json-equal.ts";
import { isList, isObject } from "./json-shape.ts";
import {
  exactRange,
  faultOfCommand,
  faultOfQuery,
  faultOfValue,
  isExact,
  type KeyValueCommand,
  type KeyValueLimits,
  type KeyValueQuery,
  keyValueLimits,
} from "./key-value-command.ts";
import type { Machine, MachineResult } from "./machine.ts";

/** An empty key-value machine; `limits` where they shall differ from `keyValueLimits`, the same on every board. */
export function createKeyValue(limits: Partial<KeyValueLimits> = {}): Machine {
  const bounds = { ...keyValueLimits, ...limits };
  let cells = new Map<string, Cell>();

  /** Puts a value under a key and gives `answer`; or refuses, having changed nothing. */
  function put(key: string, value: Json, version: number, answer: Json): MachineResult {
    if (value === null) {
      cells.delete(key);
    } else if (cells.size < bounds.keysMax || cells.has(key)) {
      cells.set(key, { value, version });
    } else {
      return refuse(key, `is one too many: ${bounds.keysMax} keys are stored; delete one first`);
    }
    return { ok: true, value: answer };
  }

  function execute(command: KeyValueCommand, index: number): MachineResult {
    const { key } = command;
    const { value: present } = cells.get(key) ?? absent;
    switch (command.op) {
      case "write":
        return put(key, command.value, index, null);
      case "cas": {
        const [expected, next] = command.value;
        return isEqual(present, expected) ? put(key, next, index, true) : { ok: true, value: false };
      }
      case "append": {
        if (present !== null && typeof present !== "string") return refuse(key, "holds no string to append to");
        const whole = (present ?? "") + command.value;
        const fault = faultOfValue(whole, bounds);
        return fault === null ? put(key, whole, index, null) : { ok: false, error: fault };
      }
      case "add": {
        if (present !== null && typeof present !== "number") return refuse(key, "holds no number to add to");
        const sum = (present ?? 0) + command.value;
        return isExact(sum) ? put(key, sum, index, sum) : refuse(key, `would leave the numbers up to ${exactRange}`);
      }
      case "delete":
        return { ok: true, value: cells.delete(key) };
    }
  }

  return {
    name: "kv",

    apply(command, { index }) {
      const fault = faultOfCommand(command, bounds);
      return fault === null ? execute(command as KeyValueCommand, index) : { ok: false, error: fault };
    },

    query(query) {
      const fault = faultOfQuery(query, bounds);
      if (fault !== null) return { ok: false, error: fault };
      const { op, key } = query as KeyValueQuery;
      const { value, version } = cells.get(key) ?? absent;
      return { ok: true, value: op === "read" ? value : { value, version } };
    },

    snapshot() {
      const sorted = [...cells].sort(([a], [b]) => (a < b ? -1 : 1));
      return sorted.map(([key, { value, version }]) => ({ key, version, value }));
    },

    restore(state) {
      cells = cellsOf(state);
    },

    check(command) {
      return faultOfCommand(command, bounds);
    },
  };
}

/** What stands under a key: never `null`, and the index of the entry that put it there. */
type Cell = { readonly value: Json; readonly version: number };

const absent: Cell = { value: null, version: 0 };

function refuse(key: string, reason: string): MachineResult {
  return { ok: false, error: `The key ${toAsciiJson(key)} ${reason}.` };
}

function cellsOf(state: Json): Map<string, Cell> {
  if (!isList(state)) throw new Error("This is not a state of kv: it should be a list of keys.");
  const cells = new Map<string, Cell>();
  for (const item of state) {
    const { key, version, value = null } = isObject(item) ? item : {};
    if (typeof key !== "string" || typeof version !== "number" || value === null || cells.has(key)) {
      throw new Error(`This is not a state of kv: it holds ${toAsciiJson(item)} in the place of a key.`);
    }
    cells.set(key, { value, version });
  }
  return cells;
}
