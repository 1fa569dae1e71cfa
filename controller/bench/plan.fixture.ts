/** Random benches for the planner's tests, and a second opinion on its plans: plain searches, written without it. */

import fc from "fast-check";
import { type Bench, type Cable, type Cutter, parseBench } from "../../hardware/bench.ts";
import type { Plan, Wish } from "./plan.ts";

/** A bench and a wish for it. */
export type Case = { readonly bench: Bench; readonly wish: Exclude<Wish, { kind: "cut" }> };

/** What a way costs, in the order of importance: soft at all, people, soft steps, pairs, cables, places in the list. */
export type Cost = readonly number[];

const brokers: Cutter = { name: "broker", driver: "broker" };
const cutters: readonly Cutter[] = [
  { name: "relays", driver: "relay", serialPort: "/dev/ttyACM0", firmware: "adrift" },
  { name: "usb", driver: "usb-relay", serialPort: "/dev/ttyUSB0" },
  { name: "hand", driver: "hand" },
  { name: "firewall", driver: "firewall", user: null },
  { name: "virtual", driver: "virtual" },
  { name: "chip", driver: "gpio", chip: "pinctrl-rp1", activeLow: false, host: "192.168.7.11" },
  ...["s0", "s1", "s2"].map((name) => ({
    name: `port-${name}`,
    driver: "switch" as const,
    switch: name,
    protectedPorts: ["1"],
    protocol: "snmp-v3" as const,
    address: "192.168.7.2",
    user: "adrift",
    passwordFile: "password",
  })),
];

const template = parseBench("boards: 2", "template.yaml");

/** Benches of up to `boardsMax` boards, three switches and `cablesMax` cables, sensible or not, and a wish for each. */
export function arbitraryCase(boardsMax: number, cablesMax: number): fc.Arbitrary<Case> {
  return fc
    .record({
      boardCount: fc.integer({ min: 2, max: boardsMax }),
      switchCount: fc.integer({ min: 1, max: 3 }),
      machineCount: fc.integer({ min: 0, max: 2 }),
      draws: fc.array(fc.nat(1_000_000), { minLength: 120, maxLength: 120 }),
      extraCables: fc.nat(Math.max(0, cablesMax - boardsMax - 2)),
    })
    .map(({ boardCount, switchCount, machineCount, draws, extraCables }) => {
      const drawn = draws[Symbol.iterator]();
      const below = (bound: number) => (drawn.next().value ?? 0) % bound;
      const pick = <Item>(items: readonly [Item, ...Item[]]): Item => items[below(items.length)] ?? items[0];
      return drawCase({ boardCount, switchCount, machineCount, extraCables }, below, pick);
    });
}

type Sizes = { boardCount: number; switchCount: number; machineCount: number; extraCables: number };
type Pick = <Item>(items: readonly [Item, ...Item[]]) => Item;

