/** What would allow a wish that cannot be fulfilled: changes of the bench, each planned on the bench changed so. */

import { type Bench, type Cable, type NodeName, reachability } from "../../hardware/bench.ts";
import { listed } from "../report/words.ts";
import type { Separation, Wish } from "./plan-demand.ts";
import { brokerCutter, meansOf } from "./plan-means.ts";
import { solve } from "./plan-solve.ts";

/** A change in words, and the bench as it would be. */
type Change = { readonly text: string; readonly bench: Bench };

/** Whole sentences, the smallest change first. */
export function suggest(wish: Wish, bench: Bench): readonly string[] {
  const layouts =
    wish.kind === "cut" ? [controllerEverywhere] : [controllerEverywhere, brokerPerSwitch, brokerPerBoard];
  const found = [...withCutters(wish, { text: "", bench })];
  for (const change of layouts) {
    const changed = change(bench);
    if (changed === null || !hearsAsBefore(changed.bench, bench)) continue;
    if (isPossible(wish, changed.bench)) found.push(changed);
    else if (found.length === 0) found.push(...withCutters(wish, changed));
  }
  if (wish.kind !== "cut") {
    // Whoever can part the boards as the bench is wired need not be told to wire it anew.
    const rewired = found.length === 0 ? switchPerGroup(wish, bench) : null;
    if (rewired !== null && isPossible(wish, rewired.bench)) found.push(rewired);
    const withholding = withBroker(bench);
    if (withholding !== null && isPossible(wish, withholding.bench)) found.push(withholding);
  }
  return [...new Set(found.map(({ text }) => text))];
}

function isPossible(wish: Wish, bench: Bench): boolean {
  const solution = solve(wish, bench);
  return solution !== null && solution !== "unknown";
}

function hearsAsBefore(bench: Bench, before: Bench): boolean {
  const whole = { cutCables: new Set<string>(), downNodes: new Set<string>() };
  const [now, then] = [reachability(bench, whole), reachability(before, whole)];
  return before.boards.every(({ name }) => then.boardsThatHear(name).every((listener) => now.hears(listener, name)));
}

/** Cutters for those cables that have none that is able, as few as do. */
function withCutters(wish: Wish, { text, bench }: Change): readonly Change[] {
  const isUnable = (cable: Cable) => meansOf(bench, cable).means === null;
  const solution = solve(
    wish,
    withHands(
      bench,
      bench.cables.filter(isUnable).map(({ name }) => name),
    ),
  );
  if (solution === null || solution === "unknown") return [];
  const needed = bench.cables.filter((cable) => solution.cables.includes(cable.name) && isUnable(cable));
  const names = needed.map(({ name }) => name);
  const changed = withHands(bench, names);
  if (names.length === 0 || !isPossible(wish, changed)) return [];
  const [cables, them] = names.length === 1 ? ["cable", "it"] : ["cables", "them"];
  const sentence = `Give the ${cables} ${listed(names)} a cutter that can open ${them}; "cutter: hand" is a person who pulls ${them}.`;
  return [{ text: text === "" ? sentence : `${text} ${sentence}`, bench: changed }];
}

function withHands(bench: Bench, cables: readonly string[]): Bench {
  const hand = bench.cutters.find(({ driver }) => driver === "hand") ?? { name: "hand", driver: "hand" as const };
  return {
    ...bench,
    cutters: bench.cutters.includes(hand) ? bench.cutters : [...bench.cutters, hand],
    cables: bench.cables.map((cable) =>
      cables.includes(cable.name) ? { ...cable, cutter: { name: hand.name, channel: null } } : cable,
    ),
  };
}

/** Only worth a word where ports of a switch are closed over cables that are cut themselves. */
function controllerEverywhere(bench: Bench): Change | null {
  const plugged = bench.controller.switches;
  const missing = bench.cutters.flatMap((cutter) =>
    cutter.driver === "switch" && !plugged.includes(cutter.switch) ? [cutter.switch] : [],
  );
  if (missing.length === 0) return null;
  const text = `Plug the controller's laptop into ${listed(missing)} too, and say so under "controller": whatever is cut then, it can open the ports again.`;
  return { text, bench: { ...bench, controller: { switches: [...plugged, ...missing] } } };
}

