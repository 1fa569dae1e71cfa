/**
 * Updates boards in place, one after the other. A board is taken down only while all others that a majority needs are in
 * agreement; the next one's turn comes when it takes part again. What goes wrong ends the whole, and a board that does not
 * come back with the new program comes back with the old one.
 *
 * The hard part is on the boards (`hardware/image/adrift-update.sh`): they change back by themselves, so this may die anywhere.
 */

import { setTimeout as pause } from "node:timers/promises";
import { CutterFailure } from "../cutters/cutter.ts";
import type { BoardPrograms, BoardUpdater } from "./board-updater.ts";
import type { Cluster } from "./cluster.ts";
import { DeployFailure } from "./deploy-failure.ts";
import { hasCaughtUp, inOrder, isInAgreement, leaderOf, successorOf, whyNotWithout } from "./order.ts";
import type { Program, Release } from "./release.ts";

/** How long things may take. */
export type DeployTimes = {
  /** So long a board has to come back with the new program; then it changes back by itself. Whole seconds. */
  readonly trialSeconds: number;
  /** So long it must go well without an end. */
  readonly steadyMs: number;
  /** A board that changes back is waited for so long beyond its trial; it has nothing to do but to start. */
  readonly backMs: number;
};

/** What a board gives up in vain, it gives up within a minute; a program that ends later is not caught by a trial. */
export const usualDeployTimes: DeployTimes = { trialSeconds: 60, steadyMs: 3_000, backMs: 60_000 };

/** What is needed to update boards. */
export type DeployParts = {
  readonly program: Program;
  readonly release: Release;
  readonly cluster: Cluster;
  /** All boards of the bench that can be reached by SSH. */
  readonly updaters: ReadonlyMap<string, BoardUpdater>;
  /** How many boards the bench has. */
  readonly benchSize: number;
  /** 32 hexadecimal digits that no other controller has. */
  readonly token: string;
  readonly times: DeployTimes;
  /** Hears what happens, in sentences. */
  readonly tell: (sentence: string) => void;
  readonly isInterrupted: () => boolean;
};

/** What became of a board. `left`: its turn never came. */
export type BoardOutcome = {
  readonly board: string;
  readonly outcome: "updated" | "already" | "undone" | "unknown" | "left";
  /** Why it was not updated; empty where there is nothing to say. */
  readonly detail: string;
};

/** How long a claim on the boards lasts without being renewed: longer than one board takes. */
const claimMarginSeconds = 60;
const lookEveryMs = 200;
const handOverMsMax = 15_000;
/** All boards are asked to agree again for so long before one more is taken down. */
const agreementMsMax = 20_000;

/** Updates the boards in the order of least harm. What became of each stands in the answer, whatever happens. */
export async function deploy(boards: readonly string[], parts: DeployParts): Promise<readonly BoardOutcome[]> {
  const outcomes = new Map<string, BoardOutcome>();
  const note = (board: string, outcome: BoardOutcome["outcome"], detail = ""): void => {
    outcomes.set(board, { board, outcome, detail });
  };
  const { program, tell } = parts;
  let [turn] = boards;
  try {
    await claimBoards(boards, parts);
    for (const board of boards) {
      const { current, trial } = await updaterOf(board, parts).programs();
      if (current === program.sha256 && trial === null) note(board, "already");
    }
    for (;;) {
      const remaining = boards.filter((board) => !outcomes.has(board));
      if (remaining.length === 0) break;
      [turn] = remaining;
      if (parts.isInterrupted()) throw new DeployFailure("Stopped, as you asked.");
      const updated = new Set([...outcomes.keys()]);
      const board = await nextBoard(remaining, updated, parts);
      turn = board;
      tell(`${board}: sending the program`);
      await updaterOf(board, parts).put(program.sha256, parts.release);
      const { outcome, detail } = await updateBoard(board, parts);
      note(board, outcome, detail);
      tell(`${board}: ${outcome}${detail === "" ? "" : ` (${detail})`}`);
      if (outcome !== "updated") break;
    }
  } catch (error) {
    if (!(error instanceof DeployFailure || error instanceof CutterFailure)) throw error;
    if (turn !== undefined) note(turn, "left", error.message);
  } finally {
    await Promise.all([...parts.updaters.values()].map((each) => each.unclaim(parts.token).catch(() => undefined)));
  }
  return boards.map((board) => outcomes.get(board) ?? { board, outcome: "left", detail: "" });
}

