import { describe, expect, it } from "vitest";
import type { BrokerLook } from "./broker-probe.ts";
import { judgeBroker } from "./brokers.ts";
import type { Finding } from "./finding.ts";

describe("a broker", () => {
  const timing = { heartbeatMs: 50, electionMinMs: 300, electionMaxMs: 600 };
  const judge = (look: BrokerLook): readonly Finding[] => judgeBroker("broker", look, timing);

  it("given one that answers in time, then it is well", () => {
    expect(conditionsOf(judge({ kind: "answers", roundTripMs: 0.4, burstMs: 1 }))).toEqual(["ok"]);
  });

  it("given one that holds small messages back, then its setting is named", () => {
    expect(judge({ kind: "answers", roundTripMs: 0.2, burstMs: 41 })).toMatchObject([
      { condition: "warning", advice: expect.stringContaining("set_tcp_nodelay true") },
    ]);
  });

  it("given one that takes a third of the time between heartbeats, then that is told", () => {
    expect(judge({ kind: "answers", roundTripMs: 17, burstMs: 18 })).toMatchObject([
      { condition: "warning", what: expect.stringContaining("heartbeats come every 50 ms") },
    ]);
  });

  it.each([
    ["connect ECONNREFUSED 192.168.7.2:1883", /Nobody listens there/],
    ["getaddrinfo ENOTFOUND rack.local", /IP address/],
    ["no answer", /cable plugged in/],
    ["connack timeout", /says nothing/],
    ["Hostname/IP does not match certificate's altnames", /--host ADDRESS/],
    ["self-signed certificate in certificate chain", /another authority/],
    ["certificate has expired", /not good today/],
    ["wrong version number", /Something else listens/],
    ["the broker closed the connection before it took us in", /do both sides have the keys/],
  ])("given that it cannot be reached (%s), then what to do fits the reason", (reason, advice) => {
    expect(judge({ kind: "unreachable", reason })).toMatchObject([
      { condition: "wrong", what: expect.stringContaining(reason), advice: expect.stringMatching(advice) },
    ]);
  });

  it("given something that is no broker, then that is said, not which bits it got wrong", () => {
    const reason = "Invalid header flag bits, must be 0x0 for puback packet";
    expect(judge({ kind: "unreachable", reason })).toMatchObject([
      { what: "what answers there does not speak MQTT", advice: expect.stringMatching(/Something else listens/) },
    ]);
  });
});

function conditionsOf(findings: readonly Finding[]): readonly string[] {
  return findings.map(({ condition }) => condition);
}
