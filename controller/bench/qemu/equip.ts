/** Puts the parts of a QEMU bench together: keys, cards, network, brokers and machines, none of them started yet. */

import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BoardConfiguration } from "../../../device/board/configuration.ts";
import { readKeys } from "../../../device/mqtt/read-keys.ts";
import { type Bench, controllerNode, type NodeName } from "../../../hardware/bench.ts";
import type { RaftSettings } from "../../experiment/model.ts";
import { fillKeyFolder } from "../../keys/key-folder.ts";
import { rosterOf } from "../../keys/roster.ts";
import { BrokerProcess } from "../local/broker-process.ts";
import { logIn } from "../local/equip.ts";
import { findPrograms } from "../local/programs.ts";
import { recordIn, runFolderPrefix, sweepStaleBenches } from "../local/stale-benches.ts";
import type { ProcessChange } from "../local/supervised-process.ts";
import { Warden } from "../local/warden.ts";
import { type BaseImage, findBaseImage } from "./base-image.ts";
import { type CardSettings, keysOnBoard, makeCard } from "./card.ts";
import { QemuNetwork } from "./network.ts";
import { controllerLines, type PlannedBoard, planQemu, type QemuPlan } from "./plan.ts";
import { requireTools } from "./tools.ts";
import { VirtualBoard } from "./virtual-board.ts";

/** What a QEMU bench is made of. */
export type QemuSettings = {
  readonly bench: Bench;
  readonly raft: RaftSettings;
  /** Says what takes long. */
  tell(line: string): void;
  /** What becomes of a machine or a broker. */
  changed(name: NodeName, change: ProcessChange): void;
};

/** The parts. */
export type QemuParts = {
  readonly folder: string;
  readonly keys: string;
  readonly warden: Warden;
  readonly network: QemuNetwork;
  readonly plan: QemuPlan;
  readonly boards: ReadonlyMap<NodeName, VirtualBoard>;
  /** Those with a machine of their own. */
  readonly brokers: ReadonlyMap<NodeName, BrokerProcess>;
  /** Where the controller finds all brokers. */
  readonly brokerUrls: readonly string[];
  /** A new card for a board that has no power: it founds nothing, and asks to be taken in. */
  replaceCard(board: NodeName): Promise<void>;
};

const keyDays = 30;

/** Puts it together. @throws {BenchFailure} if this computer cannot do it, with what it lacks */
export async function equip(settings: QemuSettings): Promise<QemuParts> {
  const { bench } = settings;
  await requireTools();
  const plan = planQemu(bench);
  const image = await findBaseImage((line) => settings.tell(line));
  await sweepStaleBenches(tmpdir());
  const folder = mkdtempSync(join(tmpdir(), runFolderPrefix));
  const warden = new Warden();
  warden.remove(folder);
  warden.record(recordIn(folder));
  try {
    const network = await QemuNetwork.open(join(folder, "network"), warden);
    return await equipIn({ folder, image, network, plan, warden }, settings);
  } catch (error) {
    await warden.release();
    throw error;
  }
}

type Site = Pick<QemuParts, "folder" | "network" | "plan" | "warden"> & { readonly image: BaseImage };

async function equipIn(site: Site, settings: QemuSettings): Promise<QemuParts> {
  const { folder, image, network, plan, warden } = site;
  const { bench, changed } = settings;
  await network.ip([...plan.lines, ...controllerLines(bench, plan)]);
  const keys = join(folder, "keys");
  mkdirSync(join(folder, "logs"));
  await fillKeyFolder(keys, {
    authorityName: `authority of ${bench.name}`,
    subjects: rosterOf(bench, { clients: [], hosts: plan.brokers.map(({ host }) => host) }),
    days: keyDays,
    now: new Date(),
  });
  const programs = await findPrograms();

  const cardOf = (planned: PlannedBoard, founds: boolean): CardSettings => ({
    folder,
    image,
    configuration: configurationOf(planned, settings, plan),
    program: programs.board,
    keys,
    address: planned.address,
    founds,
  });
  const boards = new Map<NodeName, VirtualBoard>();
  for (const planned of plan.boards) {
    const { name } = planned;
    const card = await makeCard(cardOf(planned, true));
    const tell = (change: ProcessChange): void => changed(name, change);
    boards.set(name, new VirtualBoard({ planned, folder, image, card, command: network.command, warden, tell }));
  }

  const brokers = new Map<NodeName, BrokerProcess>();
  for (const { name, node, host, port } of plan.brokers.filter(({ name, node }) => name === node)) {
    const broker = {
      ...{ name, host, port, webSocketPort: null, cluster: bench.cluster, keys: readKeys(keys, name) },
      boards: bench.boards.map((board) => board.name),
    };
    const command = [...network.command, process.execPath, programs.broker];
    const tell = (change: ProcessChange): void => changed(node, change);
    brokers.set(name, new BrokerProcess({ name, command, log: logIn(folder, name), warden, tell, broker }));
  }
  const doors = await Promise.all(plan.brokers.map(({ host, port }) => network.openDoor(host, port)));
  return {
    ...{ folder, keys, warden, network, plan, boards, brokers },
    brokerUrls: doors.map((port) => `mqtts://127.0.0.1:${port}`),
    async replaceCard(board) {
      const planned = plan.boards.find(({ name }) => name === board);
      if (planned !== undefined) await makeCard(cardOf(planned, false));
    },
  };
}

function configurationOf({ name }: PlannedBoard, settings: QemuSettings, plan: QemuPlan): BoardConfiguration {
  const { bench, raft } = settings;
  const own = plan.brokers.find(({ node }) => node === name);
  return {
    board: name,
    cluster: bench.cluster,
    data: "/var/lib/adrift",
    boards: bench.boards.map((board) => ({ name: board.name, inbox: board.inbox })),
    founders: bench.boards.map((board) => board.name),
    brokers: plan.brokers.map((broker) => ({ name: broker.name, url: `mqtts://${broker.host}:${broker.port}` })),
    serves: own === undefined ? null : { broker: own.name, host: own.host, port: own.port, webSocketPort: null },
    timing: bench.timing,
    raft,
    rejoinAfterDamage: true,
    keys: keysOnBoard(name),
    metricsPort: null,
    logLevel: "info",
    leds: [],
    console: "/dev/ttyAMA0",
    interfaces: [],
  };
}

/** The controller's own keys. */
export function controllerKeys(keys: string): ReturnType<typeof readKeys> {
  return readKeys(keys, controllerNode);
}
