/**
 * The sessions of clients (§6.3): the memory by which a command that arrives twice takes effect once.
 *
 * The table is part of the replicated state. It changes by log entries alone, so it is the same on every board, moves
 * with snapshots, and outlives leaders and restarts. It forgets in three ways, each decided by the log: an answer when
 * the client says that it no longer waits for it, a session when it was idle too long by the time that leaders wrote
 * into the log, and the least recently active session when the table is full.
 */

import type { Json } from "../json.ts";
import { isCount, isList, isObject } from "./json-shape.ts";
import type { MachineResult } from "./machine.ts";

/** What the table knows of one client. */
export type Session = {
  /** The index of the entry that opened the session, so no two sessions ever have the same. */
  readonly number: number;
  readonly client: string;
  /** The cluster's time at the session's latest entry. */
  lastActiveMs: number;
  /** The client no longer waits for requests below this number. */
  firstPending: number;
  /** The first answer to each request from `firstPending` on that was carried out. */
  readonly answers: Map<number, MachineResult>;
};

/** What a rule may look at. */
export type SessionView = Pick<Session, "number" | "client" | "lastActiveMs" | "firstPending"> & {
  readonly answers: ReadonlyMap<number, MachineResult>;
};

/** The rules of the table, each a pure function, so that a broken one can be put in its place to see what it is for. */
export const sessionRules = {
  /** A session ends when nothing came for longer than its time to live, by the cluster's time (§6.3). */
  isExpired(lastActiveMs: number, nowMs: number, timeToLiveMs: number): boolean {
    return nowMs - lastActiveMs > timeToLiveMs;
  },

  /**
   * A session is the client's that opened it. Its number is easy to guess, and whoever acted in it could have the answers
   * to his own requests given to its owner.
   */
  isOwner(session: SessionView, client: string): boolean {
    return session.client === client;
  },

  /**
   * A request that its client gave up or got the answer to must not be carried out when a late copy of it arrives: the
   * table may have forgotten that it was carried out before.
   */
  isStale(session: SessionView, request: number): boolean {
    return request < session.firstPending;
  },

  /** A request that was carried out before gets its first answer again (§6.3). */
  isRepeat(session: SessionView, request: number): boolean {
    return session.answers.has(request);
  },

  /** A snapshot holds the whole table, the least recently active session first (§6.3). */
  snapshotSessions(sessions: Iterable<SessionView>): Json {
    return Array.from(sessions, ({ number, client, lastActiveMs, firstPending, answers }) => ({
      number,
      client,
      lastActiveMs,
      firstPending,
      answers: Array.from(answers, ([request, result]) => ({ request, ...result })),
    }));
  },
};

/** `sessionRules`, or others in their place. */
export type SessionRules = typeof sessionRules;

/** The bounds of the table. All boards of a cluster must have the same: what is forgotten is part of the state. */
export type SessionLimits = {
  /** How long a session may be idle, by the cluster's time. */
  readonly timeToLiveMs: number;
  /** How many sessions there may be; one more ends the least recently active one. */
  readonly sessionsMax: number;
  /** How many answers a session may keep; a client that has more requests pending loses its session. */
  readonly answersPerSessionMax: number;
};

/** The limits of a cluster that states none. */
export const sessionLimits: SessionLimits = { timeToLiveMs: 60_000, sessionsMax: 1_024, answersPerSessionMax: 1_024 };

/** What the table knows of a request. */
export type RequestStanding =
  | { readonly kind: "expired" }
  | { readonly kind: "stale" }
  | { readonly kind: "repeated"; readonly answer: MachineResult }
  /** Never carried out: carry it out and put the answer into `session.answers`. */
  | { readonly kind: "new"; readonly session: Session };

/** A request as far as the table looks at it. */
export type AskedRequest = {
  readonly client: string;
  readonly session: number;
  readonly request: number;
  readonly firstPending: number;
};

