/**
 * What happens to a running cluster, in sentences, as it happens: cables pulled, leaders lost and elected, clients that
 * waited.
 */

import type { BoardLine } from "./board-roll.ts";

/** A cable whose link came or went: where that was seen, and whether a program of ours had cut it. */
export type CableSeen = {
  readonly cable: string;
  /** The board at its end, if there is one. */
  readonly board: string | null;
  readonly up: boolean;
  readonly how: "its switch port" | "its carrier";
  readonly isCommanded: boolean;
};

/** Told what is so, it tells what is new. Times are in milliseconds of one clock. */
export class Story {
  readonly #tell: (sentence: string) => void;
  readonly #presence = new Map<string, BoardLine["presence"]>();
  /** When boards were lost, as far as anybody saw. */
  readonly #lostMs = new Map<string, number>();
  /** Cables that are out, by name. */
  readonly #out = new Map<string, number>();
  /** What boards that nobody hears were last said to believe. */
  readonly #beliefs = new Map<string, string>();
  #leader: { readonly board: string; readonly term: number } | null = null;

  constructor(tell: (sentence: string) => void) {
    this.#tell = tell;
  }

  /** What boards say at the moment. */
  boards(lines: readonly BoardLine[], nowMs: number): void {
    this.#observeLeader(lines, nowMs);
    for (const line of lines) this.#observePresence(line, nowMs);
  }

  /** A link came or went. */
  cable({ cable, board, up, how, isCommanded }: CableSeen, nowMs: number): void {
    if (up) {
      const sinceMs = this.#out.get(cable);
      if (sinceMs === undefined) return;
      this.#out.delete(cable);
      if (board !== null) this.#lostMs.delete(board);
      this.#tell(
        `cable of ${board ?? cable} ${isCommanded ? "healed" : "plugged in"} after ${seconds(nowMs - sinceMs)}`,
      );
      return;
    }
    if (this.#out.has(cable)) return;
    this.#out.set(cable, nowMs);
    const act = isCommanded ? "cut" : "pulled";
    const ledTerm = board !== null && this.#leader?.board === board ? `; ${board} led term ${this.#leader.term}` : "";
    if (board !== null) this.#lostMs.set(board, nowMs);
    this.#tell(`cable of ${board ?? cable} ${act} (${how} is down)${ledTerm}`);
  }

  /** A board that was away says, by its own clock, for how long its cable was out. */
  wasOut(board: string, outMs: number): void {
    this.#tell(`${board} says that its cable was out for ${seconds(outMs)}`);
  }

  /** What a board that nobody hears writes to its serial console. */
  believes(board: string, role: string, term: number): void {
    if ((this.#presence.get(board) ?? "online") === "online") return;
    const belief = `${role} ${term}`;
    if (this.#beliefs.get(board) === belief) return;
    this.#beliefs.set(board, belief);
    const what = role === "leader" ? `that it leads term ${term}` : `to be a ${role} in term ${term}`;
    this.#tell(`${board}, which nobody hears, still believes ${what} (its serial console)`);
  }

  /** A client that tried again and again was answered, after having waited so long. */
  clientsWaited(waitedMs: number): void {
    this.#tell(`clients waited ${seconds(waitedMs)}`);
  }

  #observeLeader(lines: readonly BoardLine[], nowMs: number): void {
    const leaders = lines.filter(({ presence, status }) => presence === "online" && status?.role === "leader");
    const [latest] = leaders.toSorted((one, other) => (other.status?.term ?? 0) - (one.status?.term ?? 0));
    if (latest?.status === undefined || latest.status === null) return;
    const { term } = latest.status;
    const before = this.#leader;
    if (before !== null && term <= before.term) return;
    this.#leader = { board: latest.board, term };
    if (before === null) this.#tell(`${latest.board} leads term ${term}`);
    else this.#tell(`${latest.board} leads term ${term}${this.#sinceLoss(before, nowMs)}`);
  }

  #sinceLoss(before: { readonly board: string; readonly term: number }, nowMs: number): string {
    const lostMs = this.#lostMs.get(before.board);
    return lostMs === undefined ? `; ${before.board} led term ${before.term}` : ` after ${seconds(nowMs - lostMs)}`;
  }

  #observePresence({ board, presence }: BoardLine, nowMs: number): void {
    const before = this.#presence.get(board);
    this.#presence.set(board, presence);
    if (before === undefined || (before === "online") === (presence === "online")) return;
    const isKnown = this.#lostMs.has(board);
    if (presence === "online") {
      this.#lostMs.delete(board);
      this.#beliefs.delete(board);
      this.#tell(`${board} is back`);
      return;
    }
    if (isKnown) return;
    this.#lostMs.set(board, nowMs);
    this.#tell(`${board} is silent: its cable, its power, or its process`);
  }
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}
