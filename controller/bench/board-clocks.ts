/**
 * Places what boards' clocks showed on the controller's own time line, each time with its uncertainty.
 *
 * A board is asked for its time again and again. Each answer says for sure: what the board's clock showed lies between the
 * asking and the answer. The clocks run apart by no more than a bound, so an answer also says something of all other times,
 * the less the farther away they are. What no answer contradicts is an interval; its middle is the place, and half its
 * length the uncertainty. Between two answers this follows whatever rate the clock really had. A fit through all of them
 * would promise less uncertainty, and keep the promise only while no time synchronisation changes a clock's rate.
 */

import type { BoardTime } from "../../device/transport/envelope.ts";

/** What placing takes. */
export type BoardClocksSettings = {
  /** Asks a board for its time; `null` if no answer comes soon. Never rejects. */
  readonly ask: (board: string) => Promise<BoardTime | null>;
  /** The controller's time line, in microseconds; never goes back. */
  readonly nowUs: () => number;
  /** By how much a board's clock and the controller's run apart at most, in parts in a million. */
  readonly driftPpmMax?: number;
};

/** A moment by a board's own clock. */
export type BoardMoment = Pick<BoardTime, "boot" | "monotonicUs">;

/** A moment on the controller's time line: the true one is no more than the uncertainty away. */
export type PlacedMoment = { readonly atUs: number; readonly uncertaintyUs: number };

/** Linux slews a clock by at most 500 ppm, and a crystal is off by less than 100. */
const usualDriftPpmMax = 600;
/** How often a board is asked in a row: the quickest answer says most. */
const exchanges = 3;
/** Beyond so many answers the slower one of each two neighbours is forgotten. */
const answersMax = 4_096;

/** What is sure by one answer: the board's clock showed this at some moment from one to the other. */
type Answer = { readonly boardUs: number; readonly fromUs: number; readonly toUs: number };

/** Answers, in order, of a clock that ran on undisturbed. */
type Segment = Answer[];

/** See the head of this file. */
export class BoardClocks {
  readonly #ask: BoardClocksSettings["ask"];
  readonly #nowUs: () => number;
  readonly #drift: number;
  /** By board and boot; more than one where a clock stood still or jumped, as that of a machine that was suspended. */
  readonly #segments = new Map<string, Segment[]>();

  constructor({ ask, nowUs, driftPpmMax = usualDriftPpmMax }: BoardClocksSettings) {
    this.#ask = ask;
    this.#nowUs = nowUs;
    this.#drift = driftPpmMax / 1_000_000;
  }

  /** Compares the clocks now, as far as the board answers. */
  async sample(board: string): Promise<void> {
    for (let exchange = 0; exchange < exchanges; exchange += 1) {
      const fromUs = this.#nowUs();
      const time = await this.#ask(board);
      if (time === null) return;
      this.#take(board, time.boot, { boardUs: time.monotonicUs, fromUs, toUs: this.#nowUs() });
    }
  }

  /** Where a moment of a board's clock lies; `null` if the board never told its time in that boot. */
  place(board: string, { boot, monotonicUs }: BoardMoment): PlacedMoment | null {
    const segments = this.#segments.get(keyOf(board, boot)) ?? [];
    // At the turn from one segment to the next nobody knows by which of them the clock ran already.
    const after = segments.findIndex((segment) => (segment[0]?.boardUs ?? 0) > monotonicUs);
    const near = after === -1 ? segments.slice(-1) : segments.slice(Math.max(0, after - 1), after + 1);
    const isWithin = near[0] !== undefined && (near[0].at(-1)?.boardUs ?? 0) >= monotonicUs;
    const intervals = (isWithin ? near.slice(0, 1) : near).map((segment) => this.#interval(segment, monotonicUs));
    if (intervals.length === 0) return null;
    const fromUs = Math.min(...intervals.map((interval) => interval.fromUs));
    const toUs = Math.max(...intervals.map((interval) => interval.toUs));
    const atUs = Math.round((fromUs + toUs) / 2);
    return { atUs, uncertaintyUs: Math.ceil(Math.max(toUs - atUs, atUs - fromUs)) };
  }

  #take(board: string, boot: number, answer: Answer): void {
    const key = keyOf(board, boot);
    const segments = this.#segments.get(key) ?? [];
    this.#segments.set(key, segments);
    const segment = segments.at(-1);
    const last = segment?.at(-1);
    // Overtaken by a later answer: what it says stands there already.
    if (last !== undefined && answer.boardUs < last.boardUs && answer.fromUs < last.toUs) return;
    if (segment === undefined || !this.#fits(segment, answer)) {
      segments.push([answer]);
      return;
    }
    segment.push(answer);
    if (segment.length > answersMax) segments[segments.length - 1] = thinned(segment);
  }

  /** Whether a clock that ran on can have given this answer. */
  #fits(segment: Segment, { boardUs, fromUs, toUs }: Answer): boolean {
    const last = segment.at(-1);
    if (last === undefined || boardUs < last.boardUs) return false;
    const expected = this.#interval(segment, boardUs);
    return expected.fromUs <= toUs && fromUs <= expected.toUs;
  }

  /** What no answer contradicts. */
  #interval(segment: Segment, boardUs: number): { readonly fromUs: number; readonly toUs: number } {
    let fromUs = Number.NEGATIVE_INFINITY;
    let toUs = Number.POSITIVE_INFINITY;
    for (const answer of segment) {
      const passedUs = boardUs - answer.boardUs;
      // A clock that gains shows more microseconds than have passed, but no more of them than this.
      const apartUs = (Math.abs(passedUs) * this.#drift) / (1 - this.#drift);
      fromUs = Math.max(fromUs, answer.fromUs + passedUs - apartUs);
      toUs = Math.min(toUs, answer.toUs + passedUs + apartUs);
    }
    return { fromUs, toUs };
  }
}

/** Of each two neighbours the one that says more. */
function thinned(segment: Segment): Segment {
  const lengthOf = ({ fromUs, toUs }: Answer): number => toUs - fromUs;
  return segment.filter((answer, at) => {
    const other = segment[at % 2 === 0 ? at + 1 : at - 1];
    if (other === undefined) return true;
    return at % 2 === 0 ? lengthOf(answer) <= lengthOf(other) : lengthOf(answer) < lengthOf(other);
  });
}

function keyOf(board: string, boot: number): string {
  return `${board} ${boot}`;
}