function drawCase(sizes: Sizes, below: (bound: number) => number, pick: Pick): Case {
  const names = (letter: string, count: number) => Array.from({ length: count }, (_, number) => `${letter}${number}`);
  const [boards, switches, machines] = [
    names("b", sizes.boardCount),
    names("s", sizes.switchCount),
    names("q", sizes.machineCount),
  ];
  const declared = machines.map((name) => ({ name, node: name, address: null }));
  for (const board of boards) if (declared.length === 0 || below(3) === 0) declared.push(brokerOn(board));
  const inboxes = asFilled(declared.map(({ name }) => name));

  const cables: Cable[] = [];
  const sometimes = below(3);
  const join = (one: string, other: string) => {
    const name =
      sometimes === 0
        ? pick(["relays", "usb", "virtual"])
        : pick(asFilled([...cutters, brokers].map((each) => each.name)));
    const isOut = name.startsWith("port-") && ![one, other].includes(name.slice("port-".length));
    cables.push({
      name: `c${cables.length}`,
      ends: [
        { node: one, port: String(1 + below(6)) },
        { node: other, port: String(1 + below(6)) },
      ],
      cutter: { name: isOut ? "relays" : name, channel: null },
      speedMbps: 100,
    });
  };
  const aSwitch = () => pick(asFilled(switches));
  for (const machine of [...boards, ...machines]) join(machine, aSwitch());
  const everything = asFilled([...switches, ...boards, ...machines]);
  for (let left = sizes.extraCables; left > 0; left -= 1) {
    if (below(2) === 0) join(aSwitch(), aSwitch());
    else join(pick(everything), pick(everything));
  }
  const hasBroker = below(3) === 0 || cables.some(({ cutter }) => cutter.name === "broker");
  const isRack = below(3) === 0;
  return {
    bench: {
      ...template,
      boards: boards.map((name, number) => ({
        name,
        inbox: pick(inboxes),
        address: isRack ? `192.168.7.1${number}` : null,
        power: null,
        console: null,
      })),
      brokers: declared,
      switches: switches.map((name) => ({ name, ports: [] })),
      cables,
      cutters: hasBroker ? [...cutters, brokers] : cutters,
      controller: { switches: switches.filter(() => below(2) === 0) },
    },
    wish: drawWish(boards, below),
  };
}

function brokerOn(board: string) {
  return { name: `q-${board}`, node: board, address: null };
}

function asFilled<Item>(items: readonly Item[]): readonly [Item, ...Item[]] {
  const [first, ...others] = items;
  if (first === undefined) throw new Error("An empty list was to be picked from.");
  return [first, ...others];
}

function drawWish(boards: readonly string[], below: (bound: number) => number): Case["wish"] {
  const some = () => boards.filter(() => below(2) === 0);
  switch (below(4)) {
    case 0:
      return { kind: "isolate", boards: [boards[below(boards.length)] ?? ""] };
    case 1:
      return { kind: "one-way", from: some(), to: some() };
    default: {
      const groups: string[][] = [[], [], []];
      for (const board of boards) groups[below(below(2) === 0 ? 2 : 3)]?.push(board);
      return { kind: "split", groups: groups.filter((group) => group.length > 0) };
    }
  }
}

/** Who hears whom with these cables cut, as `speaker>listener`: by walking along cables, over switches only. */
export function heardPairs(bench: Bench, cutCables: ReadonlySet<string>): ReadonlySet<string> {
  const heard = new Set<string>();
  const inboxOf = (inbox: string) => bench.brokers.find(({ name }) => name === inbox)?.node ?? "";
  for (const { name: listener, inbox } of bench.boards) {
    const atInbox = walkFrom(bench, inboxOf(inbox), cutCables);
    if (!atInbox.has(listener)) continue;
    for (const { name: speaker } of bench.boards) {
      if (speaker !== listener && atInbox.has(speaker)) heard.add(`${speaker}>${listener}`);
    }
  }
  return heard;
}

/** All that a node reaches. */
function walkFrom(bench: Bench, start: string, cutCables: ReadonlySet<string>): ReadonlySet<string> {
  const seen = new Set([start]);
  const waiting = [start];
  for (const node of waiting) {
    if (node !== start && !bench.switches.some(({ name }) => name === node)) continue;
    for (const { name, ends } of bench.cables) {
      if (cutCables.has(name)) continue;
      for (const [here, there] of [ends, ends.toReversed()]) {
        if (here?.node !== node || there === undefined || seen.has(there.node)) continue;
        seen.add(there.node);
        waiting.push(there.node);
      }
    }
    if (node !== "controller") continue;
    for (const plug of bench.controller.switches) {
      if (!seen.has(plug)) waiting.push(plug);
      seen.add(plug);
    }
  }
  return seen;
}

/** Whether the wish wants this pair, `speaker>listener`, apart. */
export function wantsApart(wish: Case["wish"], pair: string): boolean {
  const [from = "", to = ""] = pair.split(">");
  if (wish.kind === "one-way") return wish.from.includes(from) && wish.to.includes(to);
  if (wish.kind === "isolate") return wish.boards.includes(from) !== wish.boards.includes(to);
  return !wish.groups.some((group) => group.includes(from) && group.includes(to));
}