function brokerPerSwitch(bench: Bench): Change | null {
  if (bench.switches.length < 2) return null;
  const sides = bench.switches.map(({ name }) => ({ name, broker: `broker-on-${name}` }));
  const switchOf = (board: NodeName) =>
    bench.cables
      .filter(({ ends }) => ends.some(({ node }) => node === board))
      .flatMap(({ ends }) => ends.map(({ node }) => node))
      .find((node) => sides.some(({ name }) => name === node));
  const used = sides.filter(({ name }) => bench.boards.some((board) => switchOf(board.name) === name));
  return {
    text: `Put a broker on each of ${listed(used.map(({ name }) => name))}, and let each board listen on the one of its own switch.`,
    bench: {
      ...bench,
      boards: bench.boards.map((board) => {
        const side = used.find(({ name }) => name === switchOf(board.name));
        return side === undefined ? board : { ...board, inbox: side.broker };
      }),
      brokers: [...bench.brokers, ...used.map(({ broker }) => ({ name: broker, node: broker, address: null }))],
      cables: [...bench.cables, ...used.map(({ name, broker }) => newCable(broker, broker, name))],
    },
  };
}

function brokerPerBoard(bench: Bench): Change | null {
  if (
    bench.boards.every(({ name, inbox }) => bench.brokers.some((each) => each.name === inbox && each.node === name))
  ) {
    return null;
  }
  const own = bench.boards.map(({ name }) => ({ name: `broker-on-${name}`, node: name, address: null }));
  return {
    text: "Run a broker on every board, and let each board listen on its own.",
    bench: {
      ...bench,
      boards: bench.boards.map((board) => ({ ...board, inbox: `broker-on-${board.name}` })),
      brokers: [...bench.brokers, ...own],
    },
  };
}

/** A switch and a broker for each group of several boards, joined to the others by one cable. */
function switchPerGroup(wish: Separation, bench: Bench): Change | null {
  const [first] = bench.switches;
  if (wish.kind === "one-way" || first === undefined) return null;
  const others = bench.boards
    .map(({ name }) => name)
    .filter((name) => wish.kind === "isolate" && !wish.boards.includes(name));
  const groups = (wish.kind === "split" ? wish.groups : [wish.boards, others]).toSorted((a, b) => b.length - a.length);
  const moved = groups.slice(1).filter((group) => group.length > 1);
  if (moved.length === 0) return null;
  const texts = moved.map((group, number) => {
    const to = number === 0 ? first.name : "it as well";
    return `Plug ${listed(group)} into a switch of their own, with a broker there on which they listen, and join it to ${to} by one cable that has a cutter.`;
  });
  return { text: texts.join(" "), bench: moved.reduce((changed, group) => move(group, first.name, changed), bench) };
}

function move(group: readonly NodeName[], first: NodeName, bench: Bench): Bench {
  const name = `switch-of-${group[0] ?? ""}`;
  const broker = `broker-of-${group[0] ?? ""}`;
  const stays = bench.cables.filter(({ ends }) => !ends.some(({ node }) => group.includes(node)));
  return withHands(
    {
      ...bench,
      boards: bench.boards.map((board) => (group.includes(board.name) ? { ...board, inbox: broker } : board)),
      brokers: [...bench.brokers, { name: broker, node: broker, address: null }],
      switches: [...bench.switches, { name, ports: [] }],
      cables: [
        ...stays,
        ...[...group, broker].map((node) => newCable(node, node, name)),
        newCable(`trunk-${name}`, first, name),
      ],
      controller: { switches: [...bench.controller.switches, name] },
    },
    [`trunk-${name}`],
  );
}

function withBroker(bench: Bench): Change | null {
  if (brokerCutter(bench) !== null) return null;
  const text =
    'Declare the cutter broker ("cutters: [{ name: broker, driver: broker }]") and let Adrift\'s own broker run ' +
    '("npx adrift broker"): it withholds what boards say to each other, which no cable can.';
  return { text, bench: { ...bench, cutters: [...bench.cutters, { name: "broker", driver: "broker" }] } };
}

function newCable(name: string, from: NodeName, to: NodeName): Cable {
  const ends: Cable["ends"] = [
    { node: from, port: "eth0" },
    { node: to, port: name },
  ];
  return { name, ends, cutter: { name: "virtual", channel: null }, speedMbps: 100 };
}
