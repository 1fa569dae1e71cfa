/** All that is looked at: on this machine, and on the rack that a bench describes. */

import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Keys } from "../../device/mqtt/keys.ts";
import { isLoopback } from "../../device/mqtt/loopback.ts";
import { readKeys } from "../../device/mqtt/read-keys.ts";
import { controllerName } from "../../device/transport/topics.ts";
import type { Bench, Cutter, PowerSource } from "../../hardware/bench.ts";
import { staleBenches } from "../bench/local/stale-benches.ts";
import { netnsLeftovers } from "../bench/netns/leftovers.ts";
import { rackBrokers } from "../bench/rack/addresses.ts";
import { leftoverCuts } from "../cli/rack/leftover-cuts.ts";
import { openBrokerCutter } from "../cutters/broker.ts";
import { hostsBy, leaveHosts } from "../cutters/command-host.ts";
import { CutterFailure } from "../cutters/cutter.ts";
import { abandoned, readLedger } from "../cutters/ledger.ts";
import { deviceOfSource, devicesOfCable } from "../cutters/ledger-devices.ts";
import { openCutter, openPowerSource } from "../cutters/open-cutter.ts";
import { nobody } from "../cutters/person.ts";
import type { CommandHost, CutterSurroundings } from "../cutters/surroundings.ts";
import { probeBoards } from "./board-probe.ts";
import { type BoardPlace, cardsUnchecked, judgeBoard, judgeCluster } from "./boards.ts";
import { probeBroker } from "./broker-probe.ts";
import { judgeBroker } from "./brokers.ts";
import { checkCables } from "./cables.ts";
import { checkCutter, checkPower, type DeviceAccess } from "./cutters.ts";
import { Devices } from "./devices.ts";
import type { Check } from "./examine.ts";
import { type Finding, reasonOf, unchecked, wrong } from "./finding.ts";
import { checkKeys } from "./keys.ts";
import { checkLeftoverCuts, checkLeftoverNamespaces, checkNode, checkStaleBenches } from "./machine.ts";
import { probeSwitch } from "./switch-probe.ts";
import { judgeSwitch } from "./switches.ts";

/** What is looked at on this machine, with or without a bench. */
export function machineChecks(ledgerFolder: string): readonly Check[] {
  const group = "this machine";
  return [
    { group, where: "Node", look: () => checkNode(process.version) },
    { group, where: "what is cut", look: () => checkLeftoverCuts({ cuts: () => leftoverCuts(ledgerFolder) }) },
    { group, where: "network namespaces", look: () => checkLeftoverNamespaces({ namespaces: netnsLeftovers }) },
    { group, where: "local benches", look: () => checkStaleBenches({ benches: () => staleBenches(tmpdir()) }) },
  ];
}

/** What is looked at on a rack. */
export type RackCheckup = {
  readonly bench: Bench;
  /** The folder of the bench's file: its `keys/` opens the brokers, and its relative paths begin there. */
  readonly folder: string;
  readonly ledgerFolder: string;
  /** The version of Adrift on this machine. */
  readonly version: string;
};

/** The looks at a rack, and what lets go of its devices after the last of them. */
export type RackChecks = { readonly checks: readonly Check[]; release(): Promise<void> };

/** Prepares them; nothing is touched yet. */
export function rackChecks(checkup: RackCheckup): RackChecks {
  const { bench, folder } = checkup;
  const keysFolder = join(folder, "keys");
  const found = keysIn(keysFolder);
  const brokers = bench.brokers.map(({ name }) => ({ name, ...urlOf(bench, name, found.kind !== "none") }));
  const urls = brokers.flatMap(({ url }) => url ?? []);
  const hasAddresses = urls.length > 0;
  const devices = deviceAccess(checkup, { keys: found.kind === "read" ? found.keys : null, brokers });
  const isOpenToOthers = urls.some((url) => !isLoopback(new URL(url).hostname));
  return {
    checks: [
      {
        group: "keys",
        where: keysFolder,
        look: () => checkKeys(bench, keysFolder, { now: new Date(), isOpenToOthers }),
      },
      ...(hasAddresses ? lineChecks(checkup, found, brokers) : [withoutAddresses(bench)]),
      ...cutterChecks(bench, devices.access, hasAddresses),
      ...powerChecks(bench, devices.access),
      ...switchChecks(bench, folder),
      { group: "cables", where: "cables", look: () => checkCables(bench) },
    ],
    release: devices.release,
  };
}

