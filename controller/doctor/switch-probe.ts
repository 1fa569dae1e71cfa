/** Asks a managed switch by SNMP how fast its ports are, and what its spanning tree does at them. */

import type { SwitchManagement } from "../../hardware/bench.ts";
import { prepareSnmpAgent, type SnmpConversation, type SnmpValue } from "../cutters/snmp.ts";
import type { PortLook, SpanningTree } from "./switches.ts";

/** IF-MIB (RFC 2863). */
const ifName = "1.3.6.1.2.1.31.1.1.1.1";
const ifDescr = "1.3.6.1.2.1.2.2.1.2";
const ifHighSpeed = "1.3.6.1.2.1.31.1.1.1.15";
const ifSpeed = "1.3.6.1.2.1.2.2.1.5";
/** BRIDGE-MIB (RFC 4188): which interface a port of the bridge is, and its spanning tree. */
const dot1dBasePortIfIndex = "1.3.6.1.2.1.17.1.4.1.2";
const dot1dStpProtocolSpecification = "1.3.6.1.2.1.17.2.1.0";
const dot1dStpPortState = "1.3.6.1.2.1.17.2.15.1.3";
const dot1dStpPortEnable = "1.3.6.1.2.1.17.2.15.1.4";
/** RSTP-MIB (RFC 4318). */
const dot1dStpPortOperEdgePort = "1.3.6.1.2.1.17.2.19.1.3";

const lookMsMax = 6_000;

type Column = ReadonlyMap<string, SnmpValue>;

/** The ports by their labels. @throws {CutterFailure} if the switch does not answer or does not let us in */
export async function probeSwitch(
  management: SwitchManagement,
  folder: string,
): Promise<ReadonlyMap<string, PortLook>> {
  const agent = await prepareSnmpAgent(management, folder);
  try {
    return await agent.converse(performance.now() + lookMsMax, readPorts);
  } finally {
    agent.close();
  }
}

async function readPorts(agent: SnmpConversation): Promise<ReadonlyMap<string, PortLook>> {
  const names = await agent.column(ifName);
  const labels = names.size > 0 ? names : await agent.column(ifDescr);
  const highSpeeds = await agent.column(ifHighSpeed);
  const speeds = await agent.column(ifSpeed);
  const trees = await readTrees(agent);
  return new Map(
    [...labels].map(([ifIndex, label]) => [
      String(label),
      {
        speedMbps: speedOf(highSpeeds.get(ifIndex), speeds.get(ifIndex)),
        spanningTree: trees.get(ifIndex) ?? "untold",
      },
    ]),
  );
}

/** What the spanning tree does, by `ifIndex`. */
async function readTrees(agent: SnmpConversation): Promise<ReadonlyMap<string, SpanningTree>> {
  const interfaces = await agent.column(dot1dBasePortIfIndex);
  if (interfaces.size === 0) return new Map();
  const [protocol = null] = await agent.get(dot1dStpProtocolSpecification);
  const states = await agent.column(dot1dStpPortState);
  const enabled = await agent.column(dot1dStpPortEnable);
  const edges = await agent.column(dot1dStpPortOperEdgePort);
  return new Map(
    [...interfaces].map(([port, ifIndex]) => [String(ifIndex), treeAt(port, { protocol, states, enabled, edges })]),
  );
}

type Trees = {
  readonly protocol: SnmpValue;
  readonly states: Column;
  readonly enabled: Column;
  readonly edges: Column;
};

/** Values of `dot1dStpPortState` and `dot1dStpPortEnable`; `TruthValue`, and a protocol that is none. */
const stateDisabled = 1;
const stateBlocking = 2;
const enabledNo = 2;
const truthYes = 1;
const protocolUnknown = 1;

function treeAt(port: string, { protocol, states, enabled, edges }: Trees): SpanningTree {
  const state = states.get(port) ?? null;
  if (state === null) return "untold";
  if (Number(protocol) === protocolUnknown || Number(enabled.get(port)) === enabledNo) return "off";
  if (Number(edges.get(port)) === truthYes) return "edge";
  // A port that is down is disabled, whatever it will do once something is plugged in.
  if (Number(state) === stateDisabled) return "down";
  return Number(state) === stateBlocking ? "blocks" : "waits";
}

function speedOf(highMbps: SnmpValue | undefined, bitsPerSecond: SnmpValue | undefined): number | null {
  const mbps = Number(highMbps ?? 0) || Math.round(Number(bitsPerSecond ?? 0) / 1_000_000);
  return mbps > 0 ? mbps : null;
}
