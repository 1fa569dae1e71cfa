import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRandom } from "../random.ts";
import type { Outcome, Request } from "../transport/protocol.ts";
import { type Call, type ClientOptions, createClient } from "./client.ts";
import { keyValueCall } from "./key-value-call.ts";

const increment = keyValueCall({ op: "add", key: "x", value: 1 });
const look = keyValueCall({ op: "read", key: "x" });

/** A client at a table: what it publishes is laid out, and someone answers it by hand. */
function table(options: Partial<ClientOptions> = {}) {
  const client = createClient({ name: "c1", random: createRandom(1), options });
  const table = {
    client,
    nowUs: 0,

    /** Everything published so far, and everything finished so far, by handle. */
    published: [] as Request[],
    repeated: [] as Request[],
    finished: new Map<number, unknown>(),

    submit(call: Call = increment): number {
      const handle = client.submit(call, table.nowUs);
      table.look();
      return handle;
    },
    answer(request: Request, outcome: Outcome): void {
      client.receive({ client: "c1", request: request.request, outcome }, table.nowUs);
      table.look();
    },
    /** Lets so much time pass, with a tick whenever the client wants one. */
    wait(durationUs: number): void {
      const endUs = table.nowUs + durationUs;
      for (let nextUs = client.nextDeadlineUs(); nextUs !== null && nextUs <= endUs; nextUs = client.nextDeadlineUs()) {
        table.nowUs = Math.max(table.nowUs, nextUs);
        client.tick(table.nowUs);
        table.look();
      }
      table.nowUs = endUs;
    },
    look(): void {
      const { requests, repeated, finished } = client.drain();
      table.published.push(...requests);
      table.repeated.push(...repeated);
      for (const { handle, outcome } of finished) {
        if (table.finished.has(handle)) throw new Error(`Call ${handle} finished twice.`);
        table.finished.set(handle, outcome);
      }
    },
    /** The latest request. */
    latest(): Request {
      const request = table.published.at(-1);
      if (request === undefined) throw new Error("The client has published nothing.");
      return request;
    },
    /** Answers the registration that must be the latest request. */
    openSession(number: number): void {
      expect(table.latest()).toMatchObject({ type: "register" });
      table.answer(table.latest(), ok(number));
    },
  };
  return table;
}

const ok = (value: number | null): Outcome => ({ kind: "ok", value });
const retry: Outcome = { kind: "retry", error: "This board does not lead.", leader: null };
const sessionExpired: Outcome = { kind: "sessionExpired" };

