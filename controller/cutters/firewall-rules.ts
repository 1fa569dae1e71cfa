/** The rules with which nftables cut, and how they are read back. */

import * as z from "zod/mini";
import type { CircuitState } from "./cutter.ts";

/** What an interface of a board loses. */
export type Lost = { readonly incoming: boolean; readonly outgoing: boolean };

/** The interfaces that lose something, on one machine; `isThere`: the table stands there, even if nothing is in it. */
export type CutSets = {
  readonly isThere: boolean;
  readonly incoming: ReadonlySet<string>;
  readonly outgoing: ReadonlySet<string>;
};

/** What the board at one end of a cable has to drop so that the cable is as wanted. */
export function boardsDropping(wanted: CircuitState, isFirstEnd: boolean): Lost {
  switch (wanted) {
    case "whole":
      return { incoming: false, outgoing: false };
    case "both":
      return { incoming: true, outgoing: true };
    case "fromFirstEnd":
      return { incoming: !isFirstEnd, outgoing: isFirstEnd };
    case "fromSecondEnd":
      return { incoming: isFirstEnd, outgoing: !isFirstEnd };
    default:
      return wanted satisfies never;
  }
}

/** What becomes of a cable by what the boards at its ends drop: what one of them drops is lost. */
export function circuitOf(lost: readonly Lost[], places: readonly { readonly isFirstEnd: boolean }[]): CircuitState {
  const isLost = (fromFirstEnd: boolean): boolean =>
    lost.some((each, index) => (places[index]?.isFirstEnd === fromFirstEnd ? each.outgoing : each.incoming));
  const [fromFirst, fromSecond] = [isLost(true), isLost(false)];
  if (fromFirst && fromSecond) return "both";
  if (fromFirst) return "fromFirstEnd";
  return fromSecond ? "fromSecondEnd" : "whole";
}

/**
 * What nft is told, as one transaction: the table if it is not there, and this interface in and out of its sets. An element
 * that is there would keep its old lease, so it is removed first; in one transaction that lets nothing through.
 */
export function ruleset(networkInterface: string, lost: Lost, leaseMs: number): string {
  const element = `"${networkInterface}"`;
  const lines = (set: string, isLost: boolean): readonly string[] => [
    `add element inet adrift ${set} { ${element} }`,
    `delete element inet adrift ${set} { ${element} }`,
    ...(isLost ? [`add element inet adrift ${set} { ${element} timeout ${Math.max(1, Math.round(leaseMs))}ms }`] : []),
  ];
  return [table, ...lines("cut_incoming", lost.incoming), ...lines("cut_outgoing", lost.outgoing), ""].join("\n");
}

/** Takes the whole table away. */
export const emptyRuleset = "delete table inet adrift\n";

/** The sets as `nft -j list ruleset` tells them; `null` if this is not what nft says. */
export function parseSets(json: string): CutSets | null {
  const listing = parseListing(json);
  if (listing === null) return null;
  const elementsOf = (name: string): ReadonlySet<string> => {
    const sets = listing.nftables.flatMap(({ set }) => (set === undefined ? [] : [set]));
    const found = sets.find((set) => set.table === "adrift" && set.family === "inet" && set.name === name);
    const elements = elementsSchema.safeParse(found?.elem ?? []);
    if (!elements.success) return new Set();
    return new Set(elements.data.map((element) => (typeof element === "string" ? element : element.elem.val)));
  };
  const isThere = listing.nftables.some(({ table: each }) => each?.name === "adrift" && each.family === "inet");
  return { isThere, incoming: elementsOf("cut_incoming"), outgoing: elementsOf("cut_outgoing") };
}

/**
 * Before connections are tracked and after everything else, so that nothing gets by. The chains are flushed and written
 * anew each time, because a table that is there may be of an older version.
 */
const table = `
add table inet adrift
add set inet adrift cut_incoming { type ifname; flags timeout; }
add set inet adrift cut_outgoing { type ifname; flags timeout; }
add set inet adrift controllers4 { type ipv4_addr . inet_service; }
add set inet adrift controllers6 { type ipv6_addr . inet_service; }
add chain inet adrift incoming { type filter hook prerouting priority -350; policy accept; }
add chain inet adrift outgoing { type filter hook postrouting priority 350; policy accept; }
flush chain inet adrift incoming
flush chain inet adrift outgoing
add rule inet adrift incoming iifname != @cut_incoming accept
add rule inet adrift incoming ip saddr . tcp dport @controllers4 accept
add rule inet adrift incoming ip6 saddr . tcp dport @controllers6 accept
add rule inet adrift incoming icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
add rule inet adrift incoming drop
add rule inet adrift outgoing oifname != @cut_outgoing accept
add rule inet adrift outgoing ip daddr . tcp sport @controllers4 accept
add rule inet adrift outgoing ip6 daddr . tcp sport @controllers6 accept
add rule inet adrift outgoing icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
add rule inet adrift outgoing drop`;

function parseListing(json: string): z.output<typeof listingSchema> | null {
  try {
    const listing = listingSchema.safeParse(JSON.parse(json));
    return listing.success ? listing.data : null;
  } catch {
    return null;
  }
}

const listingSchema = z.object({
  nftables: z.array(
    z.object({
      table: z.optional(z.object({ family: z.string(), name: z.string() })),
      set: z.optional(
        z.object({ family: z.string(), table: z.string(), name: z.string(), elem: z.optional(z.unknown()) }),
      ),
    }),
  ),
});
/** With a timeout an element is an object of its own. */
const elementsSchema = z.array(z.union([z.string(), z.object({ elem: z.object({ val: z.string() }) })]));
