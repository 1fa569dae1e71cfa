import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Json } from "../json.ts";
import { createMachineHost, type MachineHost, type MachineHostOptions } from "./host.ts";
import { createKeyValue } from "./key-value.ts";
import { decodeCommand, encodeCommand, type LogCommand } from "./log-command.ts";
import type { Machine } from "./machine.ts";
import { sessionRules } from "./sessions.ts";

/** A board's host that is fed entry after entry, in words. */
function bench(options: Partial<MachineHostOptions> = {}) {
  const host = createMachineHost({ machines: [createKeyValue()], ...options });
  let index = 0;
  const append = (entry: LogCommand) => host.apply(++index, encodeCommand(entry));
  return {
    host,
    /** Opens a session and tells its number. */
    register(timeMs = 0, client = "c1"): number {
      append({ kind: "register", client, timeMs });
      return index;
    },
    /** Adds one to the key `x`. */
    add(session: number, request: number, { firstPending = request, timeMs = 0, machine = "kv", client = "c1" } = {}) {
      const command = { op: "add", key: "x", value: 1 };
      return append({ kind: "command", client, session, request, firstPending, machine, command, timeMs });
    },
    x: (): Json => read(host, "x"),
    restart(): void {
      const snapshot = host.snapshot();
      host.restore(snapshot);
      expect(host.snapshot()).toBe(snapshot);
    },
  };
}

function read(host: MachineHost, key: string): Json {
  const result = host.query("kv", { op: "read", key });
  return result.ok ? result.value : null;
}

const ok = (value: Json) => ({ kind: "ok", value });