describe("the way of a command", () => {
  it("given a new client, when it is commanded, then it opens a session, sends the command and tells the answer", () => {
    const c = table();
    const handle = c.submit();
    expect(c.published).toEqual([{ type: "register", client: "c1", request: 1 }]);
    c.openSession(7);
    expect(c.latest()).toEqual({
      type: "command",
      client: "c1",
      request: 2,
      session: 7,
      firstPending: 2,
      machine: "kv",
      command: { op: "add", key: "x", value: 1 },
    });
    c.answer(c.latest(), ok(1));
    expect(c.finished.get(handle)).toEqual({ type: "ok", result: 1 });
    expect(c.client.nextDeadlineUs()).toBeNull();
  });

  it("given an open session, when one command follows another, then no second session is opened", () => {
    const c = table();
    c.submit();
    c.openSession(7);
    c.answer(c.latest(), ok(1));
    c.submit();
    expect(c.latest()).toMatchObject({ type: "command", request: 3, session: 7, firstPending: 3 });
  });

  it("given two commands at once, when only one may be under way, then the second waits for the first", () => {
    const c = table();
    c.submit();
    const second = c.submit();
    c.openSession(7);
    expect(c.published).toHaveLength(2);
    c.answer(c.latest(), ok(1));
    expect(c.published).toHaveLength(3);
    c.answer(c.latest(), ok(2));
    expect(c.finished.get(second)).toEqual({ type: "ok", result: 2 });
  });

  it("given room for three, when commands are answered out of order, then firstPending is the lowest that is not", () => {
    const c = table({ outstandingMax: 3 });
    for (let count = 0; count < 5; count += 1) c.submit();
    c.openSession(7);
    const [, two, three, four] = c.published;
    if (!two || !three || !four) throw new Error("Three commands should be under way.");
    expect([two, three, four]).toMatchObject([{ request: 2 }, { request: 3 }, { request: 4 }]);
    expect([two, three, four]).toMatchObject([{ firstPending: 2 }, { firstPending: 2 }, { firstPending: 2 }]);
    c.answer(three, ok(1));
    expect(c.latest()).toMatchObject({ request: 5, firstPending: 2 });
    c.answer(two, ok(2));
    expect(c.latest()).toMatchObject({ request: 6, firstPending: 4 });
  });

  it("given a refusal by the machine, when it arrives, then the command surely had no effect", () => {
    const c = table();
    const handle = c.submit();
    c.openSession(7);
    c.answer(c.latest(), { kind: "refused", error: "No." });
    expect(c.finished.get(handle)).toEqual({ type: "fail", error: "No." });
  });

  it("given a query, when it is submitted, then it is sent without a session", () => {
    const c = table();
    const handle = c.submit(keyValueCall({ op: "read", key: "x" }, "stale"));
    expect(c.published).toEqual([
      { type: "query", client: "c1", request: 1, machine: "kv", query: { op: "read", key: "x" }, mode: "stale" },
    ]);
    c.answer(c.latest(), ok(null));
    expect(c.finished.get(handle)).toEqual({ type: "ok", result: null });
  });
});

describe("replies that get lost, come twice or come late", () => {
  it("given a lost reply, when the attempt times out, then the same request is sent again, word for word, and its answer counts", () => {
    const c = table({ attemptTimeoutUs: 100_000 });
    const handle = c.submit();
    c.openSession(7);
    c.wait(130_000);
    expect(c.published).toHaveLength(3);
    expect(c.published[2]).toEqual(c.published[1]);
    expect(c.repeated).toEqual([c.published[2]]);
    c.answer(c.latest(), ok(1));
    expect(c.finished.get(handle)).toEqual({ type: "ok", result: 1 });
  });

  it("given no replies at all, when time passes, then attempts become rarer, up to a longest pause", () => {
    const c = table({ attemptTimeoutUs: 100_000, attemptTimeoutUsMax: 400_000, deadlineUs: 10_000_000 });
    c.submit(look);
    const pausesUs: number[] = [];
    for (let lastUs = 0; pausesUs.length < 5; ) {
      const nextUs = c.client.nextDeadlineUs() ?? 0;
      c.wait(nextUs - lastUs);
      pausesUs.push(nextUs - lastUs);
      lastUs = nextUs;
    }
    for (const [position, aboutUs] of [100_000, 200_000, 400_000, 400_000, 400_000].entries()) {
      expect(pausesUs[position]).toBeGreaterThanOrEqual(0.75 * aboutUs);
      expect(pausesUs[position]).toBeLessThanOrEqual(1.25 * aboutUs);
    }
    expect(c.published).toHaveLength(6);
  });

  it("given an answered command, when its reply comes again and late during the next command, then it is ignored", () => {
    const c = table();
    c.submit();
    c.openSession(7);
    const first = c.latest();
    c.answer(first, ok(1));
    c.answer(first, ok(1));
    const second = c.submit();
    c.answer(first, ok(1));
    c.answer(first, sessionExpired);
    expect(c.finished.has(second)).toBe(false);
    c.answer(c.latest(), ok(2));
    expect(c.finished.get(second)).toEqual({ type: "ok", result: 2 });
  });

  it("given a registration sent twice, when both are answered, then the first session is used and the second ignored", () => {
    const c = table({ attemptTimeoutUs: 100_000 });
    c.submit();
    c.wait(130_000);
    expect(c.published[1]).toEqual(c.published[0]);
    const registration = c.latest();
    c.openSession(7);
    c.answer(registration, ok(9));
    expect(c.latest()).toMatchObject({ type: "command", session: 7 });
  });

  it("given a reply to another client, when it arrives, then it is ignored", () => {
    const c = table();
    const handle = c.submit(look);
    c.client.receive({ client: "c2", request: 1, outcome: ok(1) }, 0);
    c.look();
    expect(c.finished.has(handle)).toBe(false);
  });
});

