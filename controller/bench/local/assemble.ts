/** Puts the parts of a local bench together: ports, ways, files and processes, none of them started yet. */

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Broker, controllerNode, type NodeName } from "../../../hardware/bench.ts";
import { Cabling } from "./cabling.ts";
import { type Door, type Equipment, equip, type Site, takeFolder } from "./equip.ts";
import { firstFreePort, reservePort } from "./ports.ts";
import { findPrograms, type Programs } from "./programs.ts";
import type { BrokerAddress, LocalBenchEvent, LocalBenchSettings } from "./settings.ts";
import { recordIn, runFolderPrefix, sweepStaleBenches } from "./stale-benches.ts";
import { Warden } from "./warden.ts";

/** The parts of a bench. */
export type Parts = {
  readonly folder: string;
  readonly runFolder: string;
  readonly warden: Warden;
  readonly cabling: Cabling;
  readonly equipment: Equipment;
  readonly addresses: readonly BrokerAddress[];
  readonly nowUs: () => number;
  /** Lets another process have the folder. */
  releaseFolder(): Promise<void>;
};

/** A broker and where it listens, behind all cables. */
type PlacedBroker = { readonly broker: Broker; readonly port: number; readonly webSocketPort: number | null };

/** The cables of this machine are not those of the bench: there is no interface of this name to watch. */
const noInterfaces: readonly string[] = ["none"];

/** Puts a bench together. @throws {BenchFailure} if it cannot be built of local processes; and what the files say. */
export async function assemble(settings: LocalBenchSettings, tell: (event: LocalBenchEvent) => void): Promise<Parts> {
  const programs = await findPrograms();
  const warden = new Warden();
  const cabling = new Cabling(settings.bench);
  try {
    return await build(settings, { programs, warden, cabling, tell });
  } catch (error) {
    await cabling.close();
    await warden.release();
    throw error;
  }
}

type Tools = {
  readonly programs: Programs;
  readonly warden: Warden;
  readonly cabling: Cabling;
  readonly tell: (event: LocalBenchEvent) => void;
};

async function build(settings: LocalBenchSettings, { programs, warden, cabling, tell }: Tools): Promise<Parts> {
  await sweepStaleBenches(tmpdir());
  const runFolder = mkdtempSync(join(tmpdir(), runFolderPrefix));
  warden.remove(runFolder);
  warden.record(recordIn(runFolder));
  const folder = settings.folder === null ? runFolder : resolve(settings.folder);
  const lock = await takeFolder(folder);
  try {
    const parts = await buildIn(folder, runFolder, settings, { programs, warden, cabling, tell });
    return { ...parts, releaseFolder: () => lock.release() };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** All that is needed once the folder of the boards' data belongs to this process. */
async function buildIn(
  folder: string,
  runFolder: string,
  settings: LocalBenchSettings,
  { programs, warden, cabling, tell }: Tools,
): Promise<Omit<Parts, "releaseFolder">> {
  const { bench } = settings;
  const nowUs = settings.nowUs ?? (() => Math.floor(performance.now() * 1_000));
  const placed = await placeBrokers(settings);
  const addresses = await addressesFor(controllerNode, placed, cabling, settings);
  const ways = new Map<NodeName, readonly BrokerAddress[]>();
  for (const { name } of bench.boards) ways.set(name, await addressesFor(name, placed, cabling, settings));
  const site: Site = {
    folder,
    runFolder,
    programs,
    warden,
    nowUs,
    doorOf: (broker) => doorOf(placed, broker),
    brokersFor: (board) => (ways.get(board) ?? []).map(({ name, url }) => ({ name, url })),
    interfacesOf: () => noInterfaces,
    commandOn: () => [],
  };
  return { folder, runFolder, warden, cabling, equipment: await equip(settings, site, tell), addresses, nowUs };
}

function doorOf(placed: readonly PlacedBroker[], { name }: Broker): Door {
  const found = placed.find(({ broker }) => broker.name === name);
  if (found === undefined) throw new Error(`The broker ${name} has no port.`);
  return { host: "127.0.0.1", port: found.port, webSocketPort: found.webSocketPort };
}

/** Ports for all brokers: without cables the controller's own wishes, since then it goes to the brokers directly. */
async function placeBrokers({ bench, forwarders, firstPort, webSocket }: LocalBenchSettings) {
  const placed: PlacedBroker[] = [];
  let next = forwarders ? null : (firstPort ?? null);
  for (const broker of bench.brokers) {
    const port = await firstFreePort(next);
    if (next !== null) next = port + 1;
    placed.push({ broker, port, webSocketPort: webSocket === true ? await reservePort() : null });
  }
  return placed;
}

/** How somebody finds all brokers. Who stands beside a broker on the same board reaches it without a cable. */
async function addressesFor(
  from: NodeName,
  placed: readonly PlacedBroker[],
  cabling: Cabling,
  { forwarders, firstPort, keys }: LocalBenchSettings,
): Promise<readonly BrokerAddress[]> {
  const isController = from === controllerNode;
  const secure = keys === undefined || keys === null ? "" : "s";
  let next = isController ? (firstPort ?? null) : null;
  const addresses: BrokerAddress[] = [];
  for (const { broker, port, webSocketPort } of placed) {
    const way = async (to: number, first: number | null) => {
      if (!forwarders || broker.node === from) return to;
      return cabling.addPath(from, broker.node, to, first === null ? 0 : await firstFreePort(first));
    };
    const found = await way(port, next);
    if (next !== null) next = found + 1;
    const webSocket = isController && webSocketPort !== null ? await way(webSocketPort, null) : null;
    addresses.push({
      name: broker.name,
      url: `mqtt${secure}://127.0.0.1:${found}`,
      webSocketUrl: webSocket === null ? null : `ws${secure}://127.0.0.1:${webSocket}`,
    });
  }
  return addresses;
}
