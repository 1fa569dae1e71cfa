/** Heals what an entry of the ledger says, by whoever finds it: the guardian, the next run, `adrift heal`. */

import { setTimeout as sleep } from "node:timers/promises";
import { isAlive } from "../../device/board/disk/process-identity.ts";
import type { Bench, Cable } from "../../hardware/bench.ts";
import { rackAccess } from "../bench/rack/addresses.ts";
import { openBrokerCutter } from "./broker.ts";
import { hostsBy, leaveHosts } from "./command-host.ts";
import { CutterFailure, type PairCutter } from "./cutter.ts";
import { personMsMax } from "./hand.ts";
import { within } from "./lease-bounds.ts";
import { describeThing, Ledger, type LedgerEntry, type LedgerRecord } from "./ledger.ts";
import { takeDevices } from "./ledger-devices.ts";
import { openCutter, openPowerSource } from "./open-cutter.ts";
import { nobody } from "./person.ts";
import type { CommandHost, CutterSurroundings, Person } from "./surroundings.ts";

/** How long a device may take for an answer. */
export const answerMsMax = 8_000;

/** How long a cutter's device may take for an answer: a person needs longer. */
export function answerMsMaxOf(bench: Bench, cable: Cable): number {
  const isByHand = bench.cutters.some(({ name, driver }) => name === cable.cutter.name && driver === "hand");
  return isByHand ? personMsMax + answerMsMax : answerMsMax;
}

/** How to heal an entry. */
export type HealSettings = {
  /** Who is asked to plug in again what a person pulled. */
  readonly person?: Person;
  /** Whether the caller has the devices already; otherwise they are taken for the time that it takes. */
  readonly hasDevices?: boolean;
};

/**
 * Heals it, and removes the entry once the device says that it is whole. An entry that somebody else has removed meanwhile
 * is no failure.
 *
 * @throws {CutterFailure} if it is still cut, or nobody can tell.
 */
export async function healEntry(folder: string, record: LedgerRecord, settings: HealSettings = {}): Promise<void> {
  const { entry, path } = record;
  const { person = nobody, hasDevices = false } = settings;
  const ledger = await Ledger.open(folder);
  const lock = hasDevices ? null : await takeDevices(folder, entry.devices, patienceMs);
  try {
    // Whoever had the devices before may have healed it.
    const isThere = (await ledger.list()).some((each) => each.path === path);
    if (!isThere || (await isAlive(entry.owner))) return;
    await heal(entry, person);
    await ledger.remove(path);
  } finally {
    await lock?.release();
  }
}

const patienceMs = 5_000;
const settleMs = 300;

async function heal(entry: LedgerEntry, person: Person): Promise<void> {
  const hosts = new Set<CommandHost>();
  const surroundings = surroundingsOf(entry, person, hosts);
  try {
    await healThing(entry, surroundings);
  } finally {
    await leaveHosts(hosts);
  }
}

async function healThing(entry: LedgerEntry, surroundings: CutterSurroundings): Promise<void> {
  const { what } = entry;
  switch (what.kind) {
    case "cable":
      return await healCable(entry, what.cable, surroundings);
    case "power":
      return await switchOn(entry, what.board, surroundings);
    case "pair":
      return await deliver(entry, what.from, what.to);
    default:
      return what satisfies never;
  }
}

async function deliver(entry: LedgerEntry, from: string, to: string): Promise<void> {
  const brokers = openBrokers(entry);
  try {
    await within(brokers.deliver(from, to), answerMsMax, describeThing(entry));
  } finally {
    await within(brokers.close(), answerMsMax, brokers.name).catch(() => undefined);
  }
}

/** Of a rack, whose file says where its brokers are. */
function openBrokers({ bench, folder }: LedgerEntry): PairCutter {
  return openBrokerCutter({ bench, ...rackAccess(bench, folder) });
}

async function healCable(entry: LedgerEntry, name: string, surroundings: CutterSurroundings): Promise<void> {
  const cable = entry.bench.cables.find((each) => each.name === name);
  const settings = entry.bench.cutters.find((each) => each.name === cable?.cutter.name);
  if (cable === undefined || settings === undefined) throw incomplete(entry);
  const cutter = await within(openCutter(settings, surroundings), answerMsMax, settings.name);
  try {
    const again = () => within(cutter.heal(cable), answerMsMaxOf(entry.bench, cable), describeThing(entry));
    await again();
    // What the dead process had told the device last may still be on its way, and arrive after this.
    await sleep(settleMs);
    const reading = within(cutter.read(cable), answerMsMax, describeThing(entry));
    if ((await reading.catch(() => null)) !== "whole") await again();
  } finally {
    await within(cutter.close(), answerMsMax, settings.name).catch(() => undefined);
  }
}

async function switchOn(entry: LedgerEntry, name: string, surroundings: CutterSurroundings): Promise<void> {
  const outlet = entry.bench.boards.find((each) => each.name === name)?.power ?? null;
  const settings = entry.bench.powerSources.find((each) => each.name === outlet?.name);
  if (outlet === null || settings === undefined) throw incomplete(entry);
  const source = await within(openPowerSource(settings, surroundings), answerMsMax, settings.name);
  try {
    await within(source.switchOn(outlet.channel), answerMsMax, describeThing(entry));
  } finally {
    await within(source.close(), answerMsMax, settings.name).catch(() => undefined);
  }
}

/** What an entry brings along instead of a bench that runs. */
function surroundingsOf(entry: LedgerEntry, person: Person, used: Set<CommandHost>): CutterSurroundings {
  const { bench, folder, hosts, what } = entry;
  const find = hostsBy((name) => hosts[name] ?? null);
  return {
    bench,
    folder,
    person,
    hostOf: (name) => {
      const host = find(name);
      used.add(host);
      return host;
    },
    // Nobody looks, so it is as it was left.
    circuitSeen: (cable) => (what.kind === "cable" && what.cable === cable.name ? what.direction : null),
    virtual: null,
    openBrokers: () => Promise.resolve(openBrokers(entry)),
  };
}

function incomplete(entry: LedgerEntry): CutterFailure {
  return new CutterFailure(
    `The ledger does not say by what to heal ${describeThing(entry)}: heal it at the device itself.`,
  );
}