describe("a leader that changes", () => {
  it("given boards that answer 'try again', when each does so, then the client tries again soon, and once", () => {
    const c = table({ attemptTimeoutUs: 1_000_000, retryDelayUs: 10_000 });
    c.submit(look);
    for (let board = 0; board < 5; board += 1) c.answer(c.latest(), retry);
    c.wait(13_000);
    expect(c.published).toHaveLength(2);
    c.wait(500_000);
    expect(c.published).toHaveLength(2);
  });

  it("given 'try again' to attempt after attempt, when time passes, then the client becomes patient", () => {
    const c = table({ retryDelayUs: 10_000, attemptTimeoutUsMax: 80_000, deadlineUs: 1_000_000 });
    c.submit(look);
    while (c.finished.size === 0) {
      c.answer(c.latest(), retry);
      c.wait((c.client.nextDeadlineUs() ?? 0) - c.nowUs);
    }
    expect(c.published.length).toBeGreaterThan(10);
    expect(c.published.length).toBeLessThan(25);
  });

  it("given 'try again' to a registration, when the new leader answers, then the command goes on", () => {
    const c = table({ retryDelayUs: 10_000 });
    const handle = c.submit();
    c.answer(c.latest(), retry);
    c.wait(13_000);
    c.openSession(7);
    c.answer(c.latest(), ok(1));
    expect(c.finished.get(handle)).toEqual({ type: "ok", result: 1 });
  });
});

describe("a new leader that is heard of", () => {
  it("given unanswered requests, when a new leader is heard of, then all are sent again at once, in their order", () => {
    const c = table({ outstandingMax: 3, attemptTimeoutUs: 1_000_000 });
    for (let count = 0; count < 3; count += 1) c.submit(look);
    c.wait(50_000);
    c.client.hasten(c.nowUs);
    c.wait(2_000);
    expect(c.published.slice(3)).toEqual(c.published.slice(0, 3));
    expect(c.repeated).toHaveLength(3);
  });

  it("given an attempt long in vain, when a new leader is heard of, then its patience begins anew", () => {
    const c = table({ attemptTimeoutUs: 100_000, attemptTimeoutUsMax: 3_200_000, deadlineUs: 60_000_000 });
    c.submit(look);
    c.wait(5_000_000);
    c.client.hasten(c.nowUs);
    const sent = c.published.length;
    c.wait(2_000);
    expect(c.published).toHaveLength(sent + 1);
    c.wait(260_000);
    expect(c.published).toHaveLength(sent + 2);
  });

  it("given news upon news, when each says to hurry, then no request is sent more often than every 20 ms", () => {
    const c = table({ deadlineUs: 1_000_000 });
    c.submit(look);
    for (let count = 0; count < 500; count += 1) {
      c.client.hasten(c.nowUs);
      c.wait(1_000);
    }
    expect(c.published.length).toBeGreaterThan(20);
    expect(c.published.length).toBeLessThanOrEqual(26);
  });

  it("given a session that is being opened, when a new leader is heard of, then it is asked for again at once", () => {
    const c = table({ attemptTimeoutUs: 1_000_000 });
    c.submit();
    c.wait(20_000);
    c.client.hasten(c.nowUs);
    c.wait(2_000);
    expect(c.published).toHaveLength(2);
  });

  it("given nothing under way, when a new leader is heard of, then nothing is sent", () => {
    const c = table();
    c.client.hasten(0);
    c.wait(1_000_000);
    expect(c.published).toEqual([]);
  });
});

