import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Inbound, type InboundHandlers } from "../board/inbound.ts";
import { crc32cOfText } from "../crc32c.ts";
import { createRandom, type Random } from "../random.ts";
import { DropCounters } from "./drop-counters.ts";
import type { PeerEnvelope } from "./envelope.ts";
import { peerEnvelope, requestEnvelope } from "./envelopes.suite.ts";
import { decodePeer, encodePeer } from "./peer-codec.ts";
import { PeerGate } from "./peer-gate.ts";
import { decodeRequests, encodeRequests } from "./request-codec.ts";

/** A second or two, but for machines that have a lot else to do. */
const timeoutMs = 60_000;

const me = "pi-2";
const boards = ["pi-1", "pi-2", "pi-3"];
const inboxes = new Map(boards.map((board) => [board, "main"]));

/** Topics on which a board listens, and some on which it does not. Its own status it ignores, so that is left out. */
const topics = [
  "adrift/bench/raft/pi-2/pi-1",
  "adrift/bench/raft/pi-2/pi-1",
  "adrift/bench/raft/pi-2/pi-1",
  "adrift/bench/raft/pi-2/pi-3",
  "adrift/bench/raft/pi-2/pi-2",
  "adrift/bench/raft/pi-2/pi-9",
  "adrift/bench/raft/pi-2/__proto__",
  "adrift/bench/raft/pi-1/pi-3",
  "adrift/bench/raft/pi-2/pi-1/more",
  "adrift/bench/request/alice",
  "adrift/bench/request/controller",
  "adrift/bench/request/constructor",
  "adrift/bench/board/pi-2/request/alice",
  "adrift/bench/board/pi-3/request/alice",
  "adrift/bench/board/pi-1/status",
  "adrift/bench/board/pi-1/event",
  "adrift/bench/reply/pi-2",
  "adrift/other/raft/pi-2/pi-1",
  "adrift//raft/pi-2/pi-1",
  "",
];

/** What JSON may hold where something else is expected. */
const oddities = [
  "null",
  "true",
  "-1",
  "0.5",
  "1e999",
  "9007199254740993",
  "99999999999999999999999999",
  '""',
  '"__proto__"',
  '"constructor"',
  "[]",
  "{}",
  '{"__proto__":{"from":"pi-1"}}',
  "[".repeat(20_000),
  '{"a":'.repeat(20_000),
  `${"[".repeat(3_000)}${"]".repeat(3_000)}`,
];

describe("given a board that has heard real payloads", () => {
  test(
    "when 100,000 damaged, replayed and misdirected ones come, then nothing passes and every one is counted",
    () => {
      const { inbound, drops, passed } = boardThatListens();
      const real = realPayloads();
      for (const payload of real)
        inbound.take("main", "adrift/bench/raft/pi-2/pi-1", Buffer.from(payload, "latin1"), false);
      expect(passed).toEqual({ peer: real.length, requests: 0, gone: 0 });
      const random = createRandom("hostile payloads");
      for (let round = 0; round < 100_000; round += 1) {
        const payload = random.chance(1, 20) ? random.pick(real) : mutated(random, real);
        inbound.take("main", random.pick(topics), Buffer.from(payload, "latin1"), false);
      }
      expect(passed).toEqual({ peer: real.length, requests: 0, gone: 0 });
      expect(sumOf(drops)).toBe(100_000);
      // The attack is worth its name: it reached every check that such payloads can reach.
      const reasons = [...drops.snapshot()].filter(([, count]) => count > 0).map(([reason]) => reason);
      expect(reasons).toEqual(["oversized", "malformed", "version", "checksum", "foreign", "repeated"]);
    },
    timeoutMs,
  );

  test("when anything at all comes on any topic, then nothing passes", () => {
    const { inbound, drops, passed } = boardThatListens();
    const payload = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.json().map(asBytes), fc.string().map(asBytes));
    let count = 0;
    fc.assert(
      fc.property(payload, fc.oneof(fc.constantFrom(...topics), fc.string()), (bytes, topic) => {
        inbound.take("main", topic, Buffer.from(bytes), false);
        count += 1;
      }),
      { numRuns: 1_000 },
    );
    expect(passed).toEqual({ peer: 0, requests: 0, gone: 0 });
    expect(sumOf(drops)).toBe(count);
  });
});

describe("given somebody who writes the right checksum under anything", () => {
  test("what passes is well-formed: written again, it says the same", () => {
    const random = createRandom("sealed payloads");
    const real = realPayloads();
    let passed = 0;
    for (let round = 0; round < 10_000; round += 1) {
      const decoded = decodePeer(sealed(mutated(random, real)), { from: "pi-1", to: me });
      if (!decoded.ok) continue;
      passed += 1;
      const text = encodePeer(decoded.value);
      const again = decodePeer(text, { from: "pi-1", to: me });
      expect(again.ok && encodePeer(again.value)).toBe(text);
    }
    // Some do: a number in the place of another is still a number.
    expect(passed).toBeGreaterThan(100);
  });
});

