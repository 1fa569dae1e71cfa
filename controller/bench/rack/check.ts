/** Whether an experiment can be done to a rack: by its cutters, its power sources and its wiring. Told before anything moves. */

import { type Bench, type Problem, YamlFileError } from "../../../hardware/bench.ts";
import type { Experiment, Fault, ScheduledFault, Target } from "../../experiment/model.ts";
import { type OneWayCables, planFault, type Wish } from "../plan.ts";
import { meansOf } from "../plan-means.ts";
import { uncutWords } from "./uncut.ts";

/**
 * Refuses what this rack cannot do.
 *
 * @param fileName the experiment's file, for the messages
 * @throws {YamlFileError} with the lines of all faults that cannot be done, why, and what would allow it
 */
export function checkOnRack(experiment: Experiment, bench: Bench, fileName: string): void {
  const problems = experiment.faults.flatMap(({ fault, line }: ScheduledFault): readonly Problem[] => {
    const why = [...new Set(rackComplaints(fault, bench))];
    return why.map((message) => ({ file: fileName, line, column: 1, message }));
  });
  if (problems.length > 0) throw new YamlFileError(problems);
}

/** Why this rack cannot do a fault, in whole sentences; none if it can. */
export function rackComplaints(fault: Fault, bench: Bench): readonly string[] {
  switch (fault.kind) {
    case "cut":
    case "flap":
      return cablesOf(fault.target, bench).flatMap((name) => cableComplaint(name, bench));
    case "split":
      return planComplaints({ kind: "split", groups: fault.groups }, bench);
    case "isolate":
      return boardSets(fault.target, bench).flatMap((boards) => planComplaints({ kind: "isolate", boards }, bench));
    case "one-way":
      return boardSets(fault.target, bench).flatMap((boards) =>
        planComplaints({ kind: "one-way-cables", boards, loses: fault.loses }, bench),
      );
    case "power-cut":
      return boardSets(fault.target, bench)
        .flat()
        .filter((name) => bench.boards.find((board) => board.name === name)?.power === null)
        .map((name) => `Nothing can take the power of ${name}: say what feeds it, as in "power: poe:3".`);
    case "crash":
    case "pause":
      return boardSets(fault.target, bench)
        .flat()
        .filter((name) => bench.boards.find((board) => board.name === name)?.address === null)
        .map((name) => `Nobody can reach ${name} by SSH to stop it: say where it is, as in "address: 192.168.7.11".`);
    default:
      return [];
  }
}

function cableComplaint(name: string, bench: Bench): readonly string[] {
  const cable = bench.cables.find((each) => each.name === name);
  if (cable === undefined) return [];
  const { driver } = bench.cutters.find((each) => each.name === cable.cutter.name) ?? { driver: "virtual" };
  if (driver === "virtual") return [uncutWords(cable)];
  const means = meansOf(bench, cable);
  return means.means === null ? [`The cable ${name} ${means.why}.`] : [];
}

function planComplaints(wish: Wish | OneWayCables, bench: Bench): readonly string[] {
  const planned = planFault(wish, bench);
  return "kind" in planned ? [[...planned.why, ...planned.suggestions].join(" ")] : [];
}

/** The cables that a target can mean: of a word for a board those of every board that it could be. */
function cablesOf(target: Target, bench: Bench): readonly string[] {
  const names = new Set(target.kind === "named" ? target.names : bench.boards.map(({ name }) => name));
  return bench.cables
    .filter(({ name, ends }) => names.has(name) || ends.some(({ node }) => names.has(node)))
    .map(({ name }) => name);
}

/** The boards that a target can mean, each choice by itself; of a part of the boards, which are too many choices, none. */
function boardSets(target: Target, { boards }: Bench): readonly (readonly string[])[] {
  const names = boards.map(({ name }) => name);
  switch (target.kind) {
    case "leader":
    case "follower":
    case "next":
      return names.map((name) => [name]);
    case "all":
      return [names];
    case "named":
      return [names.filter((name) => target.names.includes(name))];
    case "minority":
    case "majority":
      return [];
    default:
      return target satisfies never;
  }
}
