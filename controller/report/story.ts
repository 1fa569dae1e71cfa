/**
 * A run told in sentences, for somebody who is learning: who led, what was done to the bench, what the boards made of it,
 * how long clients waited, who came back and what it had missed.
 */

import type { ReplicaEvent } from "../../device/replica/host.ts";
import { boardOf } from "../../device/replica/identity.ts";
import type { BoardEvent, CatchUp, Chronicle, FaultSpan } from "../experiment/chronicle.ts";
import type { Stall } from "../experiment/stalls.ts";
import { count, faultSentence, listed, seconds } from "./words.ts";

/** One sentence of the story. */
export type StoryLine = {
  readonly atUs: number;
  /** What it is about, for its colour and its mark. */
  readonly kind: "fault" | "heal" | "leader" | "board" | "clients";
  readonly text: string;
};

/** The whole story, in the order of time. */
export function tellStory(chronicle: Chronicle, stalls: readonly Stall[]): readonly StoryLine[] {
  const lines = [
    ...chronicle.faults.flatMap((fault) => tellFault(fault, chronicle)),
    ...tellBoards(chronicle),
    ...chronicle.catchUps.filter(({ entries }) => entries > 0).map(tellCatchUp),
    ...stalls.map(tellStall),
  ];
  return lines.toSorted((one, other) => one.atUs - other.atUs);
}

function tellFault(span: FaultSpan, chronicle: Chronicle): readonly StoryLine[] {
  const { fault, targets, fromUs, toUs } = span;
  const leader = leaderBefore(chronicle, fromUs);
  const isLeaders = leader !== null && targets.length === 1 && isAtBoard(chronicle, targets[0] ?? "", leader);
  const sentence = faultSentence(fault, targets);
  const begins: StoryLine = {
    atUs: fromUs,
    kind: "fault",
    text: isLeaders && fault.kind !== "transfer-leadership" ? `${sentence.slice(0, -1)}: the leader's.` : sentence,
  };
  if (toUs === fromUs) return [begins];
  return [begins, { atUs: toUs, kind: "heal", text: `${healSentence(span)}` }];
}

function healSentence({ fault, targets }: FaultSpan): string {
  const names = listed(targets);
  const verb = (one: string, several: string): string => (targets.length === 1 ? one : several);
  switch (fault.kind) {
    case "cut":
    case "flap":
    case "isolate":
      return `${verb("cable", "cables")} ${names} ${verb("is", "are")} whole again.`;
    case "split":
      return "the bench is whole again.";
    case "noise":
      return "the network is quiet again.";
    case "power-cut":
    case "crash":
    case "replace":
    case "wipe":
      return `${names} ${verb("starts", "start")} again.`;
    case "disk-stall":
    case "disk-slow":
    case "disk-full":
      return `the ${verb("disk", "disks")} of ${names} ${verb("works", "work")} again.`;
    case "clock-drift":
      return `the ${verb("clock", "clocks")} of ${names} ${verb("runs", "run")} true again.`;
    case "broker-down":
    case "switch-off":
    case "pause":
    case "one-way":
      return `${names} ${verb("is", "are")} back.`;
    default:
      return `${names}: that is over.`;
  }
}

/** Whether what a fault hits is this board, or a cable plugged in there and, at its other end, into no other board. */
function isAtBoard({ bench }: Chronicle, target: string, board: string): boolean {
  if (target === board) return true;
  const cable = bench.cables.find(({ name }) => name === target);
  const boards = cable?.ends.filter(({ node }) => bench.boards.some(({ name }) => name === node)) ?? [];
  return boards.length === 1 && boards[0]?.node === board;
}

function leaderBefore({ reigns }: Chronicle, atUs: number): string | null {
  return reigns.findLast(({ fromUs, toUs }) => fromUs < atUs && toUs >= atUs)?.board ?? null;
}