/** See the head of this file. */
export type SessionTable = {
  /** Ends the sessions that have been idle too long at `nowMs`, which must not be earlier than in any call before. */
  expire(nowMs: number): void;
  /** Opens a session; ends the least recently active one if the table is full. */
  open(number: number, client: string, nowMs: number): void;
  /** Tells how a request stands, marks its session as active and forgets the answers before `firstPending`. */
  admit(asked: AskedRequest, nowMs: number): RequestStanding;
  snapshot(): Json;
  /** Takes a table made by `snapshot` in the place of the present one. Throws if it is not one, changing nothing. */
  restore(state: Json): void;
};

/** An empty table. */
export function createSessionTable(rules: SessionRules, limits: SessionLimits): SessionTable {
  /** In the order of their latest activity, the least recent first. */
  let sessions = new Map<number, Session>();

  function moveToEnd(session: Session): void {
    sessions.delete(session.number);
    sessions.set(session.number, session);
  }

  return {
    expire(nowMs) {
      for (const session of sessions.values()) {
        if (!rules.isExpired(session.lastActiveMs, nowMs, limits.timeToLiveMs)) return;
        sessions.delete(session.number);
      }
    },

    open(number, client, nowMs) {
      for (const leastActive of sessions.keys()) {
        if (sessions.size < limits.sessionsMax) break;
        sessions.delete(leastActive);
      }
      sessions.set(number, { number, client, lastActiveMs: nowMs, firstPending: 0, answers: new Map() });
    },

    admit({ client, session: number, request, firstPending }, nowMs) {
      const session = sessions.get(number);
      if (session === undefined || !rules.isOwner(session, client)) return { kind: "expired" };
      session.lastActiveMs = nowMs;
      moveToEnd(session);
      if (firstPending > session.firstPending) forgetAnswersBefore(session, firstPending);
      if (rules.isStale(session, request)) return { kind: "stale" };
      const answer = rules.isRepeat(session, request) ? session.answers.get(request) : undefined;
      if (answer !== undefined) return { kind: "repeated", answer };
      if (session.answers.size >= limits.answersPerSessionMax) {
        // Refusing only this request would leave a late copy of it to be carried out once there is room again.
        sessions.delete(number);
        return { kind: "expired" };
      }
      return { kind: "new", session };
    },

    snapshot() {
      return rules.snapshotSessions(sessions.values());
    },

    restore(state) {
      sessions = sessionsOf(state);
    },
  };
}

function forgetAnswersBefore(session: Session, firstPending: number): void {
  session.firstPending = firstPending;
  for (const request of session.answers.keys()) {
    if (request < firstPending) session.answers.delete(request);
  }
}

function sessionsOf(state: Json): Map<number, Session> {
  if (!isList(state)) throw new Error("This is not a session table: it should be a list of sessions.");
  const sessions = new Map<number, Session>();
  for (const item of state) {
    const session = sessionOf(item);
    if (session === null || sessions.has(session.number)) {
      throw new Error(`This is not a session table: it holds ${JSON.stringify(item)} in the place of a session.`);
    }
    sessions.set(session.number, session);
  }
  return sessions;
}

function sessionOf(item: Json): Session | null {
  if (!isObject(item)) return null;
  const { number, client, lastActiveMs, firstPending, answers } = item;
  if (!isCount(number) || typeof client !== "string") return null;
  if (!isCount(lastActiveMs) || !isCount(firstPending) || !isList(answers)) return null;
  const session: Session = { number, client, lastActiveMs, firstPending, answers: new Map() };
  for (const answer of answers) {
    const result = resultOf(answer);
    if (result === null) return null;
    session.answers.set(result.request, result.result);
  }
  return session;
}

function resultOf(answer: Json): { readonly request: number; readonly result: MachineResult } | null {
  if (!isObject(answer)) return null;
  const { request, ok, value, error } = answer;
  if (!isCount(request)) return null;
  if (ok === true && value !== undefined) return { request, result: { ok, value } };
  if (ok === false && typeof error === "string") return { request, result: { ok, error } };
  return null;
}
