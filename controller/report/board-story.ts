/** What boards say of themselves, in sentences, without what would only repeat or delay the story. */

import type { ReplicaEvent } from "../../device/replica/host.ts";
import { boardOf } from "../../device/replica/identity.ts";
import type { BoardEvent, Chronicle } from "../experiment/chronicle.ts";
import type { StoryLine } from "./story-line.ts";
import { listed, seconds } from "./words.ts";

type EventOf<Type extends ReplicaEvent["type"]> = Extract<ReplicaEvent, { readonly type: Type }>;

/** An election that is won so soon after its board began to ask is told in one sentence. */
const promptUs = 300_000;
/** What boards say so close together is one sentence. */
const togetherUs = 100_000;

function isElection(event: ReplicaEvent): boolean {
  return event.type === "role" && event.role === "leader";
}

/** The lines of all boards, in the order of time. */
export function tellBoards(chronicle: Chronicle): readonly StoryLine[] {
  return new BoardStory(chronicle).tell();
}

class BoardStory {
  readonly #chronicle: Chronicle;
  readonly #lines: StoryLine[] = [];
  /** Boards that ask for votes in vain, so far: that is told once. */
  readonly #asking = new Set<string>();
  #configurationTold = 0;

  constructor(chronicle: Chronicle) {
    this.#chronicle = chronicle;
  }

  tell(): readonly StoryLine[] {
    const { boardEvents } = this.#chronicle;
    const electedBefore = boardEvents.findLast(({ atUs, event }) => atUs === 0 && isElection(event));
    boardEvents.forEach((event, at) => {
      // Of what came before a run in real time began, only who leads when it begins is part of the story.
      if (event.atUs === 0 && event !== electedBefore) return;
      const text = this.#sentence(event, at);
      if (text !== null) {
        this.#lines.push({ atUs: event.atUs, kind: isElection(event.event) ? "elected" : "board", text });
      }
    });
    return this.#lines;
  }

  #sentence({ atUs, board, event }: BoardEvent, at: number): string | null {
    switch (event.type) {
      case "role":
        return this.#role(atUs, board, event, at);
      case "leader":
        // Who has asked in vain and now follows another is back.
        if (event.leader === null || boardOf(event.leader) === board || !this.#asking.delete(board)) return null;
        return `${board} hears ${boardOf(event.leader)} and follows it, in term ${event.term}.`;
      case "opened":
        this.#asking.delete(board);
        return event.tornTail === null ? null : this.#tornTails(atUs, at);
      case "damaged":
        return `${board} finds its disk damaged, and does not vote with it any more.`;
      case "reborn":
        return `${board} starts over with an empty log, under a new identity.`;
      case "snapshotReceived":
        return `${board} lacks entries that the leader no longer keeps, and takes a snapshot up to entry ${event.index} instead.`;
      case "configuration":
        return this.#configuration(event);
      case "stopped":
        return `${board} stops: ${event.reason.replace(/\.$/, "")}.`;
      case "transfer":
        return event.phase === "abandoned" ? `${board} gives up handing over to ${boardOf(event.to)}.` : null;
      default:
        return null;
    }
  }

