/** Gathers the chronicle of a run from its events, as they happen, so that nobody need keep them all. */

import { isQuorum, simpleConfiguration } from "../../device/raft/configuration.ts";
import { type Configuration, type MemberId, rules } from "../../device/raft/index.ts";
import type { ReplicaEvent } from "../../device/replica/host.ts";
import { boardOf } from "../../device/replica/identity.ts";
import { type Bench, reachability } from "../../hardware/bench.ts";
import type {
  BoardEvent,
  BoardSpan,
  BoardState,
  CarrierChange,
  CatchUp,
  Chronicle,
  FaultSpan,
  NotedMoment,
  Reign,
  SeenCut,
} from "./chronicle.ts";
import { openedCables, pairName } from "./chronicle.ts";
import { type HandAct, HandWatch } from "./hands.ts";
import type { FaultKind } from "./model.ts";
import type { RunEvent, StepEvent } from "./run-result.ts";

/** Give it every event of a run, in order, and finish it once. */
export class Chronicler {
  readonly #bench: Bench;
  readonly #boards: ReadonlyMap<string, BoardNow>;
  readonly #faults: Draft<FaultSpan>[] = [];
  readonly #inForce = new Set<OpenFault>();
  readonly #moments: NotedMoment[] = [];
  readonly #reigns: Draft<Reign>[] = [];
  readonly #catchUps: CatchUp[] = [];
  readonly #boardEvents: BoardEvent[] = [];
  readonly #seenCuts: SeenCut[] = [];
  readonly #carriers: CarrierChange[] = [];
  readonly #hands: HandWatch;
  /** Whether the experiment has nothing in force. */
  #isWhole = true;
  #reign: Draft<Reign> | null = null;
  #configuration: Configuration;
  #configurationIndex = 0;

  constructor(bench: Bench) {
    const names = bench.boards.map((board) => board.name);
    this.#bench = bench;
    this.#boards = new Map(names.map((name) => [name, new BoardNow(name)]));
    this.#configuration = simpleConfiguration(names);
    this.#hands = new HandWatch(bench);
  }

  tell(event: RunEvent): void {
    switch (event.kind) {
      case "board": {
        const board = this.#boards.get(event.board);
        if (board !== undefined) this.#onBoardEvent(event.atUs, board, event.event);
        return;
      }
      case "step":
        this.#onStep(event);
        return;
      case "done":
        if (event.action.kind === "cut") this.#seenCuts.push({ cable: event.action.cable, atUs: event.atUs });
        if (event.action.kind === "withhold") this.#seenCuts.push({ cable: pairName(event.action), atUs: event.atUs });
        return;
      case "died": {
        const board = this.#boards.get(event.name);
        if (board === undefined) return;
        board.isUp = false;
        board.draw(event.atUs);
        this.#observeReign(event.atUs);
        return;
      }
      case "happening": {
        const { happening, board, atUs, uncertaintyUs = 0 } = event;
        if (happening.kind !== "carrier") return;
        this.#onCarrier({ board, interface: happening.interface, up: happening.up, atUs, uncertaintyUs });
        return;
      }
      case "link":
        this.#onHand(this.#hands.linkChanged(event.cable, event.up, event.atUs), event.atUs);
        return;
      case "fault":
        // What it says in words, steps say in facts.
        return;
      default:
        event satisfies never;
    }
  }

