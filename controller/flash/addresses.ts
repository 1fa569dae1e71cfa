/** Whether the addresses of a bench can work on one network: on cards they are wrong until somebody writes them again. */

import { isIP, isIPv4 } from "node:net";
import type { Bench, NodeName } from "../../hardware/bench.ts";
import { hostOf } from "../keys/roster.ts";
import { CardFailure } from "./card-failure.ts";

type Place = { readonly node: NodeName; readonly what: string; readonly host: string };

/** Looks at all of them. @throws {CardFailure} at the first that cannot be */
export function checkAddresses(bench: Bench): void {
  const boards = bench.boards.flatMap(({ name, address }): readonly Place[] =>
    address === null ? [] : [{ node: name, what: `the board ${name}`, host: address }],
  );
  const brokers = bench.brokers.flatMap(({ name, node, address }): readonly Place[] => {
    const place = address === null ? bench.boards.find((board) => board.name === node)?.address : hostOf(address);
    return typeof place === "string" ? [{ node, what: `the broker ${name}`, host: place }] : [];
  });
  for (const place of [...boards, ...brokers]) checkAddress(place);
  checkShared(boards, brokers);
  for (const board of boards) for (const broker of brokers) checkReach(board, broker);
}

function checkAddress({ what, host }: Place): void {
  const isNumeric = /^[\d.]+$/.test(host) || host.includes(":");
  if (isNumeric && isIP(host) === 0) throw wrong(`${what} has the address ${host}, which is no IP address`);
  if (isIPv4(host) && /\.(0|255)$/.test(host)) {
    throw wrong(`${what} has the address ${host}, which stands for its whole network`);
  }
}

function checkShared(boards: readonly Place[], brokers: readonly Place[]): void {
  for (const [at, one] of boards.entries()) {
    const others = [...boards.slice(0, at), ...brokers.filter(({ node }) => node !== one.node)];
    const other = others.find(({ host }) => host.toLowerCase() === one.host.toLowerCase());
    if (other === undefined) continue;
    throw wrong(`${one.what} and ${other.what} have the same address, ${one.host}`);
  }
}

/** A board with a fixed address has no gateway: it reaches its own network of 256 addresses, and nothing else. */
function checkReach(board: Place, broker: Place): void {
  if (board.node === broker.node || !isIPv4(board.host) || !isIPv4(broker.host)) return;
  if (networkOf(board.host) === networkOf(broker.host)) return;
  throw wrong(
    `${board.what} at ${board.host} cannot reach ${broker.what} at ${broker.host}: a board with a fixed address has no gateway, ` +
      `only the network ${networkOf(board.host)}.x`,
  );
}

function networkOf(address: string): string {
  return address.slice(0, address.lastIndexOf("."));
}

function wrong(what: string): CardFailure {
  return new CardFailure(`In the bench's file ${what}. Change it there, and run "adrift init" again.`);
}
