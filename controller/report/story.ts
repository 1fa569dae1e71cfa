/**
 * A run told in sentences, for somebody who is learning: what was done to the bench, who led, how long clients waited,
 * who came back and what it had missed.
 */

import { type Chronicle, type FaultSpan, openedCables } from "../experiment/chronicle.ts";
import type { ConcludedRun } from "../experiment/conclude.ts";
import type { Stall } from "../experiment/service.ts";
import { tellBoards } from "./board-story.ts";
import { faultSentence, healSentence } from "./fault-words.ts";
import type { StoryLine } from "./story-line.ts";
import { capitalized, count, listed, seconds } from "./words.ts";

/** The whole story, in the order of time. */
export function tellStory({ chronicle, stalls, run }: ConcludedRun): readonly StoryLine[] {
  const firstReignUs = chronicle.reigns[0]?.fromUs ?? chronicle.endUs;
  const lines = [
    ...chronicle.faults.flatMap((fault) => tellFault(fault, chronicle)),
    ...tellBoards(chronicle),
    ...tellCatchUps(chronicle),
    ...stalls.map((stall) => tellStall(stall, firstReignUs)),
    ...tellEnd(run),
  ];
  return lines
    .toSorted((one, other) => one.atUs - other.atUs)
    .map((line): StoryLine => ({ ...line, text: capitalized(line.text) }));
}

function tellFault(span: FaultSpan, chronicle: Chronicle): readonly StoryLine[] {
  const { fault, targets, fromUs, toUs } = span;
  const leader = chronicle.reigns.findLast((reign) => reign.fromUs < fromUs && reign.toUs >= fromUs)?.board ?? null;
  const isByBrokers = span.withholds !== undefined && openedCables(span).length === 0 && fault.kind !== "split";
  const sentence = isByBrokers
    ? `brokers withhold what ${listed(targets)} say to each other.`
    : faultSentence(fault, targets);
  const hitsLeader = leader !== null && targets.length === 1 && isAtBoard(chronicle, targets[0] ?? "", leader);
  const text =
    hitsLeader && fault.kind !== "transfer-leadership" ? `${sentence} That is where the leader is.` : sentence;
  const begins: StoryLine = { atUs: fromUs, kind: "fault", text };
  // What lasts to the end of a run was not ended by anybody: the run was stopped.
  return toUs === fromUs || toUs === chronicle.endUs
    ? [begins]
    : [begins, { atUs: toUs, kind: "heal", text: healSentence(fault, targets) }];
}

/** Whether what a fault hits is this board, or a cable of which only this board is an end. */
function isAtBoard({ bench }: Chronicle, target: string, board: string): boolean {
  if (target === board) return true;
  const cable = bench.cables.find(({ name }) => name === target);
  const boards = cable?.ends.filter(({ node }) => bench.boards.some(({ name }) => name === node)) ?? [];
  return boards.length === 1 && boards[0]?.node === board;
}

/** Boards that come back at the same time catch up at the same time: what is closer than this is one line. */
const togetherUs = 100_000;

function tellCatchUps({ catchUps }: Chronicle): readonly StoryLine[] {
  const lines: StoryLine[] = [];
  for (let at = 0; at < catchUps.length; ) {
    const first = catchUps[at];
    if (first === undefined) break;
    const together = catchUps.slice(at).filter(({ toUs }) => toUs - first.toUs < togetherUs);
    const last = together.reduce((one, other) => (other.toUs > one.toUs ? other : one), first);
    const fewest = together.reduce((least, each) => Math.min(least, each.entries), first.entries);
    const most = together.reduce((sum, each) => Math.max(sum, each.entries), 0);
    const names = [...new Set(together.map(({ board }) => board))].sort();
    const missed = `${fewest === most ? "" : "up to "}${count(most, "entry", "entries")} missed`;
    const tookUs = last.toUs - first.fromUs;
    const soon = tookUs < 10_000 ? "at once" : `${seconds(tookUs)} after coming back`;
    const text = `${listed(names)} ${names.length === 1 ? "has" : "have"} caught up: ${missed}, ${soon}.`;
    lines.push({ atUs: last.toUs, kind: "board", text });
    at += together.length;
  }
  return lines;
}

function tellStall({ fromUs, toUs, answered, operations, longestUs }: Stall, firstReignUs: number): StoryLine {
  const who = count(operations, "operation");
  const told = (text: string): StoryLine => ({ atUs: toUs, kind: "clients", text });
  if (!answered) {
    return told(`nobody is answered any more: ${who} waited in vain, for ${seconds(toUs - fromUs)}.`);
  }
  if (fromUs < firstReignUs) return told(`clients are answered; until now ${who} waited for a first leader.`);
  const slowest = operations === 1 ? "" : "the slowest ";
  return told(
    `clients are answered again. For ${seconds(toUs - fromUs)} nobody was: ${who} waited, ${slowest}${seconds(longestUs)}.`,
  );
}

/** What is wrong whatever clients saw: a process died, a rule was broken inside, or there was no recovery. */
function tellEnd(run: ConcludedRun["run"]): readonly StoryLine[] {
  const { kind, violation, liveness, durationUs } = run;
  const deaths = run.kind === "simulated" ? [] : run.deaths;
  const lines = deaths.map(
    ({ name, atUs, reason }): StoryLine => ({ atUs, kind: "fault", text: `${name} dies by itself: ${reason}.` }),
  );
  if (violation !== null) {
    const { invariant, board, detail, atUs } = violation;
    const stops = kind === "simulated" && atUs === durationUs ? ", and the run stops" : "";
    lines.push({
      atUs,
      kind: "fault",
      text: `a rule is broken${stops}: ${invariant}. On ${board}: ${detail.replace(/\.$/, "")}.`,
    });
  }
  if (liveness === null) return lines;
  return [
    ...lines,
    { atUs: durationUs, kind: "fault", text: `in vain it was demanded that ${liveness.demand}: ${liveness.detail}.` },
  ];
}