/** The controller's keys. */
type FoundKeys =
  | { readonly kind: "none" }
  | { readonly kind: "read"; readonly keys: Keys }
  | { readonly kind: "unusable"; readonly reason: string };

function keysIn(folder: string): FoundKeys {
  if (!existsSync(folder)) return { kind: "none" };
  try {
    return { kind: "read", keys: readKeys(folder, controllerName) };
  } catch (error) {
    return { kind: "unusable", reason: reasonOf(error) };
  }
}

type BrokerPlace = { readonly name: string; readonly url: string | null; readonly reason: string };

function urlOf(
  bench: Bench,
  name: string,
  isSecure: boolean,
): { readonly url: string | null; readonly reason: string } {
  try {
    const one = { ...bench, brokers: bench.brokers.filter((broker) => broker.name === name) };
    return { url: rackBrokers(one, isSecure)[0]?.url ?? null, reason: "" };
  } catch (error) {
    return { url: null, reason: reasonOf(error) };
  }
}

function withoutAddresses({ name }: Bench): Check {
  const what = `${name} tells no addresses, so there is no rack to look at`;
  const cure = 'For a rack, give its brokers and boards an "address:". A bench that Adrift makes itself needs none.';
  return { group: "brokers", where: "all", look: () => [unchecked("brokers and boards", what, cure)] };
}

/** Brokers, and the boards over them. */
function lineChecks(
  { bench, version }: RackCheckup,
  found: FoundKeys,
  brokers: readonly BrokerPlace[],
): readonly Check[] {
  const { cluster, timing } = bench;
  const keys = found.kind === "read" ? found.keys : null;
  const ofBrokers = brokers.map(({ name, url, reason }): Check => {
    const where = url === null ? name : `${name} (${url})`;
    const look = async (): Promise<readonly Finding[]> => {
      if (url === null) return [wrong(where, reason, null)];
      if (found.kind === "unusable") return [unchecked(where, "without good keys nobody gets in", "See the keys.")];
      return judgeBroker(where, await probeBroker({ url, cluster, keys }), timing);
    };
    return { group: "brokers", where, look };
  });
  const look = async (): Promise<readonly Finding[]> => {
    if (found.kind === "unusable") return [unchecked("all", "without good keys nobody hears them", "See the keys.")];
    const urls = brokers.flatMap(({ url }) => url ?? []);
    const looks = await probeBoards({ bench, brokers: urls, keys }).catch(() => null);
    if (looks === null)
      return [unchecked("all", "no broker can be reached over which they would answer", "See the brokers.")];
    const cards = looks.some(({ isOnline }) => isOnline === true) ? [cardsUnchecked()] : [];
    const placeOf = (name: string): BoardPlace =>
      bench.boards.some((board) => board.name === name && board.address !== null) ? "service" : "process";
    const ofBoards = looks.flatMap((each) => judgeBoard(each, version, placeOf(each.board)));
    return [...ofBoards, ...judgeCluster(looks), ...cards];
  };
  return [...ofBrokers, { group: "boards", where: "all", look }];
}

/** Those that a run would open: cutters that no cable names are left alone. */
function cutterChecks(bench: Bench, access: DeviceAccess, isRack: boolean): readonly Check[] {
  return bench.cutters.flatMap((cutter): readonly Check[] => {
    const cables = bench.cables.filter((cable) => cable.cutter.name === cutter.name);
    if (cables.length === 0 || (cutter.driver === "virtual" && !isRack)) return [];
    return [{ group: "cutters", where: cutter.name, look: () => checkCutter(cutter, cables, access) }];
  });
}