describe("sessions", () => {
  it("given a session, when a request is repeated, then it takes effect once and the first answer comes again", () => {
    const board = bench();
    const session = board.register();
    expect(board.add(session, 1)).toEqual({ kind: "executed", session, request: 1, outcome: ok(1) });
    expect(board.add(session, 1)).toEqual({ kind: "repeated", session, request: 1, outcome: ok(1) });
    expect(board.x()).toBe(1);
  });

  it("given a session, when another client acts in it, then nothing happens, and its owner's requests stay its own", () => {
    const board = bench();
    const session = board.register(0, "anna");
    board.add(session, 1, { client: "anna" });
    const foreign = board.add(session, 2, { client: "ben", firstPending: 2 });
    expect(foreign).toMatchObject({ kind: "expired", outcome: { kind: "sessionExpired" } });
    expect(board.x()).toBe(1);
    expect(board.add(session, 2, { client: "anna" })).toMatchObject({ kind: "executed", outcome: ok(2) });
  });

  it("given a session, when another client acts in it, then it is not kept alive by that", () => {
    const board = bench({ limits: { timeToLiveMs: 100 } });
    const session = board.register(0, "anna");
    board.add(session, 1, { client: "ben", timeMs: 90 });
    expect(board.add(session, 1, { client: "anna", timeMs: 120 })).toMatchObject({ kind: "expired" });
  });

  it("given a refused request, when it is repeated, then it is refused again, even if it would now succeed", () => {
    const board = bench({ machines: [createKeyValue({ keysMax: 0 })] });
    const session = board.register();
    const first = board.add(session, 1);
    expect(first).toMatchObject({ kind: "executed", outcome: { kind: "refused" } });
    expect(board.add(session, 1)).toEqual({ ...first, kind: "repeated" });
  });

  it("given requests that overtake each other, when each is repeated, then each keeps its own answer", () => {
    const board = bench();
    const session = board.register();
    expect(board.add(session, 3, { firstPending: 2 }).outcome).toEqual(ok(1));
    expect(board.add(session, 2, { firstPending: 2 }).outcome).toEqual(ok(2));
    expect(board.add(session, 3, { firstPending: 2 })).toMatchObject({ kind: "repeated", outcome: ok(1) });
  });

  it("given a client that gave a request up, when a late copy of it arrives, then it is not carried out", () => {
    const board = bench();
    const session = board.register();
    board.add(session, 2);
    expect(board.add(session, 1)).toMatchObject({ kind: "stale", outcome: { kind: "sessionExpired" } });
    expect(board.x()).toBe(1);
  });

  it("given a snapshot after the first answer, when the request is repeated after it, then it is still known", () => {
    const board = bench();
    const session = board.register();
    board.add(session, 1);
    board.restart();
    expect(board.add(session, 1)).toMatchObject({ kind: "repeated", outcome: ok(1) });
  });

  it("given an idle session, when more than its time to live passed in the log, then its client is told so", () => {
    const board = bench({ limits: { timeToLiveMs: 100 } });
    const idle = board.register(1_000);
    const busy = board.register(1_000);
    board.add(busy, 1, { timeMs: 1_100 });
    expect(board.add(idle, 1, { timeMs: 1_101 })).toMatchObject({
      kind: "expired",
      outcome: { kind: "sessionExpired" },
    });
    expect(board.add(busy, 2, { timeMs: 1_200 })).toMatchObject({ kind: "executed" });
    expect(board.x()).toBe(2);
  });

  it("given a leader whose clock is behind, when it writes its time, then the cluster's time does not go back", () => {
    const board = bench({ limits: { timeToLiveMs: 100 } });
    board.register(5_000);
    const session = board.register(10);
    expect(board.add(session, 1, { timeMs: 5_100 })).toMatchObject({ kind: "executed" });
    expect(board.add(session, 2, { timeMs: 20 })).toMatchObject({ kind: "executed" });
    expect(board.add(session, 3, { timeMs: 5_201 })).toMatchObject({ kind: "expired" });
  });

  it("given a full table, when one more client registers, then the least recently active session ends", () => {
    const board = bench({ limits: { sessionsMax: 2 } });
    const [first, second] = [board.register(), board.register()];
    board.add(first, 1);
    board.restart();
    const third = board.register();
    expect(board.add(second, 1)).toMatchObject({ kind: "expired" });
    expect(board.add(first, 2)).toMatchObject({ kind: "executed" });
    expect(board.add(third, 1)).toMatchObject({ kind: "executed" });
  });

  it("given a client with more requests pending than are remembered, when it sends one more, then its session ends", () => {
    const board = bench({ limits: { answersPerSessionMax: 2 } });
    const session = board.register();
    board.add(session, 1, { firstPending: 1 });
    board.add(session, 2, { firstPending: 1 });
    expect(board.add(session, 3, { firstPending: 1 })).toMatchObject({ kind: "expired" });
    expect(board.add(session, 3, { firstPending: 3 })).toMatchObject({ kind: "expired" });
    expect(board.x()).toBe(2);
  });

  it("given a broken rule in the place of a rule, when a request is repeated, then the host follows the broken one", () => {
    const board = bench({ sessionRules: { ...sessionRules, isRepeat: () => false } });
    const session = board.register();
    board.add(session, 1);
    expect(board.add(session, 1)).toMatchObject({ kind: "executed", outcome: ok(2) });
  });
});

describe("machines beside each other", () => {
  it("given two machines, when one is commanded, then the other stays, and a snapshot holds both", () => {
    const log = listMachine();
    const board = bench({ machines: [createKeyValue(), log] });
    const session = board.register();
    board.add(session, 1);
    board.add(session, 2, { machine: "list" });
    board.restart();
    expect(board.host.query("kv", { op: "read", key: "x" })).toEqual({ ok: true, value: 1 });
    expect(board.host.query("list", null)).toEqual({ ok: true, value: [{ op: "add", key: "x", value: 1 }] });
  });

  it("given no machine of a name, when it is addressed, then that is refused in words", () => {
    const board = bench();
    const session = board.register();
    expect(board.add(session, 1, { machine: "lock" }).outcome).toEqual({
      kind: "refused",
      error: 'There is no machine "lock" here, only kv.',
    });
    expect(board.host.check("lock", null)).toMatch(/no machine "lock"/);
    expect(board.host.query("lock", null)).toMatchObject({ ok: false });
  });

  it("given a command, when it is checked before it enters the log, then its machine says what is wrong", () => {
    const { host } = bench();
    expect(host.check("kv", { op: "add", key: "x", value: 1 })).toBeNull();
    expect(host.check("kv", { op: "add", key: "x", value: "1" })).toMatch(/needs a number/);
  });

  it("given two machines of one name, when a host is made of them, then it says so", () => {
    expect(() => bench({ machines: [createKeyValue(), createKeyValue()] })).toThrow(/same name/);
  });
});

