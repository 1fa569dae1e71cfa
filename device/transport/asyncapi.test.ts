import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { crc32cOfText } from "../crc32c.ts";
import type { Json } from "../json.ts";
import type { Decoded } from "./decoded.ts";
import { eventEnvelope, peerEnvelope, replyEnvelope, requestEnvelope, statusEnvelope } from "./envelopes.suite.ts";
import { decodeEvent, encodeEvent } from "./event-codec.ts";
import { type JsonObject, memberPattern } from "./fields.ts";
import { decodePeer, encodePeer } from "./peer-codec.ts";
import { decodeReplies, encodeReplies } from "./reply-codec.ts";
import { decodeRequests, encodeRequests, machineNamePattern } from "./request-codec.ts";
import { decodeStatus, encodeStatus } from "./status-codec.ts";
import { clientNamePattern, namePattern, parseTopic, topicsOf } from "./topics.ts";

/** The parts of docs/reference/asyncapi.yaml that are compared with the code. */
const fileShape = z.object({
  channels: z.record(z.string(), z.object({ address: z.string() })),
  components: z.object({
    messages: z.record(
      z.string(),
      z.object({
        payload: z.object({ $ref: z.string() }),
        examples: z.array(z.object({ name: z.string(), payload: z.json() })).optional(),
        "x-examples": z.array(z.string()).optional(),
      }),
    ),
    schemas: z.record(z.string(), z.json()),
  }),
});

const path = new URL("../../docs/reference/asyncapi.yaml", import.meta.url);
const { channels, components } = fileShape.parse(parse(readFileSync(path, "utf8")));

/** A kind of payload: what its encoder writes, its decoder, and what the file says of it. */
type Kind = {
  readonly message: string;
  readonly samples: readonly string[];
  readonly decode: (text: string) => Decoded<unknown>;
};

const kinds: readonly Kind[] = [
  {
    message: "requests",
    samples: samplesOf(requestEnvelope("controller")).map(encodeRequests),
    decode: (text) => decodeRequests(text, { client: "controller" }),
  },
  {
    message: "replies",
    samples: samplesOf(replyEnvelope("alice")).map(encodeReplies),
    decode: (text) => decodeReplies(text, { client: "alice" }),
  },
  {
    message: "status",
    samples: samplesOf(statusEnvelope).map((envelope) => encodeStatus({ ...envelope, from: "pi-1" })),
    decode: (text) => decodeStatus(text, { board: "pi-1" }),
  },
  {
    message: "event",
    samples: samplesOf(eventEnvelope).map((envelope) => encodeEvent({ ...envelope, from: "pi-1" })),
    decode: (text) => decodeEvent(text, { board: "pi-1" }),
  },
];

const firstLine = schemaOf("raftFirstLine");
const entryLine = schemaOf("entryLine");

test("the file names every topic as the code does", () => {
  const named = topicsOf("{cluster}");
  const expected = {
    raft: named.raft("{to}", "{from}"),
    request: named.request("{client}"),
    boardRequest: named.boardRequest("{board}", "{client}"),
    reply: named.reply("{client}"),
    status: named.status("{board}"),
    event: named.event("{board}"),
  };
  const addresses: Record<string, string> = {};
  for (const [kind, { address }] of Object.entries(channels)) {
    addresses[kind] = address;
    expect(parseTopic("c", address.replace("{cluster}", "c").replaceAll(/\{(\w)\w*\}/g, "$1"))?.kind).toBe(kind);
  }
  expect(addresses).toEqual(expected);
});

test("the file has the code's patterns of names", () => {
  expect(components.schemas).toMatchObject({
    boardName: { pattern: namePattern.source },
    clientName: { pattern: clientNamePattern.source },
    machineName: { pattern: machineNamePattern.source },
    member: { pattern: memberPattern.source.replaceAll("\\\\", "\\") },
  });
});

describe.each(kinds)("payloads of $message", ({ message, samples, decode }) => {
  const about = components.messages[message];
  const schema = schemaOf((about?.payload.$ref ?? "").split("/").at(-1) ?? "");

  test.each(about?.examples ?? [])("the example $name is one, to the schema and to the code", ({ payload }) => {
    expect(schema.safeParse(payload).error).toBe(undefined);
    expect(decode(JSON.stringify(payload))).toMatchObject({ ok: true });
  });

  test("what the code writes is what the schema says", () => {
    for (const sample of samples) expect(schema.safeParse(JSON.parse(sample)).error).toBe(undefined);
  });

  test("what the schema refuses the code refuses, and what it accepts the code accepts", () => {
    const disagreements = varied(samples).flatMap((sample) =>
      [...spoiltOnce(JSON.parse(sample))].filter(
        (spoilt) => decode(JSON.stringify(spoilt)).ok !== schema.safeParse(spoilt).success,
      ),
    );
    expect(disagreements).toEqual([]);
  });
});