function powerChecks(bench: Bench, access: DeviceAccess): readonly Check[] {
  return bench.powerSources.flatMap((source): readonly Check[] => {
    const outlets = bench.boards.flatMap(({ name, power }) =>
      power?.name === source.name ? [{ board: name, channel: power.channel }] : [],
    );
    if (outlets.length === 0) return [];
    return [{ group: "power", where: source.name, look: () => checkPower(source, outlets, access) }];
  });
}

/** Each switch that a cutter of the bench manages. */
function switchChecks(bench: Bench, folder: string): readonly Check[] {
  return bench.switches.flatMap(({ name }): readonly Check[] => {
    const management = bench.cutters.find((cutter) => cutter.driver === "switch" && cutter.switch === name);
    if (management?.driver !== "switch") return [];
    const look = async (): Promise<readonly Finding[]> => {
      if (management.protocol === "mikrotik") return [mikrotikUnchecked(name)];
      const ports = await probeSwitch(management, folder).catch(() => null);
      if (ports === null) return [unchecked(name, "it cannot be asked about its ports", "See the cutters.")];
      return judgeSwitch(name, ports, bench);
    };
    return [{ group: "switches", where: name, look }];
  });
}

function mikrotikUnchecked(name: string): Finding {
  const cure =
    'See there, under "Bridge > Ports", that boards\' ports have "edge: yes", and that a port in whose cable relays cut ' +
    "offers 100 Mb/s only.";
  return unchecked(name, "RouterOS is not asked about spanning tree and speed", cure);
}

type Line = { readonly keys: Keys | null; readonly brokers: readonly BrokerPlace[] };

function deviceAccess(
  { bench, folder, ledgerFolder }: RackCheckup,
  line: Line,
): { readonly access: DeviceAccess; release(): Promise<void> } {
  const devices = new Devices(ledgerFolder);
  const hosts = new Map<string, CommandHost>();
  const surroundings = surroundingsOf(bench, folder, hosts, line);
  return {
    access: {
      take: (device) => devices.take(namesOf(device, surroundings)),
      openCutter: (cutter) => openCutter(cutter, surroundings),
      openSource: (source) => openPowerSource(source, surroundings),
      async isLeftCut(cable) {
        const left = await abandoned(await readLedger(ledgerFolder));
        return left.some(({ entry }) => {
          return entry.bench.name === bench.name && entry.what.kind === "cable" && entry.what.cable === cable;
        });
      },
    },
    async release() {
      await devices.release();
      await leaveHosts(hosts.values());
    },
  };
}

function surroundingsOf(
  bench: Bench,
  folder: string,
  hosts: Map<string, CommandHost>,
  { keys, brokers }: Line,
): CutterSurroundings {
  const find = hostsBy((name) => {
    const host = bench.boards.find((board) => board.name === name)?.address ?? null;
    return host === null ? null : { kind: "ssh", host, user: null };
  });
  return {
    bench,
    folder,
    person: nobody,
    hostOf: (name) => {
      const key = JSON.stringify(name);
      const host = hosts.get(key) ?? find(name);
      hosts.set(key, host);
      return host;
    },
    circuitSeen: () => null,
    virtual: null,
    openBrokers: () => {
      const places = brokers.flatMap(({ name, url }) => (url === null ? [] : [{ name, url }]));
      if (places.length === brokers.length) return Promise.resolve(openBrokerCutter({ bench, keys, brokers: places }));
      return Promise.reject(new CutterFailure("It cuts by the brokers, and not all of them have an address."));
    },
  };
}

/** The devices of a cutter or a source, as the ledger names them; none where opening it will say what is missing. */
function namesOf(device: Cutter | PowerSource, surroundings: CutterSurroundings): readonly string[] {
  if (device.driver === "poe" || device.driver === "usb-hub") return [deviceOfSource(device)];
  try {
    const cables = surroundings.bench.cables.filter(({ cutter }) => cutter.name === device.name);
    return [...new Set(cables.flatMap((cable) => devicesOfCable(cable, surroundings)))];
  } catch {
    return [];
  }
}
