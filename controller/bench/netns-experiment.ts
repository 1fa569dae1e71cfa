/** A bench of network namespaces, made ready for an experiment: with clients, and an eye on the boards. */

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Keys } from "../../device/mqtt/keys.ts";
import { readKeys } from "../../device/mqtt/read-keys.ts";
import { controllerName } from "../../device/transport/topics.ts";
import type { Bench, NodeName } from "../../hardware/bench.ts";
import { openBrokerCutter } from "../cutters/broker.ts";
import { hostsBy } from "../cutters/command-host.ts";
import type { CuttersSettings } from "../cutters/cutters.ts";
import { personAt } from "../cutters/person.ts";
import type { RaftSettings } from "../experiment/model.ts";
import type { Time } from "../experiment/time.ts";
import { fillKeyFolder } from "../keys/key-folder.ts";
import { rosterOf } from "../keys/roster.ts";
import { BenchFailure, type ExperimentBench } from "./bench.ts";
import { Deaths } from "./local/deaths.ts";
import { type Door, equip, type Site, takeFolder } from "./local/equip.ts";
import { findPrograms } from "./local/programs.ts";
import { recordIn, runFolderPrefix, sweepStaleBenches } from "./local/stale-benches.ts";
import { Warden } from "./local/warden.ts";
import { DirectCutter } from "./netns/direct-cutter.ts";
import { ownRun } from "./netns/enter.ts";
import { managedBench } from "./netns/managed-bench.ts";
import { NetnsBench } from "./netns/netns-bench.ts";
import { Network } from "./netns/network.ts";
import { type NetworkPlan, planNetwork } from "./netns/plan-network.ts";
import { SnmpAgent } from "./netns/snmp-agent.ts";
import { OverMqtt } from "./over-mqtt.ts";

/** The port of every broker: each has an address of its own. */
const brokerPort = 8883;
const keyDays = 2;

/**
 * Makes namespaces, cables and switches, and starts boards and brokers in them. This process must be in the controller's
 * namespace: see `runInNamespace`.
 *
 * @throws {BenchFailure} if they do not start
 */
export async function startNetnsExperimentBench(
  bench: Bench,
  raft: RaftSettings,
  time: Time,
): Promise<ExperimentBench> {
  const run = ownRun();
  await sweepStaleBenches(tmpdir());
  const plan = planNetwork(bench);
  const warden = new Warden();
  const network = new Network(run, plan, warden);
  const runFolder = mkdtempSync(join(tmpdir(), runFolderPrefix));
  warden.remove(runFolder);
  warden.record(recordIn(runFolder));
  for (const name of network.namespaces) warden.removeNamespace(name);
  try {
    const started = await startIn(runFolder, { bench, raft, time, plan, network, warden });
    return {
      ...started,
      async close() {
        const closing = await started.close();
        await warden.release();
        return closing;
      },
    };
  } catch (error) {
    await warden.release();
    throw error;
  }
}

type Surroundings = {
  readonly bench: Bench;
  readonly raft: RaftSettings;
  readonly time: Time;
  readonly plan: NetworkPlan;
  readonly network: Network;
  readonly warden: Warden;
};