describe("what a host does not take", () => {
  it.each<[string, string]>([
    ["no JSON", "{"],
    ["no object", "7"],
    ["nothing", "null"],
    ["no time", '{"register":"c1"}'],
    ["a time before time", '{"register":"c1","timeMs":-1}'],
    ["a name that is too long", `{"register":"${"c".repeat(129)}","timeMs":1}`],
    ["no command", '{"session":1,"request":1,"firstPending":1,"machine":"kv","timeMs":1}'],
    [
      "a request that is not pending by its own words",
      '{"session":1,"request":1,"firstPending":2,"machine":"kv","command":{"op":"delete","key":"x"},"timeMs":1}',
    ],
  ])(
    "given %s in the log, when it is applied, then that is refused and nothing but the index changes",
    (_name, data) => {
      const { host } = bench();
      expect(host.apply(1, data)).toMatchObject({ kind: "undecodable", outcome: { kind: "refused" } });
      const other = bench().host;
      expect(other.apply(1, "?")).toMatchObject({ kind: "undecodable" });
      expect(host.snapshot()).toBe(other.snapshot());
    },
  );

  it("given an applied entry, when it is applied again, then the host throws: the board is broken", () => {
    const { host } = bench();
    host.apply(7, "");
    expect(() => host.apply(7, "")).toThrow("Entry 7 was to be applied after entry 7.");
    host.restore(host.snapshot());
    expect(() => host.apply(6, "")).toThrow(/after entry 7/);
  });

  it.each<[string, string, RegExp]>([
    ["no JSON", "{", /not a snapshot of the machines; it begins with "{"/],
    ["another document", "{}", /not a snapshot/],
    ["other machines", '{"index":1,"timeMs":1,"sessions":[],"machines":[["lock",[]]]}', /machines lock; .* runs kv/],
    ["no sessions", '{"index":1,"timeMs":1,"sessions":{},"machines":[["kv",[]]]}', /not a session table/],
    ["a bad session", '{"index":1,"timeMs":1,"sessions":[{"number":1}],"machines":[["kv",[]]]}', /\{"number":1\}/],
    ["a bad key", '{"index":1,"timeMs":1,"sessions":[],"machines":[["kv",[3]]]}', /not a state of kv/],
  ])(
    "given %s in the place of a snapshot, when it is restored, then the host says what it is not",
    (_name, text, error) => {
      expect(() => bench().host.restore(text)).toThrow(error);
    },
  );
});

describe("any log", () => {
  it("given any entry, when it is encoded, then it is ASCII and decodes to the same", () => {
    const number = fc.maxSafeNat();
    const command = fc.record({
      kind: fc.constant("command" as const),
      client: fc.string(),
      session: number,
      request: fc.constant(Number.MAX_SAFE_INTEGER),
      firstPending: number,
      machine: fc.string(),
      command: fc.jsonValue({ stringUnit: "grapheme" }).map((value) => JSON.parse(JSON.stringify(value)) as Json),
      timeMs: number,
    });
    const register = fc.record({ kind: fc.constant("register" as const), client: fc.string(), timeMs: number });
    fc.assert(
      fc.property(fc.oneof(register, command), (entry) => {
        const data = encodeCommand(entry);
        expect(data).toMatch(/^[\0-\x7f]*$/);
        expect(decodeCommand(data)).toEqual(entry);
      }),
      { numRuns: 100 },
    );
  });

  it("given any log with retries, idle times and restarts, when applied, then all is as in a slow second table", () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 60 }), (steps) => {
        const [steady, restarted, slow] = [bench({ limits }), bench({ limits }), slowTable()];
        let nowMs = 0;
        for (const step of steps) {
          nowMs += step.waitMs;
          if (step.restart) restarted.restart();
          if (step.kind === "register") {
            expect(steady.register(nowMs)).toBe(slow.register(nowMs));
            restarted.register(nowMs);
          } else {
            const { session, request, back } = step;
            const options = { firstPending: Math.max(0, request - back), timeMs: nowMs };
            const applied = steady.add(session, request, options);
            expect(restarted.add(session, request, options)).toEqual(applied);
            expect(applied).toEqual({ ...slow.add(session, request, options), session, request });
          }
          expect(restarted.host.snapshot()).toBe(steady.host.snapshot());
        }
      }),
      { numRuns: 300 },
    );
  });
});

