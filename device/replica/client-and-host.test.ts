/**
 * Clients and the machines' host, with nothing between them but a channel that loses, repeats, delays and reorders:
 * whatever it does, each command takes effect at most once, and the clients are told the truth about it.
 */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CallOutcome, createClient } from "../client/client.ts";
import { type KeyValueOperation, keyValueCall } from "../client/key-value-call.ts";
import { createMachineHost } from "../machine/host.ts";
import { createKeyValue } from "../machine/key-value.ts";
import { encodeCommand, type LogCommand } from "../machine/log-command.ts";
import { type SessionRules, sessionRules } from "../machine/sessions.ts";
import { createRandom, type Random } from "../random.ts";
import type { Outcome, Request } from "../transport/protocol.ts";

describe("clients and the host over a bad channel", () => {
  it("given any losses, copies, delays, restarts and expiries, when all is over, then the clients were told the truth", () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        expect(lies(play(seed, sessionRules))).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  it("given enough seeds, when they are played, then every kind of outcome comes about", () => {
    const types = seeds(20).flatMap((seed) => play(seed, sessionRules).calls.map(({ outcome }) => outcome?.type));
    expect(new Set(types)).toEqual(new Set(["ok", "fail", "info"]));
  });

  it.each<[string, Partial<SessionRules>]>([
    ["does not know a repeated request", { isRepeat: () => false }],
    ["carries out what was given up", { isStale: () => false }],
  ])("given a host that %s, when enough seeds are played, then a client was told a lie", (_name, broken) => {
    expect(seeds(100).some((seed) => lies(play(seed, { ...sessionRules, ...broken })).length > 0)).toBe(true);
  });
});

type PlayedCall = { readonly operation: KeyValueOperation; outcome: CallOutcome | null };

/** How a play ended: each append added a token of its own to `text`, each add added one to `sum`. */
type Ending = { readonly calls: readonly PlayedCall[]; readonly text: string; readonly sum: number };

/** What the clients were told that is not so. */
function lies({ calls, text, sum }: Ending): string[] {
  const found: string[] = [];
  const sums = { min: 0, max: 0 };
  for (const { operation, outcome } of calls) {
    if (outcome === null) {
      found.push(`${JSON.stringify(operation)} never ended`);
      continue;
    }
    const { min, max } = timesOfEffect[outcome.type];
    if (operation.op === "append") {
      const times = text.split(operation.value).length - 1;
      if (times < min || times > max)
        found.push(`${operation.value} ended as ${outcome.type}, but stands ${times} times`);
    }
    if (operation.op === "add") {
      sums.min += min;
      sums.max += max;
    }
  }
  if (sum < sums.min || sum > sums.max) found.push(`the sum is ${sum}, not from ${sums.min} to ${sums.max}`);
  return found;
}

const timesOfEffect = { ok: { min: 1, max: 1 }, fail: { min: 0, max: 0 }, info: { min: 0, max: 1 } };

/** Three clients at work on one host over a bad channel, until nothing is under way any more. */
function play(seed: number, rules: SessionRules): Ending {
  const random = createRandom(seed);
  const agenda = createAgenda();
  const cluster = createCluster(random, rules);
  const calls: PlayedCall[] = [];

  function playClient(name: string): void {
    const client = createClient({
      name,
      random: random.fork(name),
      options: {
        attemptTimeoutUs: 50_000,
        attemptTimeoutUsMax: 400_000,
        deadlineUs: 1_000_000,
        outstandingMax: random.between(1, 4),
        sessionIdleUsMax: random.pick([500_000, 60_000_000]),
      },
    });
    const callOf = new Map<number, PlayedCall>();

    function settle(): void {
      const { requests, finished } = client.drain();
      for (const request of requests) {
        transmit(() => {
          const outcome = cluster.handle(request, agenda.nowUs());
          transmit(() => {
            client.receive({ client: name, request: request.request, outcome }, agenda.nowUs());
            settle();
          });
        });
      }
      for (const { handle, outcome } of finished) {
        const call = callOf.get(handle);
        if (call) call.outcome = outcome;
      }
      const nextUs = client.nextDeadlineUs();
      if (nextUs === null) return;
      agenda.at(nextUs, () => {
        if (client.nextDeadlineUs() !== nextUs) return;
        client.tick(agenda.nowUs());
        settle();
      });
    }

    for (let number = 1; number <= 15; number += 1) {
      agenda.at(random.between(0, 4_000_000), () => {
        const call = { operation: anyOperation(random, `<${name}.${number}>`), outcome: null };
        calls.push(call);
        callOf.set(client.submit(keyValueCall(call.operation), agenda.nowUs()), call);
        settle();
      });
    }
  }

  function transmit(arrive: () => void): void {
    const copies = random.pick([0, 1, 1, 1, 2, 3]);
    for (let copy = 0; copy < copies; copy += 1) {
      const delayUs = random.chance(1, 5) ? random.between(0, 3_000_000) : random.between(500, 5_000);
      agenda.at(agenda.nowUs() + delayUs, arrive);
    }
  }

  for (const name of ["c1", "c2", "c3"]) playClient(name);
  agenda.run();
  return { calls, ...cluster.ending() };
}

function anyOperation(random: Random, token: string): KeyValueOperation {
  return random.pick<KeyValueOperation>([
    { op: "append", key: "text", value: token },
    { op: "append", key: "text", value: token },
    { op: "add", key: "sum", value: 1 },
    { op: "read", key: "sum" },
  ]);
}

/** A cluster as clients see it: one order of commands, but any board may answer, and restart from a snapshot. */
function createCluster(random: Random, rules: SessionRules) {
  const limits = { timeToLiveMs: random.between(200, 5_000), sessionsMax: random.between(2, 10) };
  const host = createMachineHost({ machines: [createKeyValue()], sessionRules: rules, limits });
  let index = 0;
  let clockErrorMs = 0;

  function append(request: Request & { readonly type: "register" | "command" }, nowUs: number): Outcome {
    if (random.chance(1, 100)) clockErrorMs = random.between(0, 10_000);
    if (random.chance(1, 10)) host.restore(host.snapshot());
    const timeMs = Math.floor(nowUs / 1_000) + clockErrorMs;
    index += 1;
    const entry: LogCommand =
      request.type === "register" ? { ...request, kind: "register", timeMs } : { ...request, kind: "command", timeMs };
    return host.apply(index, encodeCommand(entry)).outcome;
  }

  function read(key: string): Outcome {
    const result = host.query("kv", { op: "read", key });
    return result.ok ? { kind: "ok", value: result.value } : { kind: "refused", error: result.error };
  }

  return {
    handle(request: Request, nowUs: number): Outcome {
      if (random.chance(1, 5)) return { kind: "retry", error: "This board does not lead.", leader: null };
      return request.type === "query" ? read("sum") : append(request, nowUs);
    },
    ending() {
      const [text, sum] = [read("text"), read("sum")];
      return {
        text: text.kind === "ok" && typeof text.value === "string" ? text.value : "",
        sum: sum.kind === "ok" && typeof sum.value === "number" ? sum.value : 0,
      };
    },
  };
}

/** What is to happen when, in virtual time. */
function createAgenda() {
  const items: { readonly atUs: number; readonly run: () => void }[] = [];
  let nowUs = 0;
  return {
    nowUs: () => nowUs,
    at(atUs: number, run: () => void): void {
      const place = items.findLastIndex((item) => item.atUs <= atUs);
      items.splice(place + 1, 0, { atUs: Math.max(atUs, nowUs), run });
    },
    run(): void {
      for (let item = items.shift(); item !== undefined; item = items.shift()) {
        nowUs = item.atUs;
        item.run();
      }
    },
  };
}

function seeds(count: number): number[] {
  return Array.from({ length: count }, (_, seed) => seed);
}