async function startIn(folder: string, around: Surroundings): Promise<ExperimentBench> {
  const { bench, raft, time, plan, network, warden } = around;
  const keysFolder = join(folder, "keys");
  const [lock, programs] = await Promise.all([
    takeFolder(folder),
    findPrograms(),
    network.build(),
    makeKeys(keysFolder, bench, plan),
  ]);
  const deaths = new Deaths();
  const nowUs = () => time.nowUs();
  const brokers = brokersOf(bench, plan);
  const machines = { bench, raft, rejoinAfterDamage: true, keys: keysFolder };
  const site: Site = {
    folder,
    runFolder: folder,
    programs,
    warden,
    nowUs,
    doorOf: ({ node }) => doorAt(node, plan),
    brokersFor: () => brokers,
    interfacesOf: (board) => interfacesOf(board, plan),
    commandOn: (machine) => ["ip", "netns", "exec", network.namespaceOf(machine)],
  };
  const agents = new Map(
    plan.switches.map(({ node: name, management: { address } }): [NodeName, SnmpAgent] => {
      const place = { namespace: network.namespaceOf(name), address, folder: join(folder, "switches", name) };
      return [name, new SnmpAgent({ name, ...place, warden, tell: (change) => deaths.note(name, change, nowUs()) })];
    }),
  );
  const keys = readKeys(keysFolder, controllerName);
  const equipment = await equip(machines, site, (event) => {
    if (event.kind === "process") deaths.note(event.name, event.change, event.atUs);
  });
  const started = await NetnsBench.start({
    machines: { ...machines, brokerUrls: brokers.map(({ url }) => url), isKept: false },
    equipment,
    plan,
    network,
    agents,
    cutters: cutterSettings(folder, { ...around, agents, brokers, keys }),
  });
  const cluster = await OverMqtt.connect({ bench, brokers: brokers.map(({ url }) => url), keys }).catch(
    async (error: unknown) => {
      await started.close();
      throw error;
    },
  );
  return {
    kind: "netns",
    bench,
    carryOut: (action) => started.carryOut(action),
    view: () => cluster.view(started.boards.filter(({ state }) => state === "running").map(({ name }) => name)),
    connectClient: (name, workload) => cluster.connectClient(name, workload),
    statuses: () => cluster.statuses(),
    flightRecords: () => cluster.flightRecords(),
    deaths: () => deaths.all,
    async close() {
      await cluster.close();
      const leftovers = await started.close();
      await lock.release();
      return { leftovers };
    },
  };
}

type CutterPeers = Surroundings & {
  readonly agents: ReadonlyMap<NodeName, SnmpAgent>;
  readonly brokers: readonly BrokerPlace[];
  readonly keys: Keys;
};

/** The devices of this bench end with it, and so does the ledger of what they have cut. */
function cutterSettings(folder: string, { bench, plan, network, agents, brokers, keys }: CutterPeers): CuttersSettings {
  const managements = new Map([...agents].map(([name, { management }]) => [name, management]));
  const managed = managedBench(bench, plan, managements);
  return {
    bench: managed,
    ledgerFolder: join(folder, "ledger"),
    surroundings: {
      bench: managed,
      folder,
      hostOf: hostsBy((name) => ({ kind: "namespace", namespace: network.namespaceOf(name) })),
      person: personAt(process.stdin, process.stderr),
      circuitSeen: () => null,
      virtual: new DirectCutter(network, plan),
      openBrokers: () => Promise.resolve(openBrokerCutter({ bench, brokers, keys })),
    },
  };
}

/** Beyond one machine brokers take nobody without a key, and these are machines of their own. */
async function makeKeys(folder: string, bench: Bench, { machines }: NetworkPlan): Promise<void> {
  const hosts = machines.flatMap(({ brokerAddress }) => brokerAddress ?? []);
  const subjects = rosterOf(bench, { clients: [], hosts });
  await fillKeyFolder(folder, { authorityName: `${bench.name} authority`, subjects, days: keyDays, now: new Date() });
}

type BrokerPlace = { readonly name: string; readonly url: string };

function brokersOf({ brokers }: Bench, plan: NetworkPlan): readonly BrokerPlace[] {
  return brokers.map(({ name, node }) => {
    const { host, port } = doorAt(node, plan);
    return { name, url: `mqtts://${host}:${port}` };
  });
}

function doorAt(node: NodeName, { machines }: NetworkPlan): Door {
  const address = machines.find((machine) => machine.node === node)?.brokerAddress;
  if (address === undefined || address === null) throw new BenchFailure(`No broker runs on ${node}.`);
  return { host: address, port: brokerPort, webSocketPort: null };
}

function interfacesOf(board: NodeName, { machines }: NetworkPlan): readonly string[] {
  return machines.find(({ node }) => node === board)?.interfaces.map(({ name }) => name) ?? [];
}
