/** `adrift deploy`: the boards of a rack updated in place, one after the other. */

import { randomBytes } from "node:crypto";
import { dirname, resolve } from "node:path";
import { type Bench, parseBench } from "../../../hardware/bench.ts";
import { BenchFailure } from "../../bench/bench.ts";
import { findPrograms } from "../../bench/local/programs.ts";
import { type RackAccess, rackAccess } from "../../bench/rack/addresses.ts";
import { leaveHosts, openHost } from "../../cutters/command-host.ts";
import { CutterFailure } from "../../cutters/cutter.ts";
import type { CommandHost } from "../../cutters/surroundings.ts";
import { BoardUpdater } from "../../deploy/board-updater.ts";
import { type Cluster, connectToCluster } from "../../deploy/cluster.ts";
import { type BoardOutcome, type DeployTimes, deploy, usualDeployTimes } from "../../deploy/deploy.ts";
import { DeployFailure } from "../../deploy/deploy-failure.ts";
import { inOrder, leaderOf, whyNotWithout } from "../../deploy/order.ts";
import { type Program, readProgram, signProgram } from "../../deploy/release.ts";
import { readAnswer } from "../answer.ts";
import { findBench } from "../files.ts";
import { type ExitStatus, exitStatus, type Shell, UsageError } from "../shell.ts";

/** What stands on the command line. */
export type DeployOptions = {
  readonly bench: string;
  readonly bundle?: string;
  readonly dryRun?: true;
  readonly yes?: true;
  readonly json?: true;
};

type Rack = {
  readonly bench: Bench;
  readonly access: RackAccess & { readonly keys: NonNullable<RackAccess["keys"]> };
  readonly boards: readonly string[];
  readonly hosts: ReadonlyMap<string, CommandHost>;
};

/**
 * Updates the boards that are named, or all. Ends as `done` if all of them run the program then.
 *
 * @param times how long boards may take; tests have less of it
 */
export async function deployToRack(
  shell: Shell,
  named: readonly string[],
  options: DeployOptions,
  times: DeployTimes = usualDeployTimes,
): Promise<ExitStatus> {
  const rack = findRack(shell, named, options.bench);
  const file = options.bundle === undefined ? (await findPrograms()).board : resolve(shell.folder, options.bundle);
  let cluster: Cluster | null = null;
  try {
    const program = await readProgram(file);
    cluster = await connectToCluster(rack.bench, rack.access);
    if (options.dryRun === true) return await showPlan(shell, rack, program, cluster, options);
    if (options.yes !== true && !(await isConfirmed(shell, rack, program))) {
      shell.err.write("Nothing was changed.\n");
      return exitStatus.failed;
    }
    const interruption = shell.noteInterruption();
    const outcomes = await deploy(rack.boards, {
      program,
      release: signProgram(program, rack.bench.cluster, rack.access.keys),
      cluster,
      updaters: updatersOf(rack),
      benchSize: rack.bench.boards.length,
      token: randomBytes(16).toString("hex"),
      times,
      tell: (sentence) => shell.err.write(`${sentence}\n`),
      isInterrupted: () => interruption.isRequested,
    });
    return report(shell, rack, program, outcomes, options);
  } catch (error) {
    if (!(error instanceof DeployFailure || error instanceof CutterFailure)) throw error;
    if (options.json === true) shell.out.write(`${JSON.stringify({ bench: rack.bench.name, error: error.message })}\n`);
    else shell.err.write(`${error.message}\nNothing was changed.\n`);
    return exitStatus.failed;
  } finally {
    await cluster?.close();
    await leaveHosts(rack.hosts.values());
  }
}