describe("many calls under way", () => {
  it("given one command without an answer, when others are answered, then no more are sent than the cluster keeps answers for", () => {
    const c = table({ outstandingMax: 4, answersKept: 6, attemptTimeoutUs: 1_000_000 });
    for (let count = 0; count < 20; count += 1) c.submit();
    c.openSession(7);
    const lost = c.latest().request - 3;
    for (let round = 0; round < 20; round += 1) {
      for (const request of c.published.filter((each) => each.request > lost)) c.answer(request, ok(1));
    }
    expect(c.latest().request).toBe(lost + 5);
    const [, first] = c.published;
    if (first === undefined) throw new Error("A command should be under way.");
    c.answer(first, ok(1));
    expect(c.latest()).toMatchObject({ request: lost + 9, firstPending: lost + 6 });
  });

  it("given calls, answers and news in any order, when time passes, then each call ends once, and no deadline is ever past", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5), { minLength: 1, maxLength: 60 }), (steps) => {
        const c = table({ outstandingMax: 8, attemptTimeoutUs: 10_000, retryDelayUs: 2_000, deadlineUs: 50_000 });
        const handles: number[] = [];
        for (const step of steps) {
          const oldest = c.published.at(-1 - step);
          if (step < 3) handles.push(c.submit(look));
          else if (step === 3 && oldest !== undefined) c.answer(oldest, ok(1));
          else if (step === 4 && oldest !== undefined) c.answer(oldest, retry);
          else c.client.hasten(c.nowUs);
          c.wait(1_000 * step);
          if ((c.client.nextDeadlineUs() ?? Number.POSITIVE_INFINITY) <= c.nowUs) return false;
        }
        c.wait(50_000);
        const ended = [...c.finished.keys()].sort((one, other) => one - other);
        return String(ended) === String(handles) && c.client.nextDeadlineUs() === null && c.client.load === 0;
      }),
      { numRuns: 100 },
    );
  });

  it("given where its numbers begin, when it asks, then its numbers begin there", () => {
    const client = createClient({ name: "c1", random: createRandom(1), firstRequest: 1_000 });
    client.submit(look, 0);
    expect(client.drain().requests).toMatchObject([{ request: 1_000 }]);
  });
});

describe("deadlines", () => {
  it("given a command that was sent, when no answer comes by its deadline, then nobody knows", () => {
    const c = table({ deadlineUs: 1_000_000 });
    const handle = c.submit();
    c.openSession(7);
    c.wait(1_000_000);
    expect(c.finished.get(handle)).toEqual({ type: "info", error: "No board answered within 1000 ms." });
  });

  it("given only 'try again' as answers, when the deadline comes, then nobody knows: another board may have the copy", () => {
    const c = table({ deadlineUs: 1_000_000 });
    const handle = c.submit();
    c.openSession(7);
    while (c.finished.size === 0) {
      c.answer(c.latest(), retry);
      c.wait((c.client.nextDeadlineUs() ?? 0) - c.nowUs);
    }
    expect(c.finished.get(handle)).toMatchObject({ type: "info" });
  });

  it("given a command that waited for its session, when the deadline comes, then it surely had no effect", () => {
    const c = table({ deadlineUs: 1_000_000 });
    const handle = c.submit();
    c.wait(1_000_000);
    expect(c.finished.get(handle)).toEqual({
      type: "fail",
      error: "Never sent: no board opened a session (1000 ms).",
    });
    expect(c.client.nextDeadlineUs()).toBeNull();
  });

  it("given a command that waited for another, when both deadlines come, then only the sent one is unknown", () => {
    const c = table({ deadlineUs: 1_000_000 });
    const [first, second] = [c.submit(), c.submit()];
    c.openSession(7);
    c.wait(1_000_000);
    expect(c.finished.get(first)).toMatchObject({ type: "info" });
    expect(c.finished.get(second)).toMatchObject({ type: "fail", error: expect.stringMatching(/calls before it/) });
  });

  it("given a query, when no answer comes by its deadline, then it surely had no effect", () => {
    const c = table({ deadlineUs: 1_000_000 });
    const handle = c.submit(look);
    c.wait(1_000_000);
    expect(c.finished.get(handle)).toMatchObject({ type: "fail" });
  });

  it("given a command that was given up, when the next is sent, then it says that the old one is no longer pending", () => {
    const c = table({ deadlineUs: 1_000_000 });
    const handle = c.submit();
    c.openSession(7);
    const given = c.latest();
    c.wait(1_000_000);
    c.submit();
    expect(c.latest()).toMatchObject({ request: 3, session: 7, firstPending: 3 });
    c.answer(given, ok(1));
    expect(c.finished.get(handle)).toMatchObject({ type: "info" });
  });

  it("given a registration that nobody waits for any more, when its answer comes late, then the next command uses it", () => {
    const c = table({ deadlineUs: 1_000_000 });
    c.submit();
    c.wait(1_000_000);
    const registration = c.latest();
    c.answer(registration, ok(7));
    c.submit();
    expect(c.latest()).toMatchObject({ type: "command", session: 7 });
  });

  it("given a full queue, when one more call is submitted, then it fails at once", () => {
    const c = table({ waitingMax: 2 });
    c.submit();
    c.submit();
    expect(c.finished.get(c.submit())).toEqual({ type: "fail", error: "Never sent: 2 calls wait already." });
  });
});

