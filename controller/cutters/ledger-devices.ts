/** The devices behind cutters, by names that are the same for every process, and that one process at a time has them. */

import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DataFolderError } from "../../device/board/disk/data-folder-error.ts";
import { type FolderLock, takeFolderLock } from "../../device/board/disk/folder-lock.ts";
import { parseIdentity } from "../../device/board/disk/process-identity.ts";
import type { Bench, Cable, Cutter, PowerSource } from "../../hardware/bench.ts";
import { CutterFailure } from "./cutter.ts";
import type { CutterSurroundings, HostPlace } from "./surroundings.ts";

/** What of a bench its devices are named by. */
export type DeviceSurroundings = Pick<CutterSurroundings, "bench" | "hostOf">;

/** The devices that cut this cable. None for a cutter whose cuts end with the bench. */
export function devicesOfCable(cable: Cable, surroundings: DeviceSurroundings): readonly string[] {
  const cutter = surroundings.bench.cutters.find(({ name }) => name === cable.cutter.name);
  return cutter === undefined ? [] : devicesOf(cutter, cable, surroundings);
}

/** The brokers that withhold what boards say. None where a bench makes its brokers itself: they end with it. */
export function devicesOfPairs({ cluster, brokers, boards }: Bench): readonly string[] {
  const addresses = brokers.map(({ node, address }) => address ?? boards.find(({ name }) => name === node)?.address);
  return addresses.every((address) => typeof address === "string")
    ? [`the brokers of the cluster ${cluster} at ${addresses.join(", ")}`]
    : [];
}

/** The device that feeds a board. */
export function deviceOfSource(source: PowerSource): string {
  switch (source.driver) {
    case "poe":
      return `the switch at ${source.address}`;
    case "usb-hub":
      return `the USB hub ${source.location}`;
    default:
      return source satisfies never;
  }
}

/** All devices of a bench, each once. */
export function devicesOfBench(surroundings: DeviceSurroundings): readonly string[] {
  const { cables, boards, powerSources, cutters } = surroundings.bench;
  const ofCables = cables.flatMap((cable) => devicesOfCable(cable, surroundings));
  const used = powerSources.filter(({ name }) => boards.some(({ power }) => power?.name === name));
  const ofPairs = cutters.some(({ driver }) => driver === "broker") ? devicesOfPairs(surroundings.bench) : [];
  return [...new Set([...ofCables, ...ofPairs, ...used.map(deviceOfSource)])];
}

/** The boards at a cable's ends, on which a firewall can cut it. */
export function boardsAtEnds(cable: Cable, bench: Bench): readonly string[] {
  return cable.ends.map(({ node }) => node).filter((node) => bench.boards.some(({ name }) => name === node));
}

/** For people, and the same for every process. */
export function describePlace(place: HostPlace): string {
  switch (place.kind) {
    case "here":
      return "this machine";
    case "ssh":
      return place.user === null ? place.host : `${place.user}@${place.host}`;
    case "namespace":
      return `the network namespace ${place.namespace}`;
    default:
      return place satisfies never;
  }
}

/**
 * Takes devices for this process until it releases them or dies.
 *
 * @param folder of the ledger
 * @param patienceMs how long to wait for another process, which may be healing
 * @throws {CutterFailure} that names the process if another one has a device.
 */
export async function takeDevices(folder: string, devices: readonly string[], patienceMs: number): Promise<FolderLock> {
  const untilMs = performance.now() + patienceMs;
  const locks: FolderLock[] = [];
  const release = async (): Promise<void> => {
    await Promise.all(locks.splice(0).map((lock) => lock.release()));
  };
  try {
    // All take them in the same order, so that no two wait for each other.
    for (const device of [...new Set(devices)].sort()) locks.push(await takeDevice(folder, device, untilMs));
  } catch (error) {
    await release();
    throw error;
  }
  return { release };
}

function devicesOf(cutter: Cutter, cable: Cable, { bench, hostOf }: DeviceSurroundings): readonly string[] {
  switch (cutter.driver) {
    case "relay":
    case "usb-relay":
      return [`the relays at ${cutter.serialPort}`];
    case "switch":
      return [`the switch at ${cutter.address}`];
    case "gpio":
      return [`the GPIO chip ${cutter.chip} of ${cutter.host ?? "this machine"}`];
    case "firewall":
      return boardsAtEnds(cable, bench).map((board) => `the firewall of ${describePlace(hostOf(board).place)}`);
    case "hand":
      return [`the cables of the bench ${bench.name}, by hand`];
    case "broker":
      return devicesOfPairs(bench);
    case "virtual":
      return [];
    default:
      return cutter satisfies never;
  }
}

const retryMs = 50;

async function takeDevice(ledgerFolder: string, device: string, untilMs: number): Promise<FolderLock> {
  const folder = join(ledgerFolder, "devices", createHash("sha256").update(device).digest("hex").slice(0, 16));
  for (;;) {
    try {
      return await takeFolderLock(folder);
    } catch (error) {
      if (!(error instanceof DataFolderError)) {
        const cause = error instanceof Error ? error.message : String(error);
        throw new CutterFailure(`Nobody can tell whether another program has ${device}: ${folder} fails (${cause}).`);
      }
    }
    if (performance.now() >= untilMs) {
      const holder = await holderOf(folder);
      throw new CutterFailure(
        holder === process.pid
          ? `${capitalized(device)} is in use by this very program already.`
          : `${capitalized(device)} is in use by another run of Adrift (process ${holder ?? "unknown"}). Wait for its end, or end it.`,
      );
    }
    await sleep(retryMs);
  }
}

/** The process that the newest file of a lock names. */
async function holderOf(folder: string): Promise<number | null> {
  try {
    const newest = Math.max(...(await readdir(folder)).filter((name) => /^\d+$/.test(name)).map(Number));
    return parseIdentity(await readFile(join(folder, String(newest)), "utf8"))?.pid ?? null;
  } catch {
    return null;
  }
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