function findRack(shell: Shell, named: readonly string[], file: string): Rack {
  const { name, text } = findBench(file, shell.folder);
  const bench = parseBench(text, name);
  const all = bench.boards.map((board) => board.name);
  const unknown = named.filter((board) => !all.includes(board));
  if (unknown.length > 0) {
    throw new UsageError(`${bench.name} has no board ${unknown.join(", ")}; it has ${all.join(", ")}.`);
  }
  const boards = named.length === 0 ? all : all.filter((board) => named.includes(board));
  const hosts = new Map(
    bench.boards.flatMap((board) =>
      board.address === null
        ? []
        : [[board.name, openHost(board.name, { kind: "ssh", host: board.address, user: null })] as const],
    ),
  );
  const lost = boards.find((board) => !hosts.has(board));
  if (lost !== undefined) {
    throw new UsageError(`Where is ${lost}? Write it into ${name}, as in "address: 192.168.7.11".`);
  }
  return { bench, access: accessTo(bench, dirname(resolve(shell.folder, name))), boards, hosts };
}

function accessTo(bench: Bench, folder: string): Rack["access"] {
  try {
    const { brokers, keys } = rackAccess(bench, folder);
    if (keys !== null) return { brokers, keys };
  } catch (error) {
    throw error instanceof BenchFailure ? new UsageError(error.message) : error;
  }
  throw new UsageError(
    `Boards take programs only from the controller of their bench, and its keys are not in ${folder}/keys. Run this with the bench.yaml with which the cards were written.`,
  );
}

function updatersOf({ hosts }: Rack): ReadonlyMap<string, BoardUpdater> {
  return new Map([...hosts].map(([board, host]) => [board, new BoardUpdater(host)]));
}

async function showPlan(
  { out }: Shell,
  rack: Rack,
  program: Program,
  cluster: Cluster,
  options: DeployOptions,
): Promise<ExitStatus> {
  const look = await cluster.look();
  const updaters = updatersOf(rack);
  const ordered = inOrder(rack.boards, look);
  const steps = await Promise.all(
    ordered.map(async (board) => {
      const current = (await updaters.get(board)?.programs())?.current ?? "";
      const why = current === program.sha256 ? null : whyNotWithout(board, look);
      const leads = leaderOf(look)?.board === board;
      return { board, current, runsIt: current === program.sha256, handsOver: leads, obstacle: why };
    }),
  );
  const { sha256, version } = program;
  if (options.json === true) {
    out.write(`${JSON.stringify({ bench: rack.bench.name, program: { sha256, version }, plan: steps })}\n`);
  } else {
    out.write(`${rack.bench.name}: ${version} (${sha256.slice(0, 12)})\n`);
    for (const { board, current, runsIt, handsOver, obstacle } of steps) {
      const change = runsIt ? "runs it already" : `changes from ${current.slice(0, 12)}`;
      const first = handsOver && !runsIt ? "hands over, then " : "";
      out.write(`  ${board}: ${first}${change}${obstacle === null ? "" : `; not now: ${obstacle}`}\n`);
    }
    out.write("Nothing was changed (--dry-run).\n");
  }
  return steps.every(({ obstacle }) => obstacle === null) ? exitStatus.done : exitStatus.failed;
}

async function isConfirmed(shell: Shell, { boards }: Rack, { version, sha256 }: Program): Promise<boolean> {
  shell.err.write(
    `${boards.join(", ")} will change to ${version} (${sha256.slice(0, 12)}), one after the other. Type "yes" to go on: `,
  );
  const answer = await readAnswer(shell.input);
  if (answer === null) throw new UsageError("\nNobody is there to answer. In a script add --yes.");
  return answer === "yes";
}

function report(
  { out }: Shell,
  { bench }: Rack,
  { sha256, version }: Program,
  outcomes: readonly BoardOutcome[],
  options: DeployOptions,
): ExitStatus {
  if (options.json === true) {
    out.write(`${JSON.stringify({ bench: bench.name, program: { sha256, version }, boards: outcomes })}\n`);
  } else {
    for (const { board, outcome, detail } of outcomes) {
      out.write(`${board}: ${words[outcome]}${detail === "" ? "" : `: ${detail}`}\n`);
    }
  }
  const isDone = outcomes.every(({ outcome }) => outcome === "updated" || outcome === "already");
  return isDone ? exitStatus.done : exitStatus.failed;
}

const words: Readonly<Record<BoardOutcome["outcome"], string>> = {
  updated: "updated",
  already: "runs this program already",
  undone: "back to its old program",
  unknown: "nobody knows",
  left: "left as it was",
};
