/** What can open the cables of a bench, what that costs, and what must stay reachable so that it can be healed. */

import type { Bench, Cable, Cutter, NodeName } from "../../hardware/bench.ts";

/** How a cable is opened: at the cable itself, by the hand of a person, or by rules in software. */
export type Means = "physical" | "hand" | "soft";

/** What is known of a cable that a plan may cut. */
export type Able = {
  readonly means: Means;
  readonly cutter: Cutter;
  /** Whether it can lose one direction alone. */
  readonly cutsOneWay: boolean;
  /** The node that the controller must reach to heal the cable; `null` if no cable leads there, or it heals by itself. */
  readonly healedOver: NodeName | null;
};

/** A cable that nothing opens, and why, as the end of a sentence that begins with the cable. */
export type Unable = { readonly means: null; readonly why: string };

/** What opens a cable of the bench. */
export function meansOf(bench: Bench, cable: Cable): Able | Unable {
  const cutter = bench.cutters.find(({ name }) => name === cable.cutter.name);
  if (cutter === undefined) return unable(`names a cutter that the bench does not have, ${cable.cutter.name}`);
  const able = (means: Means, more: Partial<Able> = {}): Able => ({
    means,
    cutter,
    cutsOneWay: false,
    healedOver: null,
    ...more,
  });
  switch (cutter.driver) {
    case "relay":
    case "usb-relay":
      return able("physical");
    case "switch":
      return isProtected(cable, cutter)
        ? unable(`is plugged into a protected port of ${cutter.switch}`)
        : able("physical", { healedOver: cutter.switch });
    case "gpio":
      return able("physical", { healedOver: machineAt(bench, cutter.host) });
    case "hand":
      return able("hand");
    case "firewall":
      // Its rules run out by themselves, so nobody needs to reach the board to heal the cable.
      return cable.ends.some(({ node }) => isBoard(bench, node))
        ? able("soft", { cutsOneWay: true })
        : unable("leads to no board, and the cutter firewall works on boards");
    case "virtual":
      return isRack(bench)
        ? unable("has no cutter: virtual is none where boards have addresses")
        : able("physical", { cutsOneWay: true });
    case "broker":
      // It takes apart those boards that the cable joins, and its rules run out by themselves too.
      return able("soft", { cutsOneWay: true });
    default:
      return cutter satisfies never;
  }
}

/** The cutter that withholds what boards say to each other, if the bench declares one. */
export function brokerCutter(bench: Bench): Cutter | null {
  return bench.cutters.find(({ driver }) => driver === "broker") ?? null;
}

/** Whether the boards are real ones, which have addresses: then a cable that names no cutter has none. */
export function isRack(bench: Bench): boolean {
  return bench.boards.some(({ address }) => address !== null);
}

function unable(why: string): Unable {
  return { means: null, why };
}

function isProtected(cable: Cable, cutter: Extract<Cutter, { driver: "switch" }>): boolean {
  return cable.ends.some(({ node, port }) => node === cutter.switch && cutter.protectedPorts.includes(port));
}

function isBoard(bench: Bench, node: NodeName): boolean {
  return bench.boards.some(({ name }) => name === node);
}

/** The machine of the bench that has this address; `null` if it is none of them, and no cable of the bench leads there. */
function machineAt(bench: Bench, host: string | null): NodeName | null {
  if (host === null) return null;
  const board = bench.boards.find(({ name, address }) => name === host || address === host);
  const broker = bench.brokers.find(({ name, address }) => name === host || address?.split(":")[0] === host);
  return board?.name ?? broker?.node ?? null;
}