  finish(endUs: number): Chronicle {
    for (const { span } of this.#inForce) if (!momentary.has(span.fault.kind)) span.toUs = endUs;
    if (this.#reign !== null) this.#reign.toUs = endUs;
    return {
      bench: this.#bench,
      endUs,
      lanes: new Map([...this.#boards].map(([name, board]) => [name, board.finish(endUs)])),
      faults: this.#faults,
      moments: this.#moments,
      reigns: this.#reigns,
      catchUps: this.#catchUps,
      boardEvents: this.#boardEvents,
      seenCuts: this.#seenCuts,
      carriers: this.#carriers,
    };
  }

  #onBoardEvent(atUs: number, board: BoardNow, event: ReplicaEvent): void {
    if (event.type === "committed") {
      const catchUp = board.commit(atUs, event.index);
      // What was caught up with before a run in real time began is no part of it.
      if (catchUp !== null && catchUp.toUs > 0) this.#catchUps.push(catchUp);
      return;
    }
    this.#boardEvents.push({ atUs, board: board.name, event });
    if (event.type === "configuration" && event.index >= this.#configurationIndex) {
      this.#configuration = event.configuration;
      this.#configurationIndex = event.index;
    }
    board.hear(event);
    if (event.type === "opened") this.#expectCatchUp(atUs, board);
    board.draw(atUs);
    this.#observeReign(atUs);
  }

  #onCarrier(change: CarrierChange): void {
    const { board, up, atUs } = change;
    this.#carriers.push(change);
    this.#onHand(this.#hands.carrierChanged(board, change.interface, up, atUs), atUs);
  }

  #onHand(hand: HandAct | null, atUs: number): void {
    if (hand === null) return;
    const targets = [hand.cable];
    if (hand.act === "pulled") {
      this.#moments.push({ kind: "fault", atUs });
      const span: Draft<FaultSpan> = { fault: { kind: "hand" }, targets, fromUs: atUs, toUs: atUs };
      this.#faults.push(span);
      this.#inForce.add({ span, isOpen: true });
    } else {
      for (const each of this.#inForce) {
        if (each.span.fault.kind !== "hand" || each.span.targets[0] !== hand.cable) continue;
        each.span.toUs = atUs;
        this.#inForce.delete(each);
      }
      const isWhole = this.#isWhole && this.#inForce.size === 0;
      if (isWhole) this.#moments.push({ kind: "heal", atUs });
    }
    this.#observeCables(atUs);
    this.#observeReign(atUs);
  }

  #onStep({ atUs, step, fault, targets, isWhole, withholds }: StepEvent): void {
    this.#isWhole = isWhole;
    if (step !== "turn") this.#hands.faultChanged(fault.kind, targets, step === "begin", atUs);
    switch (step) {
      case "begin": {
        // A target that nothing on the bench is, at the moment, is not hit.
        if (targets.length === 0 && fault.kind !== "noise") return;
        this.#moments.push({ kind: "fault", atUs });
        const span = { fault, targets, fromUs: atUs, toUs: atUs, ...(withholds === undefined ? {} : { withholds }) };
        this.#faults.push(span);
        this.#inForce.add({ span, isOpen: true });
        this.#hitBoards(span);
        break;
      }
      case "turn":
        for (const each of this.#inForce) if (each.span.fault === fault) each.isOpen = !each.isOpen;
        break;
      case "end":
        for (const each of this.#inForce) {
          if (each.span.fault !== fault) continue;
          this.#inForce.delete(each);
          each.span.toUs = atUs;
          this.#releaseBoards(each.span);
        }
        if (isWhole) this.#moments.push({ kind: "heal", atUs });
        break;
      default:
        step satisfies never;
    }
    this.#observeCables(atUs);
    this.#observeReign(atUs);
  }

  /** What a fault does to boards at once, other than over cables. */
  #hitBoards({ fault, targets }: FaultSpan): void {
    for (const board of this.#named(targets)) {
      if (stopsBoards.has(fault.kind)) board.isUp = false;
      else if (fault.kind === "pause") board.isPaused = true;
    }
  }

