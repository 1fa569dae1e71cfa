/** Why a wish cannot be fulfilled on a bench: what ties the boards together, in words for the person at the table. */

import { type Bench, reachability } from "../../hardware/bench.ts";
import { listed } from "../report/words.ts";
import { type Demand, demandOf, type Separation, type Wish } from "./plan-demand.ts";
import type { Pair } from "./plan-search.ts";
import { namesOf, solveWith, whyNotAll } from "./plan-solve.ts";
import { wiringOf } from "./plan-wiring.ts";

/** Whole sentences. */
export function explain(wish: Wish, bench: Bench): readonly string[] {
  if (wish.kind === "cut") return whyNotAll(wish.cables, bench).map(({ cable, why }) => `The cable ${cable} ${why}.`);
  const demand = demandOf(wish, bench);
  return [
    ...sharedInbox(wish, bench),
    ...droppedPackets(wish, bench),
    ...(tiedPair(demand, bench) ?? tooMuchAtOnce(demand, bench)),
  ];
}

/** The sides of a split that talk among themselves over one broker: the most common reason, and the easiest to see. */
function sharedInbox(wish: Separation, bench: Bench): readonly string[] {
  if (wish.kind === "one-way") return [];
  const names = bench.boards.map(({ name }) => name);
  const groups =
    wish.kind === "split" ? wish.groups : [wish.boards, names.filter((name) => !wish.boards.includes(name))];
  const inboxOf = new Map(bench.boards.map(({ name, inbox }) => [name, inbox]));
  for (const { name: inbox } of bench.brokers) {
    const sides = groups
      .map((group) => group.filter((board) => inboxOf.get(board) === inbox))
      .filter((side) => side.length > 1);
    if (sides.length < 2) continue;
    const sentence =
      `One broker, ${inbox}, serves ${sides.map(listed).join(" as well as ")}. It can stand on one side only: ` +
      "the boards of another side would be alone, each by itself.";
    return [sentence];
  }
  return [];
}

/** Whoever has firewalls will wonder why they cannot do this. */
function droppedPackets(wish: Separation, { cables, cutters }: Bench): readonly string[] {
  const hasFirewall = cables.some(({ cutter }) =>
    cutters.some(({ name, driver }) => name === cutter.name && driver === "firewall"),
  );
  if (wish.kind !== "one-way" || !hasFirewall) return [];
  return [
    "Firewalls can drop packets one way, and that is not enough: what one board says to another goes over connections to a " +
      "broker, which end when no acknowledgement comes back, and then nothing is heard in either direction.",
  ];
}

/** The first pair of boards of whose way no cable can be cut, and for each of these cables why not. */
function tiedPair(demand: Demand, bench: Bench): readonly string[] | null {
  for (const pair of demand.apart) {
    const { nodes, cables } = walk(pair, bench);
    const reasons = cables.map((cable) => whyKept(cable, demand, bench));
    if (reasons.some((reason) => reason === null)) continue;
    const { from, to } = namesOf(pair, bench);
    const inbox = bench.boards.find(({ name }) => name === to)?.inbox;
    return [
      `What ${from} says to ${to} goes by way of ${inbox}, the inbox of ${to}: ${nodes.join(" – ")}. No cable on it may be cut.`,
      ...new Set(reasons.filter((reason) => reason !== null)),
    ];
  }
  return null;
}

/** Each way could be closed alone, but not all of them together. */
function tooMuchAtOnce(demand: Demand, bench: Bench): readonly string[] {
  const parted = solveWith({ ...demand, together: [] }, bench, "all");
  if (parted === null || parted === "unknown") {
    return [
      "There are several ways between these boards; not all of them have a cutter that can open them, and be healed again.",
    ];
  }
  const { hears } = reachability(bench, { cutCables: new Set(parted.cables), downNodes: new Set() });
  const lost = demand.together.map((pair) => namesOf(pair, bench)).filter(({ from, to }) => !hears(to, from));
  const some = lost.slice(0, 2).map(({ from, to }) => `${to} would not hear ${from}`);
  return [
    `To part these boards at least ${listed(parted.cables)} would have to be cut. But then ${listed(some)}` +
      `${lost.length > some.length ? `, and ${lost.length - some.length} more pairs would be parted that should not` : ""}.`,
  ];
}

/** Why the cables between two nodes cannot be cut, as a sentence; `null` if they can. */
function whyKept(cables: readonly string[], demand: Demand, bench: Bench): string | null {
  const [first = ""] = cables;
  const the = cables.length === 1 ? `The cable ${first}` : `Of the cables ${listed(cables)}, ${first}`;
  const { hears } = reachability(bench, { cutCables: new Set(cables), downNodes: new Set() });
  const torn = demand.together.map((pair) => namesOf(pair, bench)).find(({ from, to }) => !hears(to, from));
  if (torn !== undefined) {
    const whole = cables.length === 1 ? "must stay whole" : "and the others cannot all be cut";
    return `${the} ${whole}: else ${torn.to} would not hear ${torn.from} any more.`;
  }
  const [unable] = whyNotAll(cables, bench);
  return unable === undefined ? null : `The cable ${unable.cable} ${unable.why}.`;
}

/** A shortest way of what one board says to the other: the nodes, and for each step the cables that lie there. */
function walk({ listener, speaker }: Pair, bench: Bench) {
  const wiring = wiringOf(bench);
  const inbox = wiring.inboxOf[listener] ?? -1;
  const there = way(wiring.switchCount + speaker, inbox);
  const back = way(inbox, wiring.switchCount + listener);
  const nodes = [wiring.switchCount + speaker, ...[...there, ...back].map(({ to }) => to)];
  const cables = [...there, ...back].map(({ bundle }) =>
    (wiring.bundles[bundle]?.cables ?? []).map((cable) => bench.cables[cable]?.name ?? ""),
  );
  return { nodes: nodes.map((node) => wiring.names[node] ?? ""), cables };

  function way(from: number, to: number) {
    const arrivals = new Map<number, { readonly bundle: number; readonly from: number } | null>([[from, null]]);
    for (const node of arrivals.keys()) {
      if (node !== from && node >= wiring.switchCount) continue;
      for (const step of wiring.waysFrom[node] ?? []) {
        if (!arrivals.has(step.to)) arrivals.set(step.to, { bundle: step.bundle, from: node });
      }
    }
    const steps: { readonly bundle: number; readonly to: number }[] = [];
    for (let node = to, arrival = arrivals.get(to); arrival; node = arrival.from, arrival = arrivals.get(node)) {
      steps.unshift({ bundle: arrival.bundle, to: node });
    }
    return steps;
  }
}
