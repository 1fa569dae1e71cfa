/** The brokers: whether each lets us in, passes on what is said, and is quick enough for Raft. */

import type { Timing } from "../../hardware/bench.ts";
import type { BrokerLook } from "./broker-probe.ts";
import { type Finding, ok, warning, wrong } from "./finding.ts";

/** A message should take no more of the time between two heartbeats than this, or boards stand for election needlessly. */
const shareOfHeartbeat = 1 / 4;
/** A held back message waits for an acknowledgement, which Linux gives after 40 ms, others after up to 200 ms. */
const heldBackMs = 25;

/** What a look at a broker means. @param where `broker (mqtt://192.168.7.2:1883)` */
export function judgeBroker(where: string, look: BrokerLook, { heartbeatMs }: Timing): readonly Finding[] {
  switch (look.kind) {
    case "unreachable":
      return [wrong(where, unreachableWords(look.reason), adviceFor(look.reason))];
    case "silent":
      return [
        wrong(
          where,
          "it lets us in, but what is said there is not passed on",
          "Is it a broker of another cluster? See its rules for the name controller (docs/guide/keys.md).",
        ),
      ];
    case "answers":
      return judgeTimes(where, look, heartbeatMs);
    default:
      return look satisfies never;
  }
}

/** How those who read MQTT packets complain of bytes that are none. */
const isNoMqtt = /header flag|packet|protocol (id|version)|malformed/i;

function unreachableWords(reason: string): string {
  return isNoMqtt.test(reason) ? "what answers there does not speak MQTT" : `it cannot be reached (${reason})`;
}

type Times = Extract<BrokerLook, { readonly kind: "answers" }>;

function judgeTimes(where: string, { roundTripMs, burstMs }: Times, heartbeatMs: number): readonly Finding[] {
  const findings: Finding[] = [];
  if (burstMs - roundTripMs >= heldBackMs) {
    findings.push(
      warning(
        where,
        `it holds small messages back for ${burstMs.toFixed(0)} ms, until those before are acknowledged`,
        'Write "set_tcp_nodelay true" into mosquitto.conf and start it again; other brokers call it TCP_NODELAY.',
      ),
    );
  }
  if (roundTripMs > heartbeatMs * shareOfHeartbeat) {
    findings.push(
      warning(
        where,
        `a message takes ${roundTripMs.toFixed(1)} ms over it, and heartbeats come every ${heartbeatMs} ms`,
        'Is it busy, or reached by Wi-Fi? Use a cable, or give the bench "timing: sd-card" or slower.',
      ),
    );
  }
  return findings.length > 0 ? findings : [ok(where, `a message takes ${roundTripMs.toFixed(1)} ms`)];
}

function adviceFor(reason: string): string {
  if (/ECONNREFUSED/.test(reason)) {
    return 'Nobody listens there. Start it ("npx adrift broker", or Mosquitto), or put its address right in the bench\'s file.';
  }
  if (/connack timeout/i.test(reason)) return "Something listens there and says nothing: start the broker again.";
  if (/ENOTFOUND|EAI_AGAIN/.test(reason)) return "Nobody knows this host: write its IP address into the bench's file.";
  if (/EHOSTUNREACH|ENETUNREACH|no answer|ETIMEDOUT/.test(reason)) {
    return "Is it switched on, is its cable plugged in, and is this machine on the same network?";
  }
  if (/altname|not in the cert/i.test(reason)) {
    return 'Its certificate is for other addresses: delete it, and "npx adrift init --host ADDRESS" makes one with this.';
  }
  if (/self.signed|unable to (get|verify)|certificate signature/i.test(reason)) {
    return "Its certificate is of another authority: it needs the keys of this bench's folder.";
  }
  if (/expired|not yet valid/i.test(reason))
    return "Its certificate is not good today: see its clock, ours, and the keys.";
  if (isNoMqtt.test(reason) || /wrong version number|protocol/i.test(reason)) {
    return "Something else listens there than this broker, or one side uses TLS (keys) and the other does not.";
  }
  return "With keys, it turns away whom it does not know: do both sides have the keys of this bench, or neither?";
}
