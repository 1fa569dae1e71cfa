/**
 * The client as a state machine: calls, replies and the time go in; requests to publish and outcomes come out. It opens
 * a session before its first command (§6.3), repeats what is not answered, and says of each call what is known.
 *
 * What is known, and why:
 * - A request that was published once may arrive late, more than once, and at several boards that each believe to lead.
 *   So "try again" from one board says nothing of the copy that another received, and `sessionExpired` says only that
 *   no copy takes effect from now on. Neither makes an outcome definite: a command that was ever sent and is not
 *   answered by its deadline, or whose session expired, is `info`.
 * - `fail` is left for what surely had no effect: commands that were never sent (only their session was being opened),
 *   commands that the machine refused, and queries.
 * - A client that gave up a request says so with its next one (`firstPending`); from then on the cluster refuses late
 *   copies of the old one. Until then it may still take effect, once.
 * - Expired sessions are avoided rather than mended: after a long idle time a new session is opened before the next
 *   command is sent.
 */

import type { Json } from "../json.ts";
import type { Random } from "../random.ts";
import type { Outcome, ReadMode, Reply, Request } from "../transport/protocol.ts";
import { type Attempts, type AttemptTiming, beginAnew, firstAttempt, hasten, nextAttempt } from "./attempts.ts";
import { Queue } from "./queue.ts";
import { type UnderWay, UnderWayTable } from "./under-way.ts";

/** What can be asked of a client: to change one machine's state, or to look at it. */
export type Call =
  | { readonly kind: "command"; readonly machine: string; readonly command: Json }
  | { readonly kind: "query"; readonly machine: string; readonly query: Json; readonly mode: ReadMode };

/** How a call ended, in the words of a history. */
export type CallOutcome =
  | { readonly type: "ok"; readonly result: Json }
  /** It surely had no effect and never will. */
  | { readonly type: "fail"; readonly error: string }
  /** Nobody knows whether it had an effect or will have one; if so, once. */
  | { readonly type: "info"; readonly error: string };

/** `handle` is what `submit` gave for the call. */
export type FinishedCall = { readonly handle: number; readonly outcome: CallOutcome };

/** What a client wants done. */
export type ClientEffects = {
  /** To be published, in this order. */
  readonly requests: readonly Request[];
  /** Those of them that had been published before. */
  readonly repeated: readonly Request[];
  readonly finished: readonly FinishedCall[];
};

/** How patient and how busy a client is. */
export type ClientOptions = AttemptTiming & {
  /** How long after its submission a call is given up. */
  readonly deadlineUs: number;
  /** How many requests may be under way at once. */
  readonly outstandingMax: number;
  /**
   * How many request numbers from the oldest unanswered command on may be used: at most as many as the cluster keeps
   * answers for a session, since it keeps all from that command on, and ends a session that asks for more.
   */
  readonly answersKept: number;
  /** How many calls may wait for their turn; one more fails at once. */
  readonly waitingMax: number;
  /** After so long without an answered command a new session is opened; well below a session's time to live (60 s). */
  readonly sessionIdleUsMax: number;
};

/** The options of a client that states none. */
export const clientOptions: ClientOptions = {
  attemptTimeoutUs: 300_000,
  attemptTimeoutUsMax: 2_000_000,
  retryDelayUs: 20_000,
  deadlineUs: 5_000_000,
  outstandingMax: 1,
  answersKept: 64,
  waitingMax: 1_000,
  sessionIdleUsMax: 20_000_000,
};

/** See the head of this file. */
export type Client = {
  /** Takes a call and tells the handle under which its outcome will come. Calls are sent in the order of submission. */
  submit(call: Call, nowUs: number): number;
  /** Takes a reply; one that answers nothing that is still under way, or another client, is ignored. */
  receive(reply: Reply, nowUs: number): void;
  /** Does what the time demands: gives up what is past its deadline, sends again what is not answered. */
  tick(nowUs: number): void;
  /**
   * Somebody else leads now, or can be reached again: what is not answered is sent again soon instead of waiting out its
   * time-out, though no request more often than every 20 ms.
   */
  hasten(nowUs: number): void;
  /** Hands out what has come up since the last time. */
  drain(): ClientEffects;
  /** When `tick` is next needed, or `null` if nothing is under way. */
  nextDeadlineUs(): number | null;
  /** How many calls have no outcome yet. */
  readonly load: number;
};

