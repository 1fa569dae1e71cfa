/** The cables of a bench: those that the file lists, and one of its own for each machine that has none. */

import type { Host, Placed } from "./entries.ts";
import { repeated } from "./entries.ts";
import type { Broker, Cable, CableCutter, Port, Switch } from "./model.ts";
import type { BenchFile } from "./schema.ts";
import { unknownName } from "./suggestion.ts";
import type { Path, Problems } from "./yaml-file.ts";

/** What the cables find on the table. */
export type CableSurroundings = {
  readonly hosts: readonly Host[];
  /** The switches, and the labels of their ports where they are declared. */
  readonly switches: readonly { readonly name: string; readonly ports: readonly string[] | null }[];
  readonly brokers: readonly Broker[];
};

type Cabling = { readonly cables: readonly Placed<Cable>[]; readonly switches: readonly Switch[] };

/** The interface of a board or a broker's machine when the file names none: what Raspberry Pi OS calls its socket. */
const hostPort = "eth0";
const speedMbpsDefault = 100;

/** The cables, first those of single machines, and the switches with the ports that cables use. */
export function resolveCables(file: BenchFile, surroundings: CableSurroundings, problems: Problems): Cabling {
  const defaultCutter = parseCutter(file.cutter ?? "virtual");
  const listed = (file.cables ?? []).map(({ name, ends, cutter, speedMbps }, position): Placed<Cable> => {
    const path: Path = ["cables", position];
    const end = (which: number) => resolvePlug(ends[which] ?? "", [...path, "ends", which], surroundings, problems);
    return {
      path,
      entry: {
        name,
        ends: [end(0), end(1)],
        cutter: cutter === undefined ? defaultCutter : parseCutter(cutter),
        speedMbps: speedMbps ?? speedMbpsDefault,
      },
    };
  });
  const taken = checkPorts(listed, problems);

  const own: Placed<Cable>[] = [];
  for (const host of surroundings.hosts) {
    const needed = needsOwnCable(host, listed, problems);
    const far = needed ? freePort(host, surroundings, taken, problems) : null;
    if (far === null) continue;
    const ends: Cable["ends"] = [{ node: host.name, port: hostPort }, far];
    const entry = { name: host.name, ends, cutter: defaultCutter, speedMbps: speedMbpsDefault };
    own.push({ entry, path: host.path });
  }

  const cables = [...own, ...listed];
  checkCableNames(own, listed, surroundings, problems);
  return {
    cables,
    switches: surroundings.switches.map(({ name, ports }) => ({ name, ports: ports ?? used(name, taken) })),
  };
}

/** `relays:2` is channel 2 of the cutter `relays`. */
function parseCutter(text: string): CableCutter {
  const [name = "", channel = null] = text.split(":");
  return { name, channel };
}

function resolvePlug(text: string, path: Path, surroundings: CableSurroundings, problems: Problems): Port {
  const colon = text.indexOf(":");
  const node = colon < 0 ? text : text.slice(0, colon);
  const label = colon < 0 ? null : text.slice(colon + 1);

  const board = surroundings.brokers.find((broker) => broker.name === node && broker.node !== node)?.node;
  const ports = surroundings.switches.find((each) => each.name === node)?.ports;
  const nodes = [...surroundings.hosts, ...surroundings.switches].map((each) => each.name);
  if (board !== undefined) {
    problems.add(path, `${node} runs on ${board} and has no socket of its own: plug the cable into ${board}.`);
  } else if (!nodes.includes(node)) {
    problems.add(path, `The cable's end: ${unknownName("board, broker or switch", node, nodes)}`);
  } else if (ports !== undefined && label === null) {
    problems.add(path, `${node} has several ports: say which, as in "${node}:${ports?.[0] ?? 1}".`);
  } else if (label !== null && ports && !ports.includes(label)) {
    problems.add(path, `${node} has no port "${label}"; its ports are ${listText(ports)}.`);
  }
  return { node, port: label ?? hostPort };
}