/**
 * Claims all boards, so that no other controller takes down another one meanwhile: the boards to be updated, and together
 * with others more than half of all. Two controllers cannot both have that.
 */
async function claimBoards(boards: readonly string[], parts: DeployParts): Promise<void> {
  const { updaters, token, times, benchSize } = parts;
  const seconds = times.trialSeconds + claimMarginSeconds;
  const failures = new Map<string, string>();
  const claim = async ([board, updater]: readonly [string, BoardUpdater]): Promise<void> => {
    await updater.claim(token, seconds).catch((error: unknown) => {
      if (error instanceof DeployFailure) throw error;
      failures.set(board, error instanceof Error ? error.message : String(error));
    });
  };
  // One after the other, in the order of the bench: of two controllers that begin at once, one gets all.
  for (const each of updaters) await claim(each);
  const why = [...failures.values()].join(" ");
  const needed = boards.filter((board) => failures.has(board));
  if (needed.length > 0) throw new DeployFailure(`${needed.join(", ")} cannot be updated: ${why}`);
  if (updaters.size - failures.size > benchSize / 2) return;
  throw new DeployFailure(
    `Fewer than half of the boards can be reached by SSH, so another controller might be at work: ${why}`,
  );
}

/** The board whose turn it is, once it can be done without; a leader has handed over by then. */
async function nextBoard(
  remaining: readonly string[],
  updated: ReadonlySet<string>,
  parts: DeployParts,
): Promise<string> {
  const { cluster, tell } = parts;
  let why: string | null = null;
  const untilMs = performance.now() + agreementMsMax;
  while (performance.now() < untilMs) {
    const look = await cluster.look();
    const [board = ""] = inOrder(remaining, look);
    why = whyNotWithout(board, look);
    if (why === null && leaderOf(look)?.board !== board) return board;
    const successor = why === null ? successorOf(board, look, updated) : null;
    if (successor !== null) {
      tell(`${board}: hands over to ${successor}`);
      await handOver(board, successor, cluster);
    }
    await pause(lookEveryMs);
  }
  throw new DeployFailure(why ?? `${remaining.join(", ")} leads, and does not hand over.`);
}

async function handOver(board: string, successor: string, cluster: Cluster): Promise<void> {
  const untilMs = performance.now() + handOverMsMax;
  let refusal = await cluster.handOver(successor);
  while (performance.now() < untilMs) {
    const leader = leaderOf(await cluster.look());
    if (leader !== null && leader.board !== board) return;
    await pause(lookEveryMs);
    if (refusal !== null) refusal = await cluster.handOver(successor);
  }
  throw new DeployFailure(`${board} does not hand over to ${successor}${refusal === null ? "" : `: ${refusal}`}.`);
}

type Ending = Pick<BoardOutcome, "outcome" | "detail">;

/** Changes one board's program, and waits until it is sure which one it has in the end. */
async function updateBoard(board: string, parts: DeployParts): Promise<Ending> {
  const { program, token, times, cluster, tell } = parts;
  const updater = updaterOf(board, parts);
  // Sending has taken a while: the claims are made to last, and the others looked at once more.
  await claimBoards([board], parts);
  const look = await cluster.look();
  const why = whyNotWithout(board, look);
  if (why !== null) throw new DeployFailure(why);
  if (leaderOf(look)?.board === board) throw new DeployFailure(`${board} has come to lead again. Try again.`);
  tell(`${board}: changes to ${program.version}`);
  const untilMs = performance.now() + times.trialSeconds * 1_000;
  let failure: string | null = null;
  try {
    await updater.begin(program.sha256, token, times.trialSeconds);
    failure = await confirmWhenWell(board, untilMs, parts);
    if (failure === null) return { outcome: "updated", detail: "" };
    await updater.revert(program.sha256, token);
  } catch (error) {
    if (!(error instanceof DeployFailure || error instanceof CutterFailure)) throw error;
    failure = error.message;
  }
  return await wentBack(board, failure, parts);
}

