/** How the cutters of a bench are opened, so that everything is whole then. */

import type { Bench, Board, Cable } from "../../hardware/bench.ts";
import type { OpenCutter, OpenPowerSource, PairCutter } from "./cutter.ts";
import { persist, within } from "./lease-bounds.ts";
import { abandoned, describeThing, type Ledger } from "./ledger.ts";
import { answerMsMax, answerMsMaxOf, healEntry } from "./ledger-heal.ts";
import { openCutter, openPowerSource } from "./open-cutter.ts";
import type { CutterSurroundings, Person } from "./surroundings.ts";

/** The cutters and power sources of a bench, by their names. */
export type OpenDevices = {
  readonly cutters: ReadonlyMap<string, OpenCutter>;
  readonly sources: ReadonlyMap<string, OpenPowerSource>;
  /** The brokers' own cutter, if they are Adrift's. */
  readonly brokers: PairCutter | null;
  close(): Promise<void>;
};

type Tell = (sentence: string) => void;

/** How long it is tried to heal what was found cut. */
const healMsMax = 5_000;

/** Heals what dead processes left on these devices, which the caller has. @throws {CutterFailure} if that fails. */
export async function healAll(ledger: Ledger, devices: readonly string[], person: Person, tell: Tell): Promise<void> {
  const files = await ledger.list();
  for (const { path, ...file } of files) {
    if (file.entry !== null) continue;
    tell(`${path} cannot be read: ${file.reason}. Look whether anything is still cut, then remove this file.`);
  }
  const left = (await abandoned(files)).filter(({ entry }) => entry.devices.some((device) => devices.includes(device)));
  for (const record of left) {
    // Its other devices, which this bench does not have, are taken for the time that it takes.
    const hasDevices = record.entry.devices.every((device) => devices.includes(device));
    await persist(() => healEntry(ledger.folder, record, { person, hasDevices }), healMsMax);
    tell(`An earlier run left ${describeThing(record.entry)} cut: healed.`);
  }
}

/** Opens all that the bench uses, and heals what is cut. @throws {CutterFailure} Nothing is left open then. */
export async function openAll(bench: Bench, surroundings: CutterSurroundings, tell: Tell): Promise<OpenDevices> {
  const opened: (OpenCutter | OpenPowerSource)[] = [];
  const open = async <Device extends OpenCutter | OpenPowerSource>(name: string, opening: Promise<Device>) => {
    const device = await within(opening, answerMsMax, name);
    opened.push(device);
    return device;
  };
  const close = async (): Promise<void> => {
    const closings = opened.map((each) => within(each.close(), answerMsMax, each.name));
    await Promise.allSettled(closings);
  };
  try {
    const brokers = surroundings.openBrokers === null ? null : await open("The brokers", surroundings.openBrokers());
    const around = { ...surroundings, openBrokers: brokers === null ? null : () => Promise.resolve(brokers) };
    const named = new Set(bench.cables.map(({ cutter }) => cutter.name));
    const fed = new Set(bench.boards.map(({ power }) => power?.name));
    const [cutters, sources] = await Promise.all([
      all(
        bench.cutters
          .filter(({ name }) => named.has(name))
          .map(async (each) => [each.name, await open(each.name, openCutter(each, around))] as const),
      ),
      all(
        bench.powerSources
          .filter(({ name }) => fed.has(name))
          .map(async (each) => [each.name, await open(each.name, openPowerSource(each, around))] as const),
      ),
    ]);
    const devices = { cutters: new Map(cutters), sources: new Map(sources), brokers, close };
    await all([
      ...bench.cables.map((cable) => makeWhole(bench, cable, devices, tell)),
      ...bench.boards.map((board) => feed(board, devices, tell)),
    ]);
    return devices;
  } catch (error) {
    await close();
    throw error;
  }
}

/** Heals a cable that is cut, whoever did it: no process that lives has its device. */
async function makeWhole(bench: Bench, cable: Cable, { cutters }: OpenDevices, tell: Tell): Promise<void> {
  const cutter = cutters.get(cable.cutter.name);
  if (cutter === undefined) return;
  const reading = within(cutter.read(cable), answerMsMax, cable.name);
  const state = await reading.catch(() => null);
  // Whether a cable is plugged in that only hands pull, people see for themselves.
  if (state === "whole" || (state === null && isByHand(bench, cable))) return;
  // A device that cannot be read can still be told; one that is not there cannot, and that is the failure.
  await persist(() => within(cutter.heal(cable), answerMsMaxOf(bench, cable), cable.name), healMsMax);
  if (state !== null) tell(`The cable ${cable.name} was cut at the start, by nobody who still lives: healed.`);
}

/** Gives a board its power if it has none. */
async function feed({ name, power }: Board, { sources }: OpenDevices, tell: Tell): Promise<void> {
  const source = power === null ? undefined : sources.get(power.name);
  if (power === null || source === undefined) return;
  if (await persist(() => within(source.isOn(power.channel), answerMsMax, source.name), healMsMax)) return;
  await persist(() => within(source.switchOn(power.channel), answerMsMax, source.name), healMsMax);
  tell(`${name} had no power at the start: switched on.`);
}

function isByHand(bench: Bench, cable: Cable): boolean {
  return bench.cutters.some(({ name, driver }) => name === cable.cutter.name && driver === "hand");
}

/** All of them, or, when all have ended, the first failure. */
async function all<Value>(promises: readonly Promise<Value>[]): Promise<Value[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}