describe("payloads of raft", () => {
  const envelopes = samplesOf(peerEnvelope);

  test.each(components.messages["raft"]?.["x-examples"]?.map((text, at) => [at + 1, text] as const) ?? [])(
    "example %i is one, to the schema and to the code",
    (_, text) => {
      expectLinesAsDescribed(text);
      const { from, to } = JSON.parse(text.split("\n")[0] ?? "");
      expect(decodePeer(text, { from, to })).toMatchObject({ ok: true });
    },
  );

  test("what the code writes is what the schema says", () => {
    for (const { envelope } of envelopes) {
      // Commands in these samples are any text in braces; in a real log they are JSON.
      expectLinesAsDescribed(encodePeer(envelope).replaceAll(/"command":.*/g, '"command":{}}'));
    }
  });

  test("what the schema refuses the code refuses, and what it accepts the code accepts", () => {
    const disagreements: Json[] = [];
    for (const text of varied(envelopes.map(({ envelope }) => encodePeer(envelope)))) {
      const [head = "", ...lines] = text.split("\n");
      const { v, crc, ...rest }: JsonObject = JSON.parse(head);
      const addressed = { from: String(rest["from"]), to: String(rest["to"]) };
      for (const spoilt of spoiltOnce(rest)) {
        const { ok } = decodePeer(sealed([JSON.stringify(spoilt).slice(1), ...lines].join("\n")), addressed);
        if (ok !== firstLine.safeParse({ v, crc, ...asObject(spoilt) }).success) disagreements.push(spoilt);
      }
    }
    expect(disagreements).toEqual([]);
  });

  function expectLinesAsDescribed(text: string): void {
    const [head = "", ...lines] = text.split("\n");
    expect(firstLine.safeParse(JSON.parse(head)).error).toBe(undefined);
    for (const line of lines) expect(entryLine.safeParse(JSON.parse(line)).error).toBe(undefined);
  }
});

/** A few samples that are short, and of as many shapes as there are. */
function varied(samples: readonly string[]): readonly string[] {
  const byShape = new Map<string, string>();
  for (const sample of samples) {
    const shape = Array.from(sample.matchAll(/"(?:type|kind|status)":(?:"\w+"|null)/g), String).join();
    if (shape.split(",").length === 1 && !byShape.has(shape)) byShape.set(shape, sample);
  }
  return [...byShape.values()];
}

/** The value with one field of it or of an object within left out, or something odd in its place. */
function* spoiltOnce(value: Json): Generator<Json, void, void> {
  if (Array.isArray(value)) {
    for (const [at, item] of value.entries()) for (const spoilt of spoiltOnce(item)) yield value.with(at, spoilt);
    return;
  }
  if (typeof value !== "object" || value === null) return;
  const object = asObject(value);
  for (const [name, item] of Object.entries(object)) {
    const { [name]: _, ...rest } = object;
    yield rest;
    for (const odd of [null, true, -1, 0.5, "", "x y", [], {}]) yield { ...object, [name]: odd };
    // Of these the schemas say nothing.
    if (["command", "query", "value", "happening"].includes(name)) continue;
    for (const spoilt of spoiltOnce(item)) yield { ...object, [name]: spoilt };
  }
}

function schemaOf(name: string): z.ZodType {
  const schemas = JSON.parse(JSON.stringify(components.schemas).replaceAll("#/components/schemas/", "#/$defs/"));
  return z.fromJSONSchema({ $ref: `#/$defs/${name}`, $defs: schemas });
}

function samplesOf<Value>(arbitrary: fc.Arbitrary<Value>): readonly Value[] {
  return fc.sample(arbitrary, { numRuns: 400, seed: 1 });
}

/** What boards say to each other, with its checksum. */
function sealed(covered: string): string {
  return `{"v":1,"crc":"${crc32cOfText(covered, 0).toString(16).padStart(8, "0")}",${covered}`;
}

function asObject(value: Json): JsonObject {
  return value as JsonObject;
}
