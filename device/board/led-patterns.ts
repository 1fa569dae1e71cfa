/** What a board's lights say, and how: each thing that a person should see at the table is a pattern of its own. */

import type { BoardStatus } from "../transport/envelope.ts";

/** What a board shows. `cutOff`: nothing can reach it, whatever it believes of itself. `broken`: it cannot go on. */
export type Signal = "leader" | "follower" | "candidate" | "cutOff" | "broken" | "identify";

/** Milliseconds lit and dark in turn, lit first, again and again; one number alone is lit for ever. */
export type Pattern = readonly number[];

const dotMs = 150;
const [dot, dash] = [
  [dotMs, dotMs],
  [3 * dotMs, dotMs],
];

/** The pattern of each signal. */
export const patterns: Readonly<Record<Signal, Pattern>> = {
  leader: [1_000],
  follower: [100, 1_900],
  candidate: [150, 150],
  cutOff: [150, 150, 150, 1_050],
  // ··· −−− ···, and a pause as between words.
  broken: [...repeat(dot), ...repeat(dash), ...repeat(dot), 0, 6 * dotMs],
  identify: [40, 60],
};

/** What a board is to show, from how it stands. */
export type Standing = {
  readonly role: BoardStatus["role"];
  /** Whether a cable leads to something; `null` where nobody can tell. */
  readonly carrier: boolean | null;
  /** How many brokers it reaches. */
  readonly brokersReached: number;
};

/** The signal for how a board stands; `null` while it reads its log: what its lights show then stays. */
export function signalOf({ role, carrier, brokersReached }: Standing): Signal | null {
  if (role === "stopped") return "broken";
  if (role === "opening") return null;
  if (carrier === false || brokersReached === 0) return "cutOff";
  switch (role) {
    case "leader":
    case "follower":
    case "candidate":
      return role;
    case "preCandidate":
    case "joining":
      return "candidate";
    default:
      return role satisfies never;
  }
}

function repeat(sign: Pattern): Pattern {
  return [...sign, ...sign, ...sign];
}