/** Confirms the program on trial as soon as its board has followed for a while. Answers why it did not; `null`: it did. */
async function confirmWhenWell(board: string, untilMs: number, parts: DeployParts): Promise<string | null> {
  const { program, token, times, cluster } = parts;
  const updater = updaterOf(board, parts);
  let well = notYet;
  /** Up to where the cluster had committed when the program started. */
  let commitIndex: number | null = null;
  let seen = "it was not started";
  while (performance.now() < untilMs) {
    const programs = await reached(updater.programs());
    if (programs !== null && programs.trial?.token !== token) return programs.last;
    const starts = programs?.trial?.starts ?? 0;
    // Only what is said after the start is said by the new program.
    const look = starts === 0 ? null : await cluster.look();
    if (look !== null) {
      commitIndex ??= leaderOf(look)?.status.commitIndex ?? null;
      const isWell = commitIndex !== null && hasCaughtUp(board, look, commitIndex);
      seen = isInAgreement(board, look) ? "it did not catch up" : "it did not join the others";
      if (!isWell) well = notYet;
      else if (well.starts !== starts) well = { sinceMs: performance.now(), starts };
      if (performance.now() - well.sinceMs >= times.steadyMs) {
        await updater.confirm(program.sha256, token);
        return null;
      }
    }
    await pause(lookEveryMs);
  }
  return `${seen} within ${times.trialSeconds} s`;
}

/** Since when it has gone well without an end, and at which start of the program. */
type Well = { readonly sinceMs: number; readonly starts: number };

const notYet: Well = { sinceMs: Number.POSITIVE_INFINITY, starts: 0 };

/** Waits until a board that was changed back takes part again; tells if nobody knows what became of it. */
async function wentBack(board: string, why: string, parts: DeployParts): Promise<Ending> {
  const { program, cluster, token, times } = parts;
  const untilMs = performance.now() + times.trialSeconds * 1_000 + times.backMs;
  let programs: BoardPrograms | null = null;
  while (performance.now() < untilMs) {
    programs = await reached(updaterOf(board, parts).programs());
    if (programs !== null && programs.trial === null) {
      // The answer to a confirmation may be all that was lost.
      if (programs.current === program.sha256) return { outcome: "updated", detail: "" };
      if (isInAgreement(board, await cluster.look())) return { outcome: "undone", detail: reasonOf(programs, why) };
    }
    if (programs?.trial?.token === token) await reached(updaterOf(board, parts).revert(program.sha256, token));
    await pause(lookEveryMs);
  }
  if (programs === null) {
    const detail = `${why} It cannot be reached; it changes back by itself ${times.trialSeconds} s after its start`;
    return { outcome: "unknown", detail };
  }
  return {
    outcome: "undone",
    detail: `${reasonOf(programs, why)}; with the old program it has not joined the others either`,
  };
}

/** The board's own word, where it has undone the change by itself; else the controller's. */
function reasonOf({ last }: BoardPrograms, why: string): string {
  const own = /^undone [0-9a-f]{64} (.*)$/.exec(last)?.[1];
  return own === undefined || own.includes("its controller") ? why : own;
}

/** `null` if the board cannot be reached now, or does not do it. */
async function reached<Result>(answer: Promise<Result>): Promise<Result | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof DeployFailure || error instanceof CutterFailure) return null;
    throw error;
  }
}

function updaterOf(board: string, { updaters }: DeployParts): BoardUpdater {
  const updater = updaters.get(board);
  if (updater !== undefined) return updater;
  throw new DeployFailure(
    `Nobody knows where ${board} is: write its address into the bench's file, as in "address: 192.168.7.11".`,
  );
}
