import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Append, Entry } from "../raft/types.ts";
import type { Decoded } from "./decoded.ts";
import type { PeerEnvelope } from "./envelope.ts";
import { eventEnvelope, peerEnvelope, replyEnvelope, requestEnvelope, statusEnvelope } from "./envelopes.suite.ts";
import { decodeEvent, encodeEvent } from "./event-codec.ts";
import { decodePeer, encodePeer, peerBytesMax } from "./peer-codec.ts";
import { decodeReplies, encodeReplies } from "./reply-codec.ts";
import { decodeRequests, encodeRequests, requestBytesMax } from "./request-codec.ts";
import { decodeStatus, encodeStatus } from "./status-codec.ts";

const numRuns = 200;

describe("whatever is written in ASCII comes back as it was", () => {
  test("between boards", () => {
    fc.assert(
      fc.property(peerEnvelope, ({ envelope, to }) => {
        const text = encodePeer(envelope);
        expectAscii(text);
        expect(decodePeer(text, { from: envelope.from, to })).toEqual({ ok: true, value: envelope });
      }),
      { numRuns: 2 * numRuns },
    );
  });

  test.each(["alice", "controller"])("as requests of %s", (client) => {
    fc.assert(
      fc.property(requestEnvelope(client), (envelope) => {
        const text = encodeRequests(envelope);
        expectAscii(text);
        expect(decodeRequests(text, { client })).toEqual({ ok: true, value: envelope });
      }),
      { numRuns },
    );
  });

  test("as replies", () => {
    fc.assert(
      fc.property(replyEnvelope("alice"), (envelope) => {
        const text = encodeReplies(envelope);
        expectAscii(text);
        expect(decodeReplies(text, { client: "alice" })).toEqual({ ok: true, value: envelope });
      }),
      { numRuns },
    );
  });

  test("as a status", () => {
    fc.assert(
      fc.property(statusEnvelope, (envelope) => {
        const text = encodeStatus(envelope);
        expectAscii(text);
        expect(decodeStatus(text, { board: envelope.from })).toEqual({ ok: true, value: envelope });
      }),
      { numRuns },
    );
  });

  test("as an event", () => {
    fc.assert(
      fc.property(eventEnvelope, (envelope) => {
        const text = encodeEvent(envelope);
        expectAscii(text);
        expect(decodeEvent(text, { board: envelope.from })).toEqual({ ok: true, value: envelope });
      }),
      { numRuns },
    );
  });
});

describe("a payload between boards", () => {
  const entries: readonly Entry[] = [
    { kind: "empty", index: 8, term: 2 },
    { kind: "command", index: 9, term: 3, data: '{"session":4, "odd":1e0}' },
    { kind: "command", index: 10, term: 3, data: "two\nlines" },
  ];
  const sent = payloadOf("pi-2", entries);

  test("is read by people as lines of JSON, the log's own text among them", () => {
    expect(encodePeer(sent).split("\n")).toEqual([
      '{"v":1,"crc":"34121009","from":"pi-1","boot":3,"connection":1,"seq":7,"atMs":5120.5,"to":"pi-2","messages":' +
        '[{"type":"append","term":3,"prevIndex":7,"prevTerm":2,"entries":3,"commit":7}]}',
      '{"term":2,"empty":true}',
      '{"term":3,"command":{"session":4, "odd":1e0}}',
      '{"term":3,"text":"two\\nlines"}',
    ]);
  });

  test("carries the same entries to every follower, each with the checksum of its own payload", () => {
    for (const to of ["pi-2", "pi-3", "pi-4", "pi-5"]) {
      const envelope = payloadOf(to, entries);
      expect(decodePeer(encodePeer(envelope), { from: "pi-1", to })).toEqual({ ok: true, value: envelope });
    }
  });

  test("with any character changed, or cut off anywhere, is dropped", () => {
    const text = encodePeer(sent);
    for (let at = 0; at < text.length; at += 1) {
      for (const bit of [1, 2, 4, 8, 16, 32, 64, 128]) {
        const flipped = String.fromCharCode(text.charCodeAt(at) ^ bit);
        expectDropped(text.slice(0, at) + flipped + text.slice(at + 1), ["checksum", "malformed", "version"]);
      }
      expectDropped(text.slice(0, at), ["checksum", "malformed"]);
    }
  });

  test("of another version is told apart from nonsense", () => {
    expectDropped(encodePeer(sent).replace('"v":1', '"v":2'), ["version"]);
    expectDropped(encodePeer(sent).replace('"v":1', '"v":"x"'), ["malformed"]);
  });

  test("to or from another than the topic says is foreign, and so is a message in it", () => {
    const text = encodePeer(sent);
    expect(decodePeer(text, { from: "pi-2", to: "pi-1" })).toMatchObject({ reason: "foreign" });
    expect(decodePeer(text, { from: "pi-1", to: "pi-3" })).toMatchObject({ reason: "foreign" });
    const forged = { ...sent, messages: sent.messages.map((message) => ({ ...message, from: "pi-3" })) };
    expectDropped(encodePeer(forged), ["foreign"]);
    const misdirected = { ...sent, messages: [...sent.messages, ...payloadOf("pi-3", []).messages] };
    expectDropped(encodePeer(misdirected), ["foreign"]);
  });

  test("whose entries fall back to an earlier term, or are ahead of the leader's, is malformed", () => {
    const late = entries.map((entry) => ({ ...entry, term: 1 }));
    expectDropped(encodePeer(payloadOf("pi-2", late)), ["malformed"]);
    const early = entries.map((entry) => ({ ...entry, term: 4 }));
    expectDropped(encodePeer(payloadOf("pi-2", early)), ["malformed"]);
  });

  test("has room for the largest entry, and a bound", () => {
    const largest = `{"x":"${"y".repeat(256 * 1024 - 8)}"}`;
    const envelope = payloadOf("pi-2", [{ kind: "command", index: 8, term: 3, data: largest }]);
    expect(decodePeer(encodePeer(envelope), { from: "pi-1", to: "pi-2" })).toEqual({ ok: true, value: envelope });
    expectDropped(`${encodePeer(sent)}${" ".repeat(peerBytesMax)}`, ["oversized"]);
  });

  test("is not written without a message, or with a gap between entries", () => {
    expect(() => encodePeer({ ...sent, messages: [] })).toThrow("must hold a message");
    expect(() => encodePeer(payloadOf("pi-2", entries.slice(1)))).toThrow("without a gap");
  });

  function expectDropped(text: string, reasons: readonly string[]): void {
    const decoded = decodePeer(text, { from: "pi-1", to: "pi-2" });
    expect(reasons).toContain(decoded.ok ? "passed" : decoded.reason);
  }

  function payloadOf(to: string, entries: readonly Entry[]): PeerEnvelope {
    const message: Append = {
      type: "append",
      from: "pi-1",
      to,
      term: 3,
      prevIndex: 7,
      prevTerm: 2,
      entries,
      commit: 7,
    };
    return { from: "pi-1", boot: 3, connection: 1, seq: 7, atMs: 5_120.5, messages: [message] };
  }
});

