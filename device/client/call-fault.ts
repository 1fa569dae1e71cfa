/**
 * What is wrong with a call before it is sent. Requests travel together, and a board drops a payload whole if one of
 * them cannot be read: so what no board could read never leaves the client.
 */

import { toAsciiJson } from "../json.ts";
import { valueDepthMax } from "../transport/fields.ts";
import { machineNamePattern, requestBytesMax } from "../transport/request-codec.ts";
import type { Call } from "./client.ts";

/** What the rest of a payload may need beside the command of its only request. */
const envelopeBytesMax = 1_024;
const bodyBytesMax = requestBytesMax - envelopeBytesMax;

/** `\u00e9`: the most that one character becomes. */
const escapedCharacterBytes = 6;

/** What is wrong with a call, in a sentence; `null` if it can be sent. */
export function faultOfCall(call: Call): string | null {
  if (!machineNamePattern.test(call.machine)) return `${JSON.stringify(call.machine)} is not the name of a machine.`;
  const body = call.kind === "command" ? call.command : call.query;
  const weighed = weigh(body, valueDepthMax);
  if (weighed === "notJson")
    return "Only JSON can be sent: null, booleans, finite numbers, strings, lists and objects.";
  if (weighed === "tooDeep") return `It has more than ${valueDepthMax} lists and objects in each other.`;
  if (weighed <= bodyBytesMax) return null;
  const sizeBytes = toAsciiJson(body).length;
  return sizeBytes <= bodyBytesMax ? null : `It has ${sizeBytes} bytes; ${bodyBytesMax} can be sent.`;
}

/** No fewer bytes than the value has as ASCII JSON. Whoever writes JavaScript may hand us anything. */
function weigh(value: unknown, depthMax: number): number | "notJson" | "tooDeep" {
  switch (typeof value) {
    case "string":
      return value.length * escapedCharacterBytes + 2;
    case "number":
      return Number.isFinite(value) ? 25 : "notJson";
    case "boolean":
      return 5;
    case "object":
      return value === null ? 4 : weighMembers(value, depthMax);
    default:
      return "notJson";
  }
}

function weighMembers(container: object, depthMax: number): number | "notJson" | "tooDeep" {
  if (depthMax === 0) return "tooDeep";
  let sum = 2;
  for (const [name, member] of Object.entries(container)) {
    const weighed = weigh(member, depthMax - 1);
    if (typeof weighed !== "number") return weighed;
    sum += weighed + name.length * escapedCharacterBytes + 4;
  }
  return sum;
}
