/**
 * Requests on the wire. The topic says which client asks, so no request repeats it; and a person may leave out what
 * only programs need (`from`, `boot`, `seq`): `{"v":1,"requests":[{"type":"register","request":1}]}` is a payload.
 */

import { type Json, toAsciiJson } from "../json.ts";
import { type Decoded, dropped } from "./decoded.ts";
import type { AnyRequest, RequestEnvelope } from "./envelope.ts";
import type { Fields } from "./fields.ts";
import { judged, notFrom, openPayload } from "./payload.ts";
import type { ReadMode } from "./protocol.ts";
import { controllerName, wireVersion } from "./topics.ts";

/** The size that a payload of requests may have. */
export const requestBytesMax: number = 512 * 1024;

/** The number of requests that one payload may hold. */
export const requestsMax = 1_024;

/** What the name of a machine looks like. */
export const machineNamePattern: RegExp = /^[A-Za-z][A-Za-z0-9._-]{0,63}$/;

/** How long a board may be asked to blink. */
export const identifyMsMax = 600_000;

const types = [
  "register",
  "command",
  "query",
  "transfer",
  "changeMembers",
  "status",
  "flight",
  "time",
  "identify",
] as const;
const modes: readonly ReadMode[] = ["linearizable", "lease", "stale"];

/** The text of a payload. */
export function encodeRequests({ from, boot, seq, requests }: RequestEnvelope): string {
  return toAsciiJson({ v: wireVersion, from, boot, seq, requests: requests.map(withoutClient) });
}

/** The payload on a topic of `expected.client`, every request of it checked. */
export function decodeRequests(text: string, expected: { readonly client: string }): Decoded<RequestEnvelope> {
  const opened = openPayload(text, requestBytesMax);
  if (!opened.ok) return opened;
  const fields = opened.value;
  const from = fields.has("from") ? fields.text("from", 64) : expected.client;
  if (fields.problem === null && from !== expected.client) return notFrom(expected.client, from);
  const boot = fields.has("boot") ? fields.whole("boot") : 0;
  const seq = fields.has("seq") ? fields.whole("seq") : 0;
  const requests = fields.objects("requests", requestsMax).map((request) => readRequest(request, expected.client));
  if (expected.client !== controllerName && requests.some(isAdministration)) {
    return dropped("forbidden", `only ${controllerName} may administer the cluster, and ${expected.client} asks`);
  }
  return judged(fields, { from, boot, seq, requests });
}

function withoutClient(asked: AnyRequest): Json {
  const { type, request } = asked;
  switch (type) {
    case "register":
    case "status":
    case "time":
      return { type, request };
    case "command": {
      const { session, firstPending, machine, command } = asked;
      return { type, request, session, firstPending, machine, command };
    }
    case "query": {
      const { machine, query, mode } = asked;
      return { type, request, machine, query, mode };
    }
    case "transfer":
      return { type, request, to: asked.to };
    case "changeMembers":
      return { type, request, voters: asked.voters, learners: asked.learners };
    case "flight":
      return { type, request, after: asked.after };
    case "identify":
      return { type, request, forMs: asked.forMs };
  }
}

function readRequest(fields: Fields, client: string): AnyRequest {
  const type = fields.oneOf("type", types);
  const request = fields.whole("request");
  switch (type) {
    case "register":
    case "status":
    case "time":
      return { type, client, request };
    case "command": {
      const session = fields.whole("session");
      const firstPending = fields.whole("firstPending");
      if (firstPending > request) fields.fail("firstPending", 'at most "request"');
      return {
        type,
        client,
        request,
        session,
        firstPending,
        machine: readMachine(fields),
        command: fields.value("command"),
      };
    }
    case "query": {
      const mode = fields.oneOf("mode", modes);
      return { type, client, request, machine: readMachine(fields), query: fields.value("query"), mode };
    }
    case "transfer":
      return { type, client, request, to: fields.member("to") };
    case "changeMembers":
      return { type, client, request, voters: fields.members("voters"), learners: fields.members("learners") };
    case "flight":
      return { type, client, request, after: fields.whole("after") };
    case "identify": {
      const forMs = fields.whole("forMs");
      if (forMs < 1 || forMs > identifyMsMax) fields.fail("forMs", `a whole number from 1 to ${identifyMsMax}`);
      return { type, client, request, forMs };
    }
  }
}

function readMachine(fields: Fields): string {
  return fields.matching("machine", machineNamePattern, 'the name of a machine, as "kv"');
}

function isAdministration({ type }: AnyRequest): boolean {
  return type === "transfer" || type === "changeMembers";
}