describe("requests typed by hand", () => {
  test("need not say what only programs need", () => {
    const query = '{"type":"query","request":1,"machine":"kv","query":{"op":"read","key":"x"},"mode":"linearizable"}';
    expect(decodeRequests(`{"v":1,"requests":[${query}]}`, { client: "alice" })).toEqual({
      ok: true,
      value: {
        from: "alice",
        boot: 0,
        seq: 0,
        requests: [
          {
            type: "query",
            client: "alice",
            request: 1,
            machine: "kv",
            query: { op: "read", key: "x" },
            mode: "linearizable",
          },
        ],
      },
    });
  });

  test.each([
    ["not JSON", "{'v':1}", "malformed", "one JSON object"],
    ["a list", "[]", "malformed", "one JSON object"],
    ["no version", '{"requests":[]}', "malformed", '"v", the version, is missing'],
    ["another version", '{"v":2,"requests":[]}', "version", "must be 1"],
    ["nothing asked", '{"v":1,"requests":[]}', "malformed", '"requests" must be a list of 1 to 1024 objects'],
    ["an unknown type", asking('"type":"ask","request":1'), "malformed", '"requests[0].type" must be "register" or'],
    ["a prototype's key as type", asking('"type":"__proto__","request":1'), "malformed", "requests[0].type"],
    ["no number", asking('"type":"register"'), "malformed", '"requests[0].request" must be a whole number'],
    ["a huge number", asking('"type":"register","request":1e300'), "malformed", "requests[0].request"],
    ["a negative number", asking('"type":"register","request":-1'), "malformed", "requests[0].request"],
    ["another client's name", '{"v":1,"from":"bob","requests":[]}', "foreign", '"from" is "bob" on a topic of alice'],
    ["administration", asking('"type":"transfer","request":1,"to":"pi-1"'), "forbidden", "only controller may"],
    [
      "a value nested too deep",
      asking(
        `"type":"query","request":1,"machine":"kv","mode":"stale","query":${"[".repeat(5_000)}${"]".repeat(5_000)}`,
      ),
      "malformed",
      '"requests[0].query" must be a value nested at most 100 deep',
    ],
    [
      "a number that no double holds",
      asking('"type":"query","request":1,"machine":"kv","mode":"stale","query":1e999'),
      "malformed",
      "requests[0].query",
    ],
    ["too much", " ".repeat(requestBytesMax + 1), "oversized", "524289 bytes are more than the 524288"],
  ])("with %s are dropped, and it is told why", (_, text, reason, detail) => {
    expect(decodeRequests(text, { client: "alice" })).toEqual({
      ok: false,
      reason,
      detail: expect.stringContaining(detail),
    });
  });

  function asking(request: string): string {
    return `{"v":1,"requests":[{${request}}]}`;
  }
});

test("a status or an event of another board than the topic's is foreign", () => {
  const status = encodeStatus({ from: "pi-1", boot: 1, seq: 1, online: false, status: null });
  expect(decodeStatus(status, { board: "pi-2" })).toMatchObject({ reason: "foreign" });
  const record = { number: 1, boot: 1, wallUs: 1, monotonicUs: 1, happening: null };
  const event: Decoded<unknown> = decodeEvent(encodeEvent({ from: "pi-1", boot: 1, seq: 1, record }), {
    board: "pi-2",
  });
  expect(event).toMatchObject({ reason: "foreign" });
});

function expectAscii(text: string): void {
  expect(text).not.toMatch(/[\u0080-\uffff]/);
}