/** The ports that the listed cables take, as `node:port`; complains of two in one. */
function checkPorts(cables: readonly Placed<Cable>[], problems: Problems): Set<string> {
  const taken = new Map<string, string>();
  for (const { entry, path } of cables) {
    const [one, other] = entry.ends;
    if (one.node === other.node) {
      problems.add(
        [...path, "ends"],
        `Both ends of ${entry.name} are plugged into ${one.node}: it would join nothing.`,
      );
      continue;
    }
    for (const [which, end] of entry.ends.entries()) {
      const first = taken.get(portName(end));
      if (first !== undefined) {
        const message = `The port ${portName(end)} is taken by the cable ${first}; it cannot hold ${entry.name} as well.`;
        problems.add([...path, "ends", which], message);
      }
      taken.set(portName(end), entry.name);
    }
  }
  return new Set(taken.keys());
}

/** Whether a machine gets a cable of its own: no listed cable is plugged in there. */
function needsOwnCable(host: Host, listed: readonly Placed<Cable>[], problems: Problems): boolean {
  const existing = listed.find(({ entry }) => entry.ends.some((end) => end.node === host.name));
  if (existing === undefined) return true;
  if (host.switch !== undefined) {
    const message = `${host.name} has the cable ${existing.entry.name} already: leave out "switch", or that cable.`;
    problems.add([...host.path, "switch"], message);
  }
  return false;
}

/** Finds the port for a machine's own cable, and takes it. */
function freePort(host: Host, surroundings: CableSurroundings, taken: Set<string>, problems: Problems): Port | null {
  const { switches } = surroundings;
  const names = switches.map((each) => each.name);
  if (host.switch === undefined && switches.length > 1) {
    const message = `Where is ${host.name} plugged in? Write "switch:" and one of ${names.join(", ")}, or list its cable.`;
    problems.add(host.path, message);
    return null;
  }
  const target = host.switch === undefined ? switches[0] : switches.find((each) => each.name === host.switch);
  if (target === undefined) {
    problems.add([...host.path, "switch"], `${host.name}: ${unknownName("switch", host.switch ?? "", names)}`);
    return null;
  }
  const port = target.ports === null ? lowestFree(target.name, taken) : firstFree(target.name, target.ports, taken);
  if (port === null) {
    const message = `All ports of ${target.name} (${listText(target.ports ?? [])}) are taken: ${host.name} has nowhere to go.`;
    problems.add(host.path, message);
    return null;
  }
  taken.add(portName(port));
  return port;
}

function firstFree(node: string, ports: readonly string[], taken: ReadonlySet<string>): Port | null {
  const label = ports.find((each) => !taken.has(portName({ node, port: each })));
  return label === undefined ? null : { node, port: label };
}

function lowestFree(node: string, taken: ReadonlySet<string>): Port {
  let number = 1;
  while (taken.has(portName({ node, port: String(number) }))) number += 1;
  return { node, port: String(number) };
}

function checkCableNames(
  own: readonly Placed<Cable>[],
  listed: readonly Placed<Cable>[],
  surroundings: CableSurroundings,
  problems: Problems,
): void {
  // Of the machines' own cables none is reported: two of one name are two machines of one name, told elsewhere.
  for (const cable of repeated([...own, ...listed]).filter((each) => listed.includes(each))) {
    const message = `There are two cables called "${cable.entry.name}"; each needs a name of its own.`;
    problems.add([...cable.path, "name"], message);
  }
  const nodes = [...surroundings.hosts, ...surroundings.switches].map((each) => each.name);
  for (const { entry, path } of listed) {
    if (!nodes.includes(entry.name) || entry.ends.some((end) => end.node === entry.name)) continue;
    const message = `The cable "${entry.name}" is called like a machine into which it is not plugged: nobody would expect it.`;
    problems.add([...path, "name"], message);
  }
}

function portName({ node, port }: Port): string {
  return `${node}:${port}`;
}

/** The labels of a switch's ports that cables use. */
function used(node: string, taken: ReadonlySet<string>): readonly string[] {
  return [...taken].filter((each) => each.startsWith(`${node}:`)).map((each) => each.slice(node.length + 1));
}

/** `1, 2, 3 … 24` */
function listText(labels: readonly string[]): string {
  return labels.length <= 8 ? labels.join(", ") : `${labels.slice(0, 3).join(", ")} … ${labels.at(-1)}`;
}
