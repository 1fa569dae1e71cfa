/**
 * Equips the machines of a bench whose boards and brokers are processes of this computer: their files, their logs, and
 * the processes themselves, none of them started yet. How the machines are joined is the business of the kind of bench.
 */

import { accessSync, constants, mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { BoardConfiguration } from "../../../device/board/configuration.ts";
import { folderError } from "../../../device/board/disk/data-folder-error.ts";
import { makeFolder } from "../../../device/board/disk/folder.ts";
import { type FolderLock, takeFolderLock } from "../../../device/board/disk/folder-lock.ts";
import { keyFiles, readKeys } from "../../../device/mqtt/read-keys.ts";
import type { Bench, Board, Broker, NodeName } from "../../../hardware/bench.ts";
import { BenchFailure } from "../bench.ts";
import { writeConfiguration } from "./board-files.ts";
import { BoardProcess } from "./board-process.ts";
import { BrokerProcess } from "./broker-process.ts";
import { found } from "./founding.ts";
import { LogFile } from "./log-file.ts";
import type { Programs } from "./programs.ts";
import type { MachineEvent, MachineSettings } from "./settings.ts";
import type { ProcessChange } from "./supervised-process.ts";
import type { Warden } from "./warden.ts";

/** Where the machines stand, and how they find each other. */
export type Site = {
  /** Where the boards' data and all logs are kept. */
  readonly folder: string;
  /** A folder that goes with the bench. */
  readonly runFolder: string;
  readonly programs: Programs;
  readonly warden: Warden;
  readonly nowUs: () => number;
  /** Where a broker listens. */
  doorOf(broker: Broker): Door;
  /** Where a board finds each broker. */
  brokersFor(board: NodeName): BoardConfiguration["brokers"];
  /** The network interfaces that a board watches; empty: all that have a cable. */
  interfacesOf(board: NodeName): readonly string[];
  /** What stands on the command line before a program, so that it runs on this machine; mostly nothing. */
  commandOn(machine: NodeName): readonly string[];
};

/** Where a broker listens. */
export type Door = { readonly host: string; readonly port: number; readonly webSocketPort: number | null };

/** Boards, brokers with a machine of their own, and what they leave on disk. */
export type Equipment = {
  readonly boards: ReadonlyMap<NodeName, BoardProcess>;
  readonly brokers: ReadonlyMap<NodeName, BrokerProcess>;
  logOf(name: NodeName): LogFile;
  /** Where a board keeps its log. */
  logFolderOf(board: NodeName): string;
};

const noRaftSettings: BoardConfiguration["raft"] = {
  leaseReads: false,
  clockDriftPpmMax: null,
  snapshotAfterEntries: null,
  trailingEntries: null,
};

/**
 * Equips all machines. The folder belongs to this process already.
 *
 * @throws {BenchFailure} if a board would have to run several brokers; and what the files say.
 */
export async function equip(
  settings: MachineSettings,
  site: Site,
  tell: (event: MachineEvent) => void,
): Promise<Equipment> {
  const { bench } = settings;
  const { folder, runFolder, programs, warden, nowUs } = site;
  refuseCrowdedBoards(bench);
  const logs = new Map([...bench.boards, ...bench.brokers].map(({ name }) => [name, logIn(folder, name)]));
  const logOf = (name: NodeName) => logs.get(name) ?? logIn(folder, name);

  function processOf(what: "board" | "broker", name: NodeName) {
    const tellChange = (change: ProcessChange) => tell({ atUs: nowUs(), kind: "process", what, name, change });
    const command = [...site.commandOn(name), process.execPath, programs[what]];
    return { name, command, log: logOf(name), warden, tell: tellChange };
  }

  const boards = new Map<NodeName, BoardProcess>();
  const { founders, newcomers } = await inFolder(folder, () => found(folder, bench));
  for (const board of newcomers) {
    tell({ atUs: nowUs(), kind: "joinsAnew", board, isFounder: founders.includes(board) });
  }
  for (const board of bench.boards) {
    const configuration = writeConfiguration(
      join(runFolder, "boards"),
      configurationOf(board, settings, site, founders),
    );
    boards.set(board.name, new BoardProcess({ ...processOf("board", board.name), configuration }));
  }
  const brokers = new Map<NodeName, BrokerProcess>();
  for (const broker of bench.brokers.filter(({ name, node }) => name === node)) {
    const { name } = broker;
    brokers.set(
      name,
      new BrokerProcess({ ...processOf("broker", name), broker: brokerSettingsOf(broker, settings, site) }),
    );
  }
  return { boards, brokers, logOf, logFolderOf: (board) => join(folder, board, "log") };
}

/** Takes the folder for this process alone, and sees that it can be written. @throws {DataFolderError} if it cannot. */
export async function takeFolder(folder: string): Promise<FolderLock> {
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

/** The log of a process, in the folder of all logs. */
export function logIn(folder: string, name: string): LogFile {
  return new LogFile(join(folder, "logs", `${name}.log`));
}

/** What the operating system refuses is told as what can be done about it. */
async function inFolder<Result>(folder: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof BenchFailure ? error : folderError(folder, error);
  }
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

function brokerSettingsOf(broker: Broker, { bench, keys = null }: MachineSettings, site: Site) {
  return {
    name: broker.name,
    ...site.doorOf(broker),
    keys: keys === null ? null : readKeys(keys, broker.name),
    cluster: bench.cluster,
    boards: bench.boards.map(({ name }) => name),
  };
}

function configurationOf(
  { name }: Board,
  settings: MachineSettings,
  site: Site,
  founders: readonly NodeName[],
): BoardConfiguration {
  const { bench, keys = null } = settings;
  const own = bench.brokers.find(({ node }) => node === name);
  return {
    board: name,
    cluster: bench.cluster,
    data: join(site.folder, name),
    boards: bench.boards.map(({ name, inbox }) => ({ name, inbox })),
    founders,
    brokers: site.brokersFor(name),
    serves: own === undefined ? null : { broker: own.name, ...site.doorOf(own) },
    timing: bench.timing,
    raft: settings.raft ?? noRaftSettings,
    rejoinAfterDamage: settings.rejoinAfterDamage ?? false,
    keys: keys === null ? null : keyFiles(resolve(keys), name),
    metricsPort: null,
    logLevel: settings.logLevel ?? "info",
    leds: [],
    console: null,
    interfaces: site.interfacesOf(name),
  };
}
