/** Puts the parts of a local bench together: ports, ways, files and processes, none of them started yet. */

import { accessSync, constants, mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { BoardConfiguration } from "../../../device/board/configuration.ts";
import { folderError } from "../../../device/board/disk/data-folder-error.ts";
import { makeFolder } from "../../../device/board/disk/folder.ts";
import { type FolderLock, takeFolderLock } from "../../../device/board/disk/folder-lock.ts";
import { keyFiles, readKeys } from "../../../device/mqtt/read-keys.ts";
import { type Bench, type Board, type Broker, controllerNode, type NodeName } from "../../../hardware/bench.ts";
import { BenchFailure } from "../bench.ts";
import { writeConfiguration } from "./board-files.ts";
import { BoardProcess } from "./board-process.ts";
import { BrokerProcess } from "./broker-process.ts";
import { Cabling } from "./cabling.ts";
import { found } from "./founding.ts";
import { LogFile } from "./log-file.ts";
import { firstFreePort, reservePort } from "./ports.ts";
import { findPrograms, type Programs } from "./programs.ts";
import type { BrokerAddress, LocalBenchEvent, LocalBenchSettings } from "./settings.ts";
import { recordIn, runFolderPrefix, sweepStaleBenches } from "./stale-benches.ts";
import type { ProcessChange } from "./supervised-process.ts";
import { Warden } from "./warden.ts";

/** The parts of a bench. */
export type Parts = {
  readonly folder: string;
  readonly runFolder: string;
  readonly warden: Warden;
  readonly cabling: Cabling;
  readonly boards: ReadonlyMap<NodeName, BoardProcess>;
  readonly brokers: ReadonlyMap<NodeName, BrokerProcess>;
  readonly addresses: readonly BrokerAddress[];
  readonly nowUs: () => number;
  /** Lets another process have the folder. */
  releaseFolder(): Promise<void>;
  logOf(name: NodeName): LogFile;
  /** Where a board keeps its log. */
  logFolderOf(board: NodeName): string;
};

/** A broker and where it listens, behind all cables. */
type PlacedBroker = { readonly broker: Broker; readonly port: number; readonly webSocketPort: number | null };

const noRaftSettings: BoardConfiguration["raft"] = {
  leaseReads: false,
  clockDriftPpmMax: null,
  snapshotAfterEntries: null,
  trailingEntries: null,
};

/** The cables of this machine are not those of the bench: there is no interface of this name to watch. */
const noInterfaces: readonly string[] = ["none"];

/** Puts a bench together. @throws {BenchFailure} if it cannot be built of local processes; and what the files say. */
export async function assemble(settings: LocalBenchSettings, tell: (event: LocalBenchEvent) => void): Promise<Parts> {
  refuseCrowdedBoards(settings.bench);
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
  const logs = new Map([...bench.boards, ...bench.brokers].map(({ name }) => [name, logIn(folder, name)]));
  const logOf = (name: NodeName) => logs.get(name) ?? logIn(folder, name);
  const dataOf = (board: NodeName) => join(folder, board);

  function processOf(what: "board" | "broker", name: NodeName) {
    const tellChange = (change: ProcessChange) => tell({ atUs: nowUs(), kind: "process", what, name, change });
    return { name, program: programs[what], log: logOf(name), warden, tell: tellChange };
  }

  const placed = await placeBrokers(settings);
  const addresses = await addressesFor(controllerNode, placed, cabling, settings);
  const boards = new Map<NodeName, BoardProcess>();
  const { founders, newcomers } = await inFolder(folder, () => found(folder, bench));
  for (const board of newcomers) {
    tell({ atUs: nowUs(), kind: "joinsAnew", board, isFounder: founders.includes(board) });
  }
  for (const board of bench.boards) {
    const addresses = await addressesFor(board.name, placed, cabling, settings);
    const configuration = configurationOf(board, { settings, placed, addresses, founders, data: dataOf(board.name) });
    const file = writeConfiguration(join(runFolder, "boards"), configuration);
    const process = { ...processOf("board", board.name), configuration: file };
    boards.set(board.name, new BoardProcess(process));
  }
  const brokers = new Map<NodeName, BrokerProcess>();
  for (const each of placed.filter(({ broker: { name, node } }) => name === node)) {
    const { name } = each.broker;
    brokers.set(name, new BrokerProcess({ ...processOf("broker", name), broker: brokerSettingsOf(each, settings) }));
  }
  const logFolderOf = (board: NodeName) => join(dataOf(board), "log");
  return { folder, runFolder, warden, cabling, boards, brokers, addresses, nowUs, logOf, logFolderOf };
}

/** Takes the folder for this process alone, and sees that it can be written. @throws {DataFolderError} if it cannot. */
async function takeFolder(folder: string): Promise<FolderLock> {
  return await inFolder(folder, async () => {
    await makeFolder(folder);
    const lock = await takeFolderLock(join(folder, "lock"));
    try {
      mkdirSync(join(folder, "logs"), { recursive: true, mode: 0o700 });
      accessSync(join(folder, "logs"), constants.W_OK | constants.X_OK);
      return lock;
    } catch (error) {
      await lock.release();
      throw error;
    }
  });
}

/** What the operating system refuses is told as what can be done about it. */
async function inFolder<Result>(folder: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof BenchFailure ? error : folderError(folder, error);
  }
}

function brokerSettingsOf({ broker, port, webSocketPort }: PlacedBroker, { bench, keys = null }: LocalBenchSettings) {
  return {
    name: broker.name,
    host: "127.0.0.1",
    port,
    webSocketPort,
    keys: keys === null ? null : readKeys(keys, broker.name),
    cluster: bench.cluster,
    boards: bench.boards.map(({ name }) => name),
  };
}

/** A board's configuration has room for one broker. */
function refuseCrowdedBoards({ boards, brokers }: Bench): void {
  for (const { name } of boards) {
    const here = brokers.filter(({ node }) => node === name).map((broker) => broker.name);
    if (here.length <= 1) continue;
    throw new BenchFailure(
      `${here.join(" and ")} all stand on ${name}, but a board runs one broker at most: give the others a machine of their own.`,
    );
  }
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

type Surroundings = {
  readonly settings: LocalBenchSettings;
  readonly placed: readonly PlacedBroker[];
  /** The brokers as the board finds them. */
  readonly addresses: readonly BrokerAddress[];
  readonly founders: readonly NodeName[];
  readonly data: string;
};

function configurationOf({ name }: Board, around: Surroundings): BoardConfiguration {
  const { settings, placed, addresses, founders, data } = around;
  const { bench, keys = null } = settings;
  const own = placed.find(({ broker }) => broker.node === name);
  return {
    board: name,
    cluster: bench.cluster,
    data,
    boards: bench.boards.map(({ name, inbox }) => ({ name, inbox })),
    founders,
    brokers: addresses.map(({ name: broker, url }) => ({ name: broker, url })),
    serves:
      own === undefined
        ? null
        : { broker: own.broker.name, host: "127.0.0.1", port: own.port, webSocketPort: own.webSocketPort },
    timing: bench.timing,
    raft: settings.raft ?? noRaftSettings,
    rejoinAfterDamage: settings.rejoinAfterDamage ?? false,
    keys: keys === null ? null : keyFiles(resolve(keys), name),
    metricsPort: null,
    logLevel: settings.logLevel ?? "info",
    interfaces: noInterfaces,
  };
}

function logIn(folder: string, name: NodeName): LogFile {
  return new LogFile(join(folder, "logs", `${name}.log`));
}