/** What cutting these cables and withholding these pairs costs; `null` if it must not be done, or nothing can do it. */
export function costOf(bench: Bench, cables: readonly string[], pairs: readonly string[]): Cost | null {
  const reached = walkFrom(bench, "controller", new Set(cables));
  const isRack = bench.boards.some(({ address }) => address !== null);
  let [hands, rules, places] = [0, 0, 0];
  for (const name of cables) {
    const at = bench.cables.findIndex((cable) => cable.name === name);
    const cable = bench.cables[at];
    const nodes = cable?.ends.map(({ node }) => node) ?? [];
    const cutter = bench.cutters.find((each) => each.name === cable?.cutter.name);
    if (cutter === undefined || (cutter.driver === "virtual" && isRack)) return null;
    if (cutter.driver === "switch") {
      const isProtected = cable?.ends.some(({ node, port }) => node === cutter.switch && port === "1");
      if (isProtected === true || !reached.has(cutter.switch)) return null;
    }
    const chipBoard = bench.boards.find(({ address }) => address === "192.168.7.11");
    if (cutter.driver === "gpio" && chipBoard !== undefined && !reached.has(chipBoard.name)) return null;
    if (cutter.driver === "firewall" && !nodes.some((node) => bench.boards.some((board) => board.name === node)))
      return null;
    if (cutter.driver === "hand") hands += 1;
    if (cutter.driver === "firewall" || cutter.driver === "broker") rules += 1;
    places += at;
  }
  for (const pair of pairs) {
    if (!bench.cutters.some(({ driver }) => driver === "broker")) return null;
    const inbox = bench.boards.find(({ name }) => pair.endsWith(`>${name}`))?.inbox;
    if (!reached.has(bench.brokers.find(({ name }) => name === inbox)?.node ?? "")) return null;
  }
  const soft = rules + pairs.length;
  return [Math.min(soft, 1), hands, soft, pairs.length, cables.length, places];
}

/** Less than 0 if the first costs less, and 0 if both cost the same. */
export function compareCosts(one: Cost, other: Cost): number {
  for (const [digit, value] of one.entries()) if (value !== other[digit]) return value - (other[digit] ?? 0);
  return 0;
}

/** What the least way costs, by trying every set of cables; `null` if there is none. */
export function bruteForce({ bench, wish }: Case): Cost | null {
  const before = heardPairs(bench, new Set());
  const names = bench.cables.map(({ name }) => name);
  let least: Cost | null = null;
  for (let set = 0; set < 1 << names.length; set += 1) {
    const cables = names.filter((_, at) => (set & (1 << at)) !== 0);
    const after = heardPairs(bench, new Set(cables));
    const isTorn = [...before].some((pair) => !wantsApart(wish, pair) && !after.has(pair));
    if (isTorn) continue;
    const cost = costOf(
      bench,
      cables,
      [...after].filter((pair) => wantsApart(wish, pair)),
    );
    if (cost !== null && (least === null || compareCosts(cost, least) < 0)) least = cost;
  }
  return least;
}

/** What a plan does, checked from its steps alone; `null` if it needs what it must not. */
export function costOfPlan({ bench }: Case, { steps }: Extract<Plan, { kind: "possible" }>): Cost | null {
  const { cables, pairs } = stepsOf(steps);
  return costOf(bench, cables, pairs);
}

/** The cables and pairs of a plan. */
export function stepsOf(steps: Extract<Plan, { kind: "possible" }>["steps"]) {
  const cables = steps.flatMap(({ action }) => (action.kind === "cut" ? [action.cable] : []));
  const pairs = steps.flatMap(({ action }) => (action.kind === "withhold" ? [`${action.from}>${action.to}`] : []));
  return { cables, pairs };
}
