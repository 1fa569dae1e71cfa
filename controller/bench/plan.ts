/**
 * Plans cuts: from what somebody wishes ("split pi-1, pi-2 | pi-3", "isolate pi-3", "what pi-1 says to pi-2 is lost") to the
 * least set of cutters that does it on a bench, or to why it cannot be done there. Pure: nothing moves.
 *
 * What counts is who hears whom once it is done. A connection of MQTT lives only while frames go both ways, for what is not
 * acknowledged stops after a second; so a cable that loses one direction parts its ends for good, and a plan cuts whole
 * cables. One direction between two boards is lost where the listener's inbox can be taken from the speaker alone.
 */

import {
  type Bench,
  type Cable,
  type Cutter,
  controllerNode,
  type NodeName,
  reachability,
} from "../../hardware/bench.ts";
import type { BenchAction } from "../experiment/bench-action.ts";
import type { Wish } from "./plan-demand.ts";
import { brokerCutter, meansOf } from "./plan-means.ts";
import { type Solution, solve } from "./plan-solve.ts";
import { suggest } from "./plan-suggestions.ts";
import { explain } from "./plan-why.ts";

export type { Wish } from "./plan-demand.ts";

/** How a wish is fulfilled, or why not. */
export type Plan = PossiblePlan | Impossible;

/** What to do, and what is so when it is done. */
export type PossiblePlan = {
  readonly kind: "possible";
  /** Cables in the order of the bench, then what brokers withhold. Empty if it is so already. */
  readonly steps: readonly PlanStep[];
  /** For each board those that it hears then, in the order of the bench. */
  readonly hears: readonly { readonly listener: NodeName; readonly speakers: readonly NodeName[] }[];
  /** The boards and brokers that the controller, and so every client, reaches then; and those that it does not. */
  readonly controller: { readonly reaches: readonly NodeName[]; readonly loses: readonly NodeName[] };
  /** What a person should know before, in whole sentences. */
  readonly notes: readonly string[];
};

/** What a plan is made of: actions that every kind of bench carries out. */
export type PlanAction =
  | Extract<BenchAction, { readonly kind: "cut" }>
  | { readonly kind: "withhold"; readonly from: NodeName; readonly to: NodeName };

/** One thing to be done, by one cutter. */
export type PlanStep = {
  readonly action: PlanAction;
  readonly cutter: Pick<Cutter, "name" | "driver">;
  /** The cutter's channel, or the switch's port; `null` where it has none. */
  readonly channel: string | null;
  /** What is opened: a cable with its two ports, or what is withheld and where. */
  readonly opens: string;
};

/** What cannot be done on this bench. In whole sentences, for the person at the table. */
export type Impossible = {
  readonly kind: "impossible";
  /** What ties the boards together. */
  readonly why: readonly string[];
  /** What would allow it; each was tried on a bench changed so. */
  readonly suggestions: readonly string[];
};

/** Plans a wish. Its names must be on the bench. */
export function plan(wish: Wish, bench: Bench): Plan {
  const solution = solve(wish, bench);
  if (solution === null || solution === "unknown") {
    const why = solution === null ? explain(wish, bench) : [gaveUp];
    return { kind: "impossible", why, suggestions: suggest(wish, bench) };
  }
  return possible(solution, bench);
}

/** Cables of boards that carry one way only: `loses` says what does not get through, seen from the board. */
export type OneWayCables = {
  readonly kind: "one-way-cables";
  readonly boards: readonly NodeName[];
  readonly loses: "incoming" | "outgoing";
};

/** What to do for a fault of an experiment, on a bench whose cables are not all virtual. */
export function planFault(wish: Wish | OneWayCables, bench: Bench): readonly PlanAction[] | Impossible {
  if (wish.kind !== "one-way-cables") return actionsOf(plan(wish, bench));
  const cables = bench.cables.filter(({ ends }) => ends.some(({ node }) => wish.boards.includes(node)));
  const isAble = cables.every((cable) => {
    const means = meansOf(bench, cable);
    return means.means !== null && means.cutsOneWay;
  });
  if (isAble) return cables.map((cable) => oneWayCut(cable, wish));
  // No cutter of these cables can do it; so what the boards say, or hear, is taken away pair by pair.
  const all = bench.boards.map(({ name }) => name);
  const [from, to] = wish.loses === "outgoing" ? [wish.boards, all] : [all, wish.boards];
  return actionsOf(plan({ kind: "one-way", from, to }, bench));
}

