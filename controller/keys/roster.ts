/** Who on a bench needs a key, and under which name. */

import { isIP } from "node:net";
import { clientNamePattern, controllerName } from "../../device/transport/topics.ts";
import type { Bench } from "../../hardware/bench.ts";
import type { Subject } from "./certificates.ts";
import { KeyError } from "./key-error.ts";

/** In a folder of keys the authority's files are called like those of anybody else, so nobody else has this name. */
export const authorityFile = "authority";

/** What a person adds to what the bench says. */
export type RosterSettings = {
  readonly clients: readonly string[];
  /** Names and addresses under which boards and brokers are reached, beside their own. */
  readonly hosts: readonly string[];
};

/**
 * Everybody who gets a certificate: each board, each broker with a machine of its own, the controller, the clients.
 *
 * @throws KeyError if two would have the same name, or a name, a host or an address cannot stand in a certificate.
 */
export function rosterOf(bench: Bench, { clients, hosts }: RosterSettings): readonly Subject[] {
  for (const host of hosts) checkHost(host);
  const taken = new Map([[authorityFile, "the authority"]]);
  for (const client of clients) checkClientName(client);

  const boards = bench.boards.map(({ name }) => name);
  const brokers = bench.brokers.filter(({ name, node }) => name === node).map(({ name }) => name);
  const carriers = new Set(bench.brokers.map(({ node }) => node));
  const placesOf = (name: string): readonly string[] => {
    const own = ["localhost", name, `${name}.local`, "127.0.0.1", "::1"];
    return [...new Set([...own, ...addressesOf(bench, name), ...hosts])];
  };
  const named = [
    ...boards.map((name) => ({ name, what: `the board ${name}` })),
    ...brokers.map((name) => ({ name, what: `the broker ${name}` })),
    { name: controllerName, what: "the controller" },
    ...clients.map((name) => ({ name, what: `a client ${name}` })),
  ];
  for (const { name, what } of named) {
    // Files of names that differ only in capitals are one file where people's laptops say so.
    const already = taken.get(name.toLowerCase());
    if (already !== undefined) {
      throw new KeyError(`${what} cannot have a key under its name: ${already} has it. Choose another name.`);
    }
    taken.set(name.toLowerCase(), what);
  }
  return named.map(({ name }) => ({ name, servesAt: carriers.has(name) ? placesOf(name) : null }));
}

/** Where the bench says that a machine with a broker is, without ports. */
function addressesOf({ boards, brokers }: Bench, name: string): readonly string[] {
  const services = brokers.filter(({ node }) => node === name).map(({ address }) => address);
  const board = boards.find((each) => each.name === name)?.address ?? null;
  const hosts = [...services, board].flatMap((address) => (address === null ? [] : [hostOf(address)]));
  for (const host of hosts) checkHost(host);
  return hosts;
}

/** The host of `host` or `host:port`; an IPv6 address with a port stands in brackets. */
export function hostOf(address: string): string {
  const [, bracketed, plain] = /^(?:\[([^\]]+)\](?::[0-9]+)?|([^:]+):[0-9]+)$/.exec(address) ?? [];
  return bracketed ?? plain ?? address;
}

function checkClientName(name: string): void {
  if (clientNamePattern.test(name) && !/\.key$/i.test(name)) return;
  throw new KeyError(
    `"${name}" cannot be the name of a client: letters, digits, dots, dashes and underscores, a letter or digit ` +
      'first, at most 64 characters, and not ending in ".key".',
  );
}

const dnsName =
  /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/;

function checkHost(host: string): void {
  if (isIP(host) !== 0 || (dnsName.test(host) && !/^[\d.]+$/.test(host))) return;
  throw new KeyError(
    `"${host}" is neither an address, such as 192.168.1.20, nor a name, such as rack.example.org: it cannot stand in a certificate.`,
  );
}
