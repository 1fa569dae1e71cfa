/** Whether the names in an experiment are on the bench on which it is to run. */

import { type Bench, type Problem, YamlFileError } from "../../hardware/bench.ts";
import { unknownName } from "../../hardware/suggestion.ts";
import type { Experiment, Fault } from "./model.ts";

/**
 * Checks every name that a fault hits.
 *
 * @param fileName the experiment's file, for the messages
 * @throws {YamlFileError} with all names that the bench does not have, and splits that leave boards out.
 */
export function checkOnBench(experiment: Experiment, bench: Bench, fileName: string): void {
  const problems = experiment.faults.flatMap(({ fault, line }): readonly Problem[] =>
    complaints(fault, bench).map((message) => ({ file: fileName, line, column: 1, message })),
  );
  if (problems.length > 0) throw new YamlFileError(problems);
}

function complaints(fault: Fault, bench: Bench): readonly string[] {
  if (fault.kind === "noise") return [];
  if (fault.kind === "split") return splitComplaints(fault.groups, bench);
  if (fault.target.kind !== "named") return [];
  const { what, known } = namesFor(fault.kind, bench);
  return fault.target.names
    .filter((name) => !known.includes(name))
    .map((name) => `The fault "${fault.kind}" on the bench ${bench.name}: ${unknownName(what, name, known)}`);
}

function splitComplaints(groups: readonly (readonly string[])[], bench: Bench): readonly string[] {
  const boards = namesOf(bench.boards);
  const named = groups.flat();
  const unknown = named
    .filter((name) => !boards.includes(name))
    .map((name) => `The split on the bench ${bench.name}: ${unknownName("board", name, boards)}`);
  const missing = boards.filter((name) => !named.includes(name));
  if (missing.length === 0) return unknown;
  return [
    ...unknown,
    `The split leaves out ${missing.join(", ")}: each board of the bench ${bench.name} needs a group.`,
  ];
}

/** What may be named as the target of a fault. */
function namesFor(kind: Fault["kind"], bench: Bench): { readonly what: string; readonly known: readonly string[] } {
  switch (kind) {
    case "cut":
    case "flap": {
      const machines = bench.brokers.filter((broker) => broker.node === broker.name);
      const known = new Set([...namesOf(bench.cables), ...namesOf(bench.boards), ...namesOf(machines)]);
      return { what: "cable or board", known: [...known] };
    }
    case "switch-off":
      return { what: "switch", known: namesOf(bench.switches) };
    case "broker-down":
      return { what: "broker", known: namesOf(bench.brokers) };
    default:
      return { what: "board", known: namesOf(bench.boards) };
  }
}

function namesOf(things: readonly { readonly name: string }[]): readonly string[] {
  return things.map((thing) => thing.name);
}