function actionsOf(planned: Plan): readonly PlanAction[] | Impossible {
  return planned.kind === "possible" ? planned.steps.map(({ action }) => action) : planned;
}

/** What a board sends comes from its own end of a cable, what it hears from the other. */
function oneWayCut({ name, ends }: Cable, { boards, loses }: OneWayCables): PlanAction {
  const isBoard = ends.map(({ node }) => boards.includes(node));
  // Between two of the boards both ways are lost, whatever is: one's outgoing is the other's incoming.
  if (isBoard.every(Boolean)) return { kind: "cut", cable: name, direction: "both" };
  const direction = (isBoard[0] === true) === (loses === "outgoing") ? "fromFirstEnd" : "fromSecondEnd";
  return { kind: "cut", cable: name, direction };
}

const gaveUp =
  "No way was found in the time that there is for looking. The bench has very many cables that could be cut: give " +
  "cutters to fewer of them, or cut cables by name.";

function possible(solution: Solution, bench: Bench): PossiblePlan {
  const { reaches, hears } = reachability(bench, { cutCables: new Set(solution.cables), downNodes: new Set() });
  const inOrder = bench.cables.map(({ name }) => name).filter((name) => solution.cables.includes(name));
  const isWithheld = (from: NodeName, to: NodeName) =>
    solution.pairs.some((pair) => pair.from === from && pair.to === to);
  const actions: readonly PlanAction[] = [
    ...inOrder.map((cable) => ({ kind: "cut", cable, direction: "both" }) as const),
    ...solution.pairs.map((pair) => ({ kind: "withhold", ...pair }) as const),
  ];
  const boards = bench.boards.map(({ name }) => name);
  const ends = [...boards, ...bench.brokers.map(({ name }) => name)];
  return {
    kind: "possible",
    steps: actions.map((action) => stepOf(action, bench)),
    hears: boards.map((listener) => ({
      listener,
      speakers: boards.filter(
        (speaker) => speaker !== listener && hears(listener, speaker) && !isWithheld(speaker, listener),
      ),
    })),
    controller: {
      reaches: ends.filter((name) => reaches(controllerNode, name)),
      loses: ends.filter((name) => !reaches(controllerNode, name)),
    },
    notes: notesOn(solution, bench),
  };
}

/** An action with the cutter that does it, for people. Its cable must be one that can be cut. */
export function stepOf(action: PlanAction, bench: Bench): PlanStep {
  if (action.kind === "withhold") {
    const inbox = bench.boards.find(({ name }) => name === action.to)?.inbox ?? "";
    return {
      action,
      cutter: { name: brokerCutter(bench)?.name ?? "broker", driver: "broker" },
      channel: null,
      opens: `what ${action.from} says to ${action.to}, withheld by ${inbox}`,
    };
  }
  const cable = bench.cables.find(({ name }) => name === action.cable);
  const cutter = bench.cutters.find(({ name }) => name === cable?.cutter.name);
  if (cable === undefined || cutter === undefined) throw new RangeError(`Nothing opens a cable ${action.cable}.`);
  const port = cutter.driver === "switch" ? cable.ends.find(({ node }) => node === cutter.switch)?.port : undefined;
  const [one, other] = cable.ends.map((end) => `${end.node}:${end.port}`);
  const lost = { both: "", fromFirstEnd: `, what comes from ${one}`, fromSecondEnd: `, what comes from ${other}` };
  return {
    action,
    cutter: { name: cutter.name, driver: cutter.driver },
    channel: port ?? cable.cutter.channel,
    opens: `cable ${cable.name} (${one} – ${other})${lost[action.direction]}`,
  };
}

function notesOn({ cables, pairs, isLeast }: Solution, bench: Bench): readonly string[] {
  const notes: string[] = [];
  const byHand = bench.cables.filter(
    (cable) => cables.includes(cable.name) && meansOf(bench, cable).means === "hand",
  ).length;
  if (cables.length === 0 && pairs.length === 0) notes.push("Nothing has to be cut: it is so already.");
  if (byHand > 0)
    notes.push(`Somebody must be at the table, to pull ${byHand === 1 ? "a cable" : `${byHand} cables`}.`);
  if (pairs.length > 0) {
    notes.push("Cables alone cannot do it. Brokers withhold messages instead, which only Adrift's own broker can.");
  }
  if (!isLeast) notes.push("There may be a way with fewer steps: the search ended before it had seen every way.");
  return notes;
}