const limits = { timeToLiveMs: 10, sessionsMax: 2, answersPerSessionMax: 3 };
const waitMs = fc.constantFrom(0, 0, 1, 6, 11);
const restart = fc.boolean();
const anyStep = fc.oneof(
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("register" as const), waitMs, restart }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("add" as const),
      session: fc.integer({ min: 0, max: 6 }),
      request: fc.integer({ min: 0, max: 6 }),
      back: fc.integer({ min: 0, max: 4 }),
      waitMs,
      restart,
    }),
  },
);

/** The table said again, slowly: it forgets nothing and works out from all that happened what must have been forgotten. */
function slowTable() {
  type Event = { session: number; timeMs: number; request: number | null; firstPending: number; answer: number };
  const events: Event[] = [];
  const ended = new Set<number>();
  let [index, x] = [0, 0];
  const of = (session: number) => events.filter((event) => event.session === session);
  const open = () => [...new Set(events.map((event) => event.session))].filter((session) => !ended.has(session));

  function endIdle(timeMs: number): void {
    for (const session of open())
      if (timeMs - (of(session).at(-1)?.timeMs ?? 0) > limits.timeToLiveMs) ended.add(session);
  }

  return {
    register(timeMs: number): number {
      endIdle(timeMs);
      const byActivity = open().sort((a, b) => events.findLastIndex(isOf(a)) - events.findLastIndex(isOf(b)));
      for (const session of byActivity.slice(0, Math.max(0, byActivity.length + 1 - limits.sessionsMax))) {
        ended.add(session);
      }
      index += 1;
      events.push({ session: index, timeMs, request: null, firstPending: 0, answer: 0 });
      return index;
    },

    add(session: number, request: number, { firstPending, timeMs }: { firstPending: number; timeMs: number }) {
      index += 1;
      endIdle(timeMs);
      if (!open().includes(session)) return { kind: "expired", outcome: { kind: "sessionExpired" } };
      events.push({ session, timeMs, request: null, firstPending, answer: 0 });
      const pendingFrom = Math.max(...of(session).map((event) => event.firstPending));
      if (request < pendingFrom) return { kind: "stale", outcome: { kind: "sessionExpired" } };
      const known = of(session).filter((event) => event.request !== null && event.request >= pendingFrom);
      const first = known.find((event) => event.request === request);
      if (first) return { kind: "repeated", outcome: ok(first.answer) };
      if (known.length >= limits.answersPerSessionMax) {
        ended.add(session);
        return { kind: "expired", outcome: { kind: "sessionExpired" } };
      }
      x += 1;
      events.push({ session, timeMs, request, firstPending, answer: x });
      return { kind: "executed", outcome: ok(x) };
    },
  };
}

function isOf(session: number) {
  return (event: { readonly session: number }) => event.session === session;
}

/** A second machine: it keeps what it is told. */
function listMachine(): Machine {
  let list: Json[] = [];
  return {
    name: "list",
    apply: (command) => ({ ok: true, value: list.push(command) }),
    query: () => ({ ok: true, value: list }),
    snapshot: () => [...list],
    restore: (state) => {
      list = Array.isArray(state) ? [...state] : [];
    },
    check: () => null,
  };
}