/** What a client is made of. */
export type ClientSetup = {
  /**
   * The name under which replies come back. No two clients may have the same and use the same request numbers, a
   * restarted one included: it would take replies to its forerunner for its own.
   */
  readonly name: string;
  /** Where request numbers begin. Default: 1. Drawn at random, it lets a name be used again. */
  readonly firstRequest?: number;
  /** For the jitter of retries. */
  readonly random: Random;
  /** Where they shall differ from `clientOptions`. */
  readonly options?: Partial<ClientOptions>;
};

type Waiting = { readonly handle: number; readonly call: Call; readonly deadlineUs: number };

type SessionState =
  | { readonly kind: "none" }
  | { readonly kind: "registering"; readonly attempts: Attempts<Request> }
  | {
      readonly kind: "open";
      readonly number: number;
      /** The session was surely alive then. */
      confirmedUs: number;
      /** No command of this session with a lower number waits for its answer. */
      firstPending: number;
    };

type OpenSession = Extract<SessionState, { kind: "open" }>;

/** All clients hear of a new leader at once; they need not all speak in the same moment. */
const hasteUsMax = 2_000;

/** A client that has done nothing yet. */
export function createClient({ name, random, options, firstRequest = 1 }: ClientSetup): Client {
  const settings = { ...clientOptions, ...options };
  let handles = 0;
  let nextRequest = firstRequest;
  let session: SessionState = { kind: "none" };
  /** In the order of submission, so also of deadlines. */
  const waiting = new Queue<Waiting>();
  const outstanding = new UnderWayTable<Request>();
  let requests: Request[] = [];
  let repeated: Request[] = [];
  let finished: FinishedCall[] = [];

  function finish(handle: number, outcome: CallOutcome): void {
    finished.push({ handle, outcome });
  }

  /** Sends what waits, in its order, as far as there is room and, for commands, a session. */
  function sendWaiting(nowUs: number): void {
    while (outstanding.size < settings.outstandingMax) {
      const next = waiting.first;
      if (next === undefined) return;
      const request = requestFor(next.call, nowUs);
      if (request === null) return;
      waiting.removeFirst();
      const { handle, deadlineUs } = next;
      outstanding.add({ handle, deadlineUs, attempts: send(request, nowUs) });
    }
  }

  /** The request that a call becomes; `null` if it must wait for a session, or for the answers to earlier commands. */
  function requestFor(call: Call, nowUs: number): Request | null {
    switch (call.kind) {
      case "query": {
        const { machine, query, mode } = call;
        return { type: "query", client: name, request: takeNumber(), machine, query, mode };
      }
      case "command": {
        const open = usableSession(nowUs);
        if (open === null) return null;
        const firstPending = firstPendingIn(open);
        if (nextRequest - firstPending >= settings.answersKept) return null;
        const { machine, command } = call;
        const { number } = open;
        return {
          type: "command",
          client: name,
          request: takeNumber(),
          session: number,
          firstPending,
          machine,
          command,
        };
      }
    }
  }

  function takeNumber(): number {
    nextRequest += 1;
    return nextRequest - 1;
  }

  function usableSession(nowUs: number): OpenSession | null {
    if (session.kind === "open" && nowUs - session.confirmedUs <= settings.sessionIdleUsMax) return session;
    if (session.kind !== "registering") {
      const request: Request = { type: "register", client: name, request: takeNumber() };
      session = { kind: "registering", attempts: send(request, nowUs) };
    }
    return null;
  }

  /** The lowest number of a command that waits for its answer; if there is none, that of the next one. */
  function firstPendingIn(open: OpenSession): number {
    while (open.firstPending < nextRequest && !isCommandUnderWay(open.firstPending)) open.firstPending += 1;
    return open.firstPending;
  }

  function isCommandUnderWay(request: number): boolean {
    return outstanding.get(request)?.attempts.request.type === "command";
  }

  function send(request: Request, nowUs: number): Attempts<Request> {
    requests.push(request);
    return firstAttempt(request, nowUs, settings, random);
  }

  function sendAgain(attempts: Attempts<Request>, nowUs: number): void {
    requests.push(attempts.request);
    repeated.push(attempts.request);
    nextAttempt(attempts, nowUs, settings, random);
  }

  function receiveRegistration(attempts: Attempts<Request>, outcome: Outcome, nowUs: number): void {
    switch (outcome.kind) {
      case "ok":
        if (typeof outcome.value !== "number") return;
        session = {
          kind: "open",
          number: outcome.value,
          confirmedUs: attempts.firstAtUs,
          firstPending: nextRequest,
        };
        return;
      case "refused":
        session = { kind: "none" };
        failWaitingCommands(`The cluster opens no session for this client: ${outcome.error}`);
        return;
      case "retry":
        hasten(attempts, nowUs, random);
        return;
      case "sessionExpired":
        return;
    }
  }

  function failWaitingCommands(error: string): void {
    for (const { handle } of waiting.removeAll(({ call }) => call.kind === "command")) {
      finish(handle, { type: "fail", error });
    }
  }

  function receiveAnswer(answered: UnderWay<Request>, outcome: Outcome, nowUs: number): void {
    const { handle, attempts } = answered;
    const { request } = attempts;
    switch (outcome.kind) {
      case "ok":
        confirmSession(request, attempts.firstAtUs);
        outstanding.delete(request.request);
        finish(handle, { type: "ok", result: outcome.value });
        return;
      case "refused":
        outstanding.delete(request.request);
        finish(handle, { type: "fail", error: outcome.error });
        return;
      case "retry":
        hasten(attempts, nowUs, random);
        outstanding.reschedule(answered);
        return;
      case "sessionExpired":
        if (request.type !== "command") return;
        if (session.kind === "open" && session.number === request.session) session = { kind: "none" };
        outstanding.delete(request.request);
        finish(handle, { type: "info", error: `Session ${request.session} expired before an answer came.` });
        return;
    }
  }

  function confirmSession(request: Request, sentUs: number): void {
    if (request.type !== "command" || session.kind !== "open" || session.number !== request.session) return;
    session.confirmedUs = Math.max(session.confirmedUs, sentUs);
  }

  /** Gives up what is past its deadline and tells what is to be sent again. */
  function giveUpWhatIsLate(nowUs: number): readonly UnderWay<Request>[] {
    const due = outstanding.takeDue(nowUs);
    for (const { handle, deadlineUs, attempts } of due) {
      if (nowUs < deadlineUs) continue;
      outstanding.delete(attempts.request.request);
      const error = `No board answered within ${inMilliseconds(settings.deadlineUs)}.`;
      finish(handle, { type: attempts.request.type === "query" ? "fail" : "info", error });
    }
    for (let next = waiting.first; next !== undefined && nowUs >= next.deadlineUs; next = waiting.first) {
      waiting.removeFirst();
      const reason = session.kind === "registering" ? "no board opened a session" : "calls before it took too long";
      finish(next.handle, { type: "fail", error: `Never sent: ${reason} (${inMilliseconds(settings.deadlineUs)}).` });
    }
    return due.filter(({ deadlineUs }) => nowUs < deadlineUs);
  }

  return {
    submit(call, nowUs) {
      handles += 1;
      if (waiting.size >= settings.waitingMax) {
        finish(handles, { type: "fail", error: `Never sent: ${settings.waitingMax} calls wait already.` });
      } else {
        waiting.add({ handle: handles, call, deadlineUs: nowUs + settings.deadlineUs });
        sendWaiting(nowUs);
      }
      return handles;
    },

    receive({ client, request, outcome }, nowUs) {
      if (client !== name) return;
      const answered = outstanding.get(request);
      if (answered !== undefined) {
        receiveAnswer(answered, outcome, nowUs);
      } else if (session.kind === "registering" && session.attempts.request.request === request) {
        receiveRegistration(session.attempts, outcome, nowUs);
      }
      sendWaiting(nowUs);
    },

    tick(nowUs) {
      for (const underWay of giveUpWhatIsLate(nowUs)) {
        sendAgain(underWay.attempts, nowUs);
        outstanding.reschedule(underWay);
      }
      // A session is only asked for again while someone waits for it, but a late answer is still welcome.
      if (session.kind === "registering" && waiting.size > 0 && nowUs >= session.attempts.nextAtUs) {
        sendAgain(session.attempts, nowUs);
      }
      sendWaiting(nowUs);
    },

    hasten(nowUs) {
      const atUs = nowUs + random.between(0, hasteUsMax);
      for (const underWay of outstanding.values()) {
        beginAnew(underWay.attempts, atUs, settings);
        outstanding.reschedule(underWay);
      }
      if (session.kind === "registering") beginAnew(session.attempts, atUs, settings);
    },

    drain() {
      const effects = { requests, repeated, finished };
      requests = [];
      repeated = [];
      finished = [];
      return effects;
    },

    nextDeadlineUs() {
      let nextUs = outstanding.nextDueUs();
      const next = waiting.first;
      if (next !== undefined) nextUs = Math.min(nextUs, next.deadlineUs);
      if (next !== undefined && session.kind === "registering") nextUs = Math.min(nextUs, session.attempts.nextAtUs);
      return nextUs === Number.POSITIVE_INFINITY ? null : nextUs;
    },

    get load() {
      return outstanding.size + waiting.size;
    },
  };
}

function inMilliseconds(durationUs: number): string {
  return `${Math.round(durationUs / 1_000)} ms`;
}