describe("given clients that send anything like a request", () => {
  test("what passes is well-formed: written again, it says the same", () => {
    const random = createRandom("requests");
    const real = [
      ...fc.sample(requestEnvelope("alice"), { numRuns: 50, seed: 1 }),
      ...fc.sample(requestEnvelope("controller"), { numRuns: 50, seed: 1 }),
    ].map(encodeRequests);
    let passed = 0;
    for (let round = 0; round < 10_000; round += 1) {
      const decoded = decodeRequests(mutated(random, real), { client: "alice" });
      if (!decoded.ok) continue;
      passed += 1;
      const text = encodeRequests(decoded.value);
      const again = decodeRequests(text, { client: "alice" });
      expect(again.ok && encodeRequests(again.value)).toBe(text);
    }
    expect(passed).toBeGreaterThan(100);
  });
});

function boardThatListens() {
  const passed = { peer: 0, requests: 0, gone: 0 };
  const handlers: InboundHandlers = {
    peer: () => {
      passed.peer += 1;
    },
    requests: () => {
      passed.requests += 1;
    },
    gone: () => {
      passed.gone += 1;
    },
  };
  const drops = new DropCounters();
  const gate = new PeerGate({ boards });
  const inbound = new Inbound({ board: me, cluster: "bench", inboxes, gate, drops, handlers, nowMs: () => 1_000 });
  return { inbound, drops, passed };
}

/** What pi-1 has said to pi-2, in the order in which it said it. */
function realPayloads(): readonly string[] {
  const samples = fc.sample(peerEnvelope, { numRuns: 400, seed: 1 });
  return samples
    .filter(({ envelope, to }) => envelope.from === "pi-1" && to === me)
    .filter(({ envelope }) => encodePeer(envelope).length < 700)
    .map(({ envelope }, at): PeerEnvelope => ({ ...envelope, boot: 3, connection: 1, seq: at, atMs: 990 + at / 100 }))
    .map(encodePeer);
}

/** One of these texts, changed in one to three places. */
function mutated(random: Random, texts: readonly string[]): string {
  const original = random.pick(texts);
  let text = original;
  const changes = random.between(1, 4);
  for (let change = 0; change < changes || text === original; change += 1) text = changed(random, text, texts);
  return text;
}

function changed(random: Random, text: string, others: readonly string[]): string {
  const at = random.between(0, text.length + 1);
  const to = Math.min(text.length, at + random.between(0, 20));
  switch (random.between(0, 10)) {
    case 0:
      return replaced(text, at, at + 1, String.fromCharCode(text.charCodeAt(at) ^ (1 << random.between(0, 8))));
    case 1:
      return replaced(text, at, at + 1, String.fromCharCode(random.between(0, 256)));
    case 2:
      return text.slice(0, at);
    case 3:
      return text.slice(at);
    case 4:
      return replaced(text, at, to, "");
    case 5:
      return replaced(text, at, at, text.slice(at, to));
    case 6: {
      const other = random.pick(others);
      return text.slice(0, at) + other.slice(random.between(0, other.length + 1));
    }
    case 7:
      return text.replace(/\d+/g, (digits) => (random.chance(1, 10) ? String(random.between(0, 2e15)) : digits));
    case 8:
      return replacedValue(random, text);
    default:
      return random.chance(1, 200) ? text + " ".repeat(1024 * 1024) : replaced(text, at, at, "\n");
  }
}

/** With another JSON value in the place of one. */
function replacedValue(random: Random, text: string): string {
  const values = [...text.matchAll(/(?<=:)(?:"[^"]*"|[\d.]+|true|false|null|\[\])/g)];
  const value = random.pick(values.length === 0 ? [null] : values);
  if (value === null) return random.pick(oddities);
  return replaced(text, value.index, value.index + value[0].length, random.pick(oddities));
}

function replaced(text: string, start: number, end: number, by: string): string {
  return text.slice(0, start) + by + text.slice(end);
}

/** The text with the checksum that it should have. */
function sealed(text: string): string {
  const covered = text.slice('{"v":1,"crc":"01234567",'.length);
  return `{"v":1,"crc":"${crc32cOfText(covered, 0).toString(16).padStart(8, "0")}",${covered}`;
}

function asBytes(text: string): Uint8Array {
  return Buffer.from(text);
}

function sumOf(drops: DropCounters): number {
  return [...drops.snapshot().values()].reduce((sum, count) => sum + count, 0);
}