  #releaseBoards({ fault, targets, toUs }: FaultSpan): void {
    if (fault.kind !== "pause") return;
    for (const board of this.#named(targets)) {
      board.isPaused = false;
      this.#expectCatchUp(toUs, board);
    }
  }

  #named(targets: readonly string[]): readonly BoardNow[] {
    return targets.flatMap((target) => this.#boards.get(target) ?? []);
  }

  /** A board is back: it will have to learn what was committed without it. */
  #expectCatchUp(atUs: number, board: BoardNow): void {
    const goal = Math.max(...[...this.#boards.values()].map((each) => each.commitIndex));
    if (goal > board.commitIndex) board.behind = { sinceUs: atUs, from: board.commitIndex, goal };
  }

  /** Works out which boards talk with a majority over the cables as they are now. */
  #observeCables(atUs: number): void {
    const cutCables = new Set<string>();
    const downNodes = new Set<string>();
    const withheld = new Set<string>();
    for (const { span, isOpen } of this.#inForce) {
      const { kind } = span.fault;
      const broken = cutsCables.has(kind) ? cutCables : stopsNodes.has(kind) ? downNodes : null;
      if (!isOpen) continue;
      for (const target of openedCables(span)) broken?.add(target);
      for (const pair of span.withholds ?? []) withheld.add(pairName(pair));
    }
    const { hears } = reachability(this.#bench, { cutCables, downNodes });
    const names = [...this.#boards.keys()];
    for (const board of this.#boards.values()) {
      const talks = (from: string, to: string): boolean => hears(to, from) && !withheld.has(pairName({ from, to }));
      const company = names.filter((name) => talks(board.name, name) && talks(name, board.name));
      const together = company.includes(board.name) ? company.length : company.length + 1;
      const isCutOff = together * 2 <= names.length;
      if (board.isCutOff && !isCutOff && board.isUp) this.#expectCatchUp(atUs, board);
      board.isCutOff = isCutOff;
      board.draw(atUs);
    }
  }

  #observeReign(atUs: number): void {
    const leader = [...this.#boards.values()].find((board) => this.#isFollowedByMajority(board));
    if (this.#reign !== null && this.#reign.board === leader?.name && this.#reign.term === leader.term) return;
    if (this.#reign !== null) this.#reign.toUs = atUs;
    this.#reign = leader === undefined ? null : { board: leader.name, term: leader.term, fromUs: atUs, toUs: atUs };
    if (this.#reign !== null) this.#reigns.push(this.#reign);
  }

  #isFollowedByMajority(leader: BoardNow): boolean {
    // Those who cannot hear each other do not know yet that they have lost each other.
    if (leader.state !== "leader" || leader.isCutOff) return false;
    return isQuorum(this.#configuration, rules, (voter) => {
      const board = this.#boards.get(boardOf(voter));
      if (board?.member !== voter || !board.isUp || board.isPaused || board.isCutOff) return false;
      return board.follows?.leader === leader.member && board.follows.term === leader.term;
    });
  }
}

type Draft<Value> = { -readonly [Field in keyof Value]: Value[Field] };

/** A fault in force. Of a flapping cable the cables are open or, for a while, whole. */
type OpenFault = { readonly span: Draft<FaultSpan>; isOpen: boolean };

const stopsBoards: ReadonlySet<string> = new Set<FaultKind>(["power-cut", "crash", "replace", "wipe"]);
const stopsNodes: ReadonlySet<string> = new Set<FaultKind>(["switch-off", "broker-down"]);
const cutsCables: ReadonlySet<string> = new Set<FaultKind | "hand">(["cut", "flap", "split", "isolate", "hand"]);
/** What an experiment does in a moment; no end of it is told. */
const momentary: ReadonlySet<string> = new Set<FaultKind>([
  "wipe",
  "bit-rot",
  "clock-jump",
  "transfer-leadership",
  "add-member",
  "remove-member",
]);

/** What is known of a board at the moment, and the lane that it has drawn so far. */
class BoardNow {
  readonly name: string;
  member: MemberId;
  isUp = false;
  isPaused = false;
  isCutOff = false;
  term = 0;
  commitIndex = 0;
  /** Whom it takes for the leader. */
  follows: { readonly leader: MemberId; readonly term: number } | null = null;
  /** What it missed, from when it is back until it has it. */
  behind: { readonly sinceUs: number; readonly from: number; readonly goal: number } | null = null;
  #role: "follower" | "candidate" | "leader" = "follower";
  readonly #lane: Draft<BoardSpan>[] = [{ fromUs: 0, toUs: 0, state: "down", term: 0, isCutOff: false }];

  constructor(name: string) {
    this.name = name;
    this.member = name;
  }

  get state(): BoardState {
    if (!this.isUp) return "down";
    return this.isPaused ? "paused" : this.#role;
  }

  hear(event: ReplicaEvent): void {
    switch (event.type) {
      case "opened":
        this.isUp = true;
        this.isPaused = false;
        this.member = event.member;
        this.follows = null;
        this.#role = "follower";
        return;
      case "reborn":
        this.commitIndex = 0;
        return;
      case "stopped":
        this.isUp = false;
        return;
      case "role":
        this.#role = event.role === "preCandidate" ? "candidate" : event.role;
        this.term = event.term;
        return;
      case "leader":
        this.follows = event.leader === null ? null : { leader: event.leader, term: event.term };
        this.term = event.term;
        return;
      default:
        return;
    }
  }

  /** Says so if the board has now caught up. */
  commit(atUs: number, index: number): CatchUp | null {
    this.commitIndex = index;
    if (this.behind === null || index < this.behind.goal) return null;
    const { sinceUs, from, goal } = this.behind;
    this.behind = null;
    return { board: this.name, fromUs: sinceUs, toUs: atUs, entries: goal - from };
  }

  /** Goes on with the lane, in a new span if anything has changed. */
  draw(atUs: number): void {
    const last = this.#lane.at(-1);
    const { state, term, isCutOff } = this;
    if (last?.state === state && last.term === term && last.isCutOff === isCutOff) return;
    if (last !== undefined) last.toUs = atUs;
    this.#lane.push({ fromUs: atUs, toUs: atUs, state, term, isCutOff });
  }

  finish(endUs: number): readonly BoardSpan[] {
    const last = this.#lane.at(-1);
    if (last !== undefined) last.toUs = endUs;
    return this.#lane.filter(({ fromUs, toUs }) => toUs > fromUs);
  }
}
