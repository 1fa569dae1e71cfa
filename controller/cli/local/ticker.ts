/** What happens on a running bench, a short line each. */

import { boardOf } from "../../../device/replica/identity.ts";
import type { StatusEnvelope } from "../../../device/transport/envelope.ts";
import type { Bench } from "../../../hardware/bench.ts";
import { formatDurationUs } from "../../../sim/duration.ts";
import type { LocalBenchEvent } from "../../bench/local/settings.ts";
import { type Colour, painter } from "../../report/paint.ts";
import type { Stream } from "../shell.ts";

type Line = { readonly colour: Colour; readonly text: string; readonly details?: readonly string[] };

/** Writes a line for each change that a person wants to know of, from `begin` to `end`. */
export class Ticker {
  readonly #out: Stream;
  readonly #bench: Bench;
  readonly #nowMs: () => number;
  #beganMs: number | null = null;
  /** What is worth telling from before the beginning. */
  #early: Line[] | null = [];
  #term = 0;

  constructor(out: Stream, bench: Bench, nowMs: () => number = () => performance.now()) {
    this.#out = out;
    this.#bench = bench;
    this.#nowMs = nowMs;
  }

  /** The bench runs: from now on lines are written, and what is known already is told. */
  begin(): void {
    this.#beganMs = this.#nowMs();
    for (const line of this.#early ?? []) this.#write(line);
    this.#early = null;
    if (this.#leader !== null) this.#write(this.#leader);
  }

  end(): void {
    this.#beganMs = null;
  }

  #leader: Line | null = null;

  /** A board says how it takes part. Of that only a new leader is news. */
  takeStatus({ from, status }: StatusEnvelope): void {
    if (status === null || status.role !== "leader" || status.term <= this.#term) return;
    this.#term = status.term;
    const others = status.voters.map(boardOf).filter((board) => board !== from);
    const voters = others.length === this.#bench.boards.length - 1 ? "" : `; ${others.join(", ")} vote with it`;
    this.#leader = { colour: "green", text: `${from} leads, in term ${status.term}${voters}` };
    this.#write(this.#leader);
  }

  /** Something happened to the bench. */
  takeEvent(event: LocalBenchEvent): void {
    const line = this.#lineOf(event);
    if (this.#early === null) this.#write(line);
    else if (event.kind !== "process" || event.change.kind === "died") this.#early.push(line);
  }

  #lineOf(event: LocalBenchEvent): Line {
    switch (event.kind) {
      case "cut":
        return { colour: "red", text: `${this.#cutText(event)}${leaseText(event.leaseMs)}` };
      case "healed": {
        const why = event.because === "leaseRanOut" ? ": its time is over" : "";
        return { colour: "green", text: `the cable ${event.cable} is whole again${why}` };
      }
      case "joinsAnew":
        return { colour: "yellow", text: `${event.board} ${event.isFounder ? lostCard : newOnBench}` };
      case "process":
        return processLine(event);
      default:
        return event satisfies never;
    }
  }

  #cutText({ cable, direction }: Extract<LocalBenchEvent, { kind: "cut" }>): string {
    if (direction === "both") return `the cable ${cable} is cut`;
    const ends = this.#bench.cables.find(({ name }) => name === cable)?.ends;
    const end = ends?.[direction === "fromFirstEnd" ? 0 : 1].node ?? "one end";
    return `the cable ${cable} loses what comes from ${end}`;
  }

  #write({ colour, text, details = [] }: Line): void {
    if (this.#beganMs === null) return;
    const paint = painter(this.#out.isColoured);
    const seconds = ((this.#nowMs() - this.#beganMs) / 1_000).toFixed(1).padStart(7);
    const lines = [`${paint("dim", `${seconds} s`)}  ${paint(colour, "●")} ${text}`];
    for (const detail of details) lines.push(`${" ".repeat(13)}${paint("dim", detail)}`);
    this.#out.write(`${lines.join("\n")}\n`);
  }
}

const lostCard = "has an empty card: what it stored is gone, so it joins anew, under another identity";
const newOnBench = "was not there when the cluster was founded: it asks to be taken in";

function leaseText(leaseMs: number | null): string {
  return leaseMs === null ? "" : `, for ${formatDurationUs(leaseMs * 1_000)}`;
}

function processLine({ name, change }: Extract<LocalBenchEvent, { kind: "process" }>): Line {
  switch (change.kind) {
    case "started":
      return { colour: "green", text: `${name} runs again` };
    case "stopped":
      return { colour: "red", text: `${name} has ended` };
    case "paused":
      return { colour: "yellow", text: `${name} is paused` };
    case "resumed":
      return { colour: "green", text: `${name} goes on` };
    case "died": {
      const then = change.isStartedAgain
        ? "it starts again in a second"
        : "again and again: it is not started any more";
      return { colour: "red", text: `${name} died (${change.reason}); ${then}`, details: change.lines };
    }
    default:
      return change satisfies never;
  }
}
