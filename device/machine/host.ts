/**
 * Several machines beside each other in one log, and the sessions under which clients command them.
 *
 * Every board feeds its host the committed commands in the order of the log; so every host gives the same answers and,
 * asked after the same entry, the same snapshot to the byte.
 */

import { type Json, toAsciiJson } from "../json.ts";
import { decodeCommand, type LogCommand } from "./log-command.ts";
import type { Machine, MachineResult } from "./machine.ts";
import {
  createSessionTable,
  type SessionLimits,
  type SessionRules,
  sessionLimits,
  sessionRules as unbrokenRules,
} from "./sessions.ts";

/** What the client is to be told: a part of `Outcome` in `device/transport/protocol.ts`, to be passed on as it is. */
export type AppliedOutcome =
  | { readonly kind: "ok"; readonly value: Json }
  | { readonly kind: "refused"; readonly error: string }
  | { readonly kind: "sessionExpired" };

/** What became of a command from the log. */
export type Applied =
  /** A session was opened; the outcome's value is its number. */
  | { readonly kind: "registered"; readonly session: number; readonly outcome: AppliedOutcome }
  /** A machine carried the command out, or refused it by its own rules. */
  | CommandApplied<"executed">
  /** The command had been carried out before: this is the first answer again (§6.3). */
  | CommandApplied<"repeated">
  /** The client had said that it no longer waits for this request: it was not carried out (now). */
  | CommandApplied<"stale">
  /** The session has expired or never was: the command was not carried out (now). */
  | CommandApplied<"expired">
  /** The text stands for no command that this host knows; nothing was carried out. */
  | { readonly kind: "undecodable"; readonly outcome: AppliedOutcome };

type CommandApplied<Kind> = {
  readonly kind: Kind;
  readonly session: number;
  readonly request: number;
  readonly outcome: AppliedOutcome;
};

/** What a host is made of. */
export type MachineHostOptions = {
  /** The machines, each with a name of its own; the same on every board. */
  readonly machines: readonly Machine[];
  /** The rules of sessions, where they shall differ from `sessionRules`. */
  readonly sessionRules?: SessionRules;
  /** The bounds of the session table, where they shall differ from `sessionLimits`; the same on every board. */
  readonly limits?: Partial<SessionLimits>;
};

/** See the head of this file. */
export type MachineHost = {
  /**
   * Applies the committed command entry at `index`. Never throws because of what `data` holds. Throws if `index` is not
   * beyond the last one applied: then the board is broken and must stop.
   */
  apply(index: number, data: string): Applied;

  /** Answers a question about the present state of one machine. */
  query(machine: string, question: Json): MachineResult;

  /**
   * Why a command would be refused whatever the state, so that it must not enter the log; `null` if it may enter. To be
   * asked before `encodeCommand`, which cannot write values nested without end.
   */
  check(machine: string, command: Json): string | null;

  /** The state of all machines and sessions as ASCII text, the same on every board that applied the same entries. */
  snapshot(): string;

  /** Takes such a state in the place of the present one. Throws if it is not one; the board must stop then. */
  restore(snapshot: string): void;
};

/** A host before the first entry. Throws if two machines have the same name. */
export function createMachineHost({ machines, sessionRules, limits }: MachineHostOptions): MachineHost {
  const machineByName = new Map(machines.map((machine) => [machine.name, machine]));
  if (machineByName.size < machines.length) throw new Error("Two machines have the same name; each needs its own.");
  const sessions = createSessionTable(sessionRules ?? unbrokenRules, { ...sessionLimits, ...limits });
  let lastIndex = 0;
  /** The cluster's time: the highest that any leader wrote, so that a leader with a slow clock never turns it back. */
  let nowMs = 0;

  function register(index: number, client: string): Applied {
    sessions.open(index, client, nowMs);
    return { kind: "registered", session: index, outcome: { kind: "ok", value: index } };
  }

  function carryOut(index: number, entry: LogCommand & { readonly kind: "command" }): Applied {
    const { session, request } = entry;
    const standing = sessions.admit(entry, nowMs);
    switch (standing.kind) {
      case "expired":
      case "stale":
        // Whether an earlier copy of a stale request was carried out is forgotten too: the same answer is the true one.
        return { kind: standing.kind, session, request, outcome: sessionExpired };
      case "repeated":
        return { kind: "repeated", session, request, outcome: outcomeOf(standing.answer) };
      case "new": {
        const machine = machineByName.get(entry.machine);
        const answer = machine ? machine.apply(entry.command, { index, timeMs: nowMs }) : noMachine(entry.machine);
        standing.session.answers.set(request, answer);
        return { kind: "executed", session, request, outcome: outcomeOf(answer) };
      }
    }
  }

  function noMachine(name: string): MachineResult {
    return { ok: false, error: `There is no machine "${name}" here, only ${[...machineByName.keys()].join(", ")}.` };
  }

  return {
    apply(index, data) {
      if (!(index > lastIndex)) throw new Error(`Entry ${index} was to be applied after entry ${lastIndex}.`);
      lastIndex = index;
      const entry = decodeCommand(data);
      if (entry === null) return undecodable;
      nowMs = Math.max(nowMs, entry.timeMs);
      sessions.expire(nowMs);
      switch (entry.kind) {
        case "register":
          return register(index, entry.client);
        case "command":
          return carryOut(index, entry);
      }
    },

    query(name, question) {
      const machine = machineByName.get(name);
      return machine ? machine.query(question) : noMachine(name);
    },

    check(name, command) {
      const machine = machineByName.get(name);
      if (machine) return machine.check(command);
      const refusal = noMachine(name);
      return refusal.ok ? null : refusal.error;
    },

    snapshot() {
      const states = machines.map((machine) => [machine.name, machine.snapshot()]);
      return toAsciiJson({ index: lastIndex, timeMs: nowMs, sessions: sessions.snapshot(), machines: states });
    },

    restore(snapshot) {
      const state = parseState(snapshot);
      const names = state.machines.map(([name]) => name).join(", ");
      const expected = machines.map((machine) => machine.name).join(", ");
      if (names !== expected) throw new Error(`The snapshot is of the machines ${names}; this board runs ${expected}.`);
      sessions.restore(state.sessions);
      for (const [name, machineState] of state.machines) machineByName.get(name)?.restore(machineState);
      lastIndex = state.index;
      nowMs = state.timeMs;
    },
  };
}

const sessionExpired: AppliedOutcome = { kind: "sessionExpired" };

const undecodable: Applied = {
  kind: "undecodable",
  outcome: { kind: "refused", error: "This is not a command that this version of Adrift can read." },
};

function outcomeOf(result: MachineResult): AppliedOutcome {
  return result.ok ? { kind: "ok", value: result.value } : { kind: "refused", error: result.error };
}

type HostState = {
  readonly index: number;
  readonly timeMs: number;
  readonly sessions: Json;
  readonly machines: readonly (readonly [string, Json])[];
};

function parseState(snapshot: string): HostState {
  let state: unknown;
  try {
    state = JSON.parse(snapshot);
  } catch {
    state = null;
  }
  if (!isHostState(state)) {
    throw new Error(`This is not a snapshot of the machines; it begins with "${snapshot.slice(0, 40)}".`);
  }
  return state;
}

function isHostState(state: unknown): state is HostState {
  if (typeof state !== "object" || state === null) return false;
  const { index, timeMs, sessions, machines } = state as { readonly [name in keyof HostState]?: unknown };
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(timeMs) || sessions === undefined) return false;
  return Array.isArray(machines) && machines.every((pair) => Array.isArray(pair) && typeof pair[0] === "string");
}