describe("sessions that end", () => {
  it("given a command whose session expired, when it is told so, then nobody knows, and the next opens a new session", () => {
    const c = table();
    const [first, second] = [c.submit(), c.submit()];
    c.openSession(7);
    c.answer(c.latest(), sessionExpired);
    expect(c.finished.get(first)).toEqual({ type: "info", error: "Session 7 expired before an answer came." });
    c.openSession(20);
    expect(c.latest()).toMatchObject({ type: "command", session: 20 });
    c.answer(c.latest(), ok(1));
    expect(c.finished.get(second)).toEqual({ type: "ok", result: 1 });
  });

  it("given a long idle time, when a command comes, then a new session is opened before it is sent", () => {
    const c = table({ sessionIdleUsMax: 5_000_000 });
    c.submit();
    c.openSession(7);
    c.answer(c.latest(), ok(1));
    c.wait(5_000_001);
    const handle = c.submit();
    c.openSession(20);
    expect(c.latest()).toMatchObject({ type: "command", session: 20 });
    c.answer(c.latest(), ok(2));
    expect(c.finished.get(handle)).toEqual({ type: "ok", result: 2 });
  });

  it("given commands under way in an old session, when the new one is open, then neither disturbs the other", () => {
    const c = table({ outstandingMax: 2, sessionIdleUsMax: 1_000_000 });
    const old = c.submit();
    c.openSession(7);
    const oldRequest = c.latest();
    c.wait(1_000_001);
    const young = c.submit();
    c.openSession(20);
    expect(c.latest()).toMatchObject({ type: "command", session: 20, firstPending: c.latest().request });
    c.answer(oldRequest, sessionExpired);
    c.answer(c.latest(), ok(5));
    expect(c.finished.get(old)).toMatchObject({ type: "info" });
    expect(c.finished.get(young)).toEqual({ type: "ok", result: 5 });
    c.submit();
    expect(c.latest()).toMatchObject({ type: "command", session: 20 });
  });

  it("given a cluster that opens no session, when it says so, then the waiting commands fail and queries go on", () => {
    const c = table();
    const [command, query] = [c.submit(), c.submit(look)];
    c.answer(c.latest(), { kind: "refused", error: "The name is too long." });
    expect(c.finished.get(command)).toMatchObject({ type: "fail", error: expect.stringMatching(/name is too long/) });
    c.answer(c.latest(), ok(3));
    expect(c.finished.get(query)).toEqual({ type: "ok", result: 3 });
  });
});