  #role(atUs: number, board: string, { role, term, reason }: EventOf<"role">, at: number): string | null {
    switch (role) {
      case "leader": {
        this.#asking.delete(board);
        if (atUs === 0) return `${board} leads already, in term ${term}.`;
        const asked = this.#wasAsked(atUs, board, at) ? "is asked to take over" : "misses the leader, asks for votes";
        const before = term === 1 ? "asks for votes" : asked;
        return `${board} ${before} and gets a majority: it leads in term ${term}.`;
      }
      case "preCandidate":
        if (this.#asking.has(board) || this.#isElectedSoon(atUs, board, at)) return null;
        this.#asking.add(board);
        return `${board} misses the leader, and asks whether the others would vote for it${this.#inVain(atUs, board)}.`;
      case "candidate":
        if (this.#isElectedSoon(atUs, board, at)) return null;
        this.#asking.add(board);
        return `${board} asks for votes in term ${term}${this.#isRejected(board, at) ? ", and does not get a majority" : ""}.`;
      case "follower":
        if (!reason.includes("not heard from a majority")) return null;
        return `${board} hears from no majority, and stops leading by itself.${this.#rival(atUs, board)}`;
      default:
        return role satisfies never;
    }
  }

  #isElectedSoon(atUs: number, board: string, at: number): boolean {
    const { boardEvents } = this.#chronicle;
    for (let next = at + 1; next < boardEvents.length; next += 1) {
      const later = boardEvents[next];
      if (later === undefined || later.atUs > atUs + promptUs) return false;
      if (later.board === board && later.event.type === "role" && later.event.role === "leader") return true;
    }
    return false;
  }

  /** Whether the board gave this election up: it follows, or asks again. At the end of a run nobody knows yet. */
  #isRejected(board: string, at: number): boolean {
    const next = this.#chronicle.boardEvents
      .slice(at + 1)
      .find((later) => later.board === board && (later.event.type === "role" || later.event.type === "opened"));
    return next?.event.type === "role" && next.event.role !== "leader";
  }

  /** Whether the board campaigned because its leader handed over (§3.10), so without asking first whether it may. */
  #wasAsked(atUs: number, board: string, at: number): boolean {
    const { boardEvents } = this.#chronicle;
    for (let before = at - 1; before >= 0; before -= 1) {
      const earlier = boardEvents[before];
      if (earlier === undefined || earlier.atUs < atUs - promptUs) return false;
      if (earlier.board !== board || earlier.event.type !== "role") continue;
      if (earlier.event.role === "preCandidate") return false;
      if (earlier.event.role === "candidate" && earlier.event.reason.includes("hands over")) return true;
    }
    return false;
  }

  #inVain(atUs: number, board: string): string {
    const spans = this.#chronicle.lanes.get(board) ?? [];
    const span = spans.find(({ fromUs, toUs }) => fromUs <= atUs && atUs < toUs);
    return span?.isCutOff === true ? ", but no majority hears it" : "";
  }

  /** A leader that was cut off does not know at once that there is another. It does no harm: it cannot commit anything. */
  #rival(atUs: number, board: string): string {
    const rival = this.#chronicle.reigns.findLast((reign) => reign.fromUs < atUs);
    if (rival === undefined || rival.board === board) return "";
    const forUs = atUs - rival.fromUs;
    return ` For ${seconds(forUs)} two boards led, in different terms; only ${rival.board} could commit anything.`;
  }

  /** Boards that lost their power together are told together. */
  #tornTails(atUs: number, at: number): string | null {
    const { boardEvents } = this.#chronicle;
    const nearby = boardEvents.filter(
      ({ atUs: thenUs, event }) =>
        Math.abs(thenUs - atUs) < togetherUs && event.type === "opened" && event.tornTail !== null,
    );
    if (nearby[0] !== boardEvents[at]) return null;
    const names = nearby.map(({ board }) => board).sort();
    const [find, logs, cut] = names.length === 1 ? ["finds", "its log", "cuts"] : ["find", "their logs", "cut"];
    return `${listed(names)} ${find} a record half written at the end of ${logs}, and ${cut} it off.`;
  }

  /** Every board hears of a change sooner or later; whoever is the first tells it. */
  #configuration({ index, configuration }: EventOf<"configuration">): string | null {
    if (index <= this.#configurationTold) return null;
    this.#configurationTold = index;
    const { voters, votersOutgoing, learners } = configuration;
    const changing = votersOutgoing.length === 0 ? "" : `, and until all know it also ${listed(votersOutgoing)}`;
    const learning = learners.length === 0 ? "" : `; ${listed(learners)} ${learners.length === 1 ? "learns" : "learn"}`;
    return `${listed(voters)} vote${changing}${learning}.`;
  }
}