function tellBoards(chronicle: Chronicle): readonly StoryLine[] {
  const lines: StoryLine[] = [];
  /** Since when each board has been asking for votes in vain. */
  const campaigns = new Set<string>();
  for (const { atUs, board, event } of chronicle.boardEvents) {
    const text = tellBoardEvent({ atUs, board, event }, campaigns, chronicle);
    if (text !== null) lines.push({ atUs, kind: isElection(event) ? "leader" : "board", text });
  }
  return lines;
}

function isElection(event: ReplicaEvent): boolean {
  return event.type === "role" && event.role === "leader";
}

/** A sentence on what a board said, or `null` for what would only repeat or delay the story. */
function tellBoardEvent({ board, event }: BoardEvent, campaigns: Set<string>, chronicle: Chronicle): string | null {
  switch (event.type) {
    case "role":
      return tellRole(board, event, campaigns);
    case "leader":
      // Who has asked in vain, cut off or late, and now follows another: this is how it comes back.
      if (event.leader === null || boardOf(event.leader) === board || !campaigns.delete(board)) return null;
      return `${board} hears ${boardOf(event.leader)} and follows it, in term ${event.term}.`;
    case "opened":
      campaigns.delete(board);
      if (event.tornTail === null) return null;
      return `${board} finds ${count(event.tornTail.bytesLost, "byte")} half written at the end of its log and cuts them off.`;
    case "damaged":
      return `${board} finds its disk damaged and does not vote with it any more.`;
    case "reborn":
      return `${board} starts over with an empty log, under a new identity.`;
    case "snapshotReceived":
      return `${board} lacks entries that the leader no longer keeps, and receives a snapshot up to entry ${event.index}.`;
    case "configuration":
      return tellConfiguration(board, event.index, chronicle);
    case "stopped":
      return `${board} stops: ${event.reason}.`;
    case "transfer":
      return event.phase === "abandoned" ? `${board} gives up handing over to ${boardOf(event.to)}.` : null;
    default:
      return null;
  }
}

function tellRole(
  board: string,
  { role, term, reason }: Extract<ReplicaEvent, { readonly type: "role" }>,
  campaigns: Set<string>,
): string | null {
  switch (role) {
    case "leader":
      campaigns.delete(board);
      return `${board} is the leader of term ${term}: ${reason}.`;
    case "preCandidate": {
      const isNew = !campaigns.has(board);
      campaigns.add(board);
      return isNew ? `${board} has heard no leader for too long: it asks whether the others would vote for it.` : null;
    }
    case "candidate":
      campaigns.add(board);
      return `${board} asks for votes in term ${term}.`;
    case "follower":
      return reason.includes("majority") ? `${board} hears from no majority any more, and steps down by itself.` : null;
    default:
      return role satisfies never;
  }
}

/** Everybody hears of a change sooner or later; the first one tells it. */
function tellConfiguration(board: string, index: number, { boardEvents }: Chronicle): string | null {
  const first = boardEvents.find(({ event }) => event.type === "configuration" && event.index === index);
  if (first?.board !== board || first.event.type !== "configuration") return null;
  const { voters, votersOutgoing, learners } = first.event.configuration;
  const changing = votersOutgoing.length === 0 ? "" : ` (until all know it, also ${listed(votersOutgoing)})`;
  const learning = learners.length === 0 ? "" : `; ${listed(learners)} ${learners.length === 1 ? "learns" : "learn"}`;
  return `${listed(voters)} vote${changing}${learning}.`;
}

function tellCatchUp({ board, fromUs, toUs, entries }: CatchUp): StoryLine {
  const text = `${board} has caught up: ${count(entries, "entry", "entries")} missed, ${seconds(toUs - fromUs)} after it came back.`;
  return { atUs: toUs, kind: "board", text };
}

function tellStall({ fromUs, toUs, operations, longestUs }: Stall): StoryLine {
  const who = count(operations, "operation");
  const waited = operations === 1 ? "it took" : "the slowest took";
  const text = `clients are answered again. For ${seconds(toUs - fromUs)} nobody was: ${who} waited, ${waited} ${seconds(longestUs)}.`;
  return { atUs: toUs, kind: "clients", text };
}
