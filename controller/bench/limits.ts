/** What a kind of bench cannot do to itself, and what it does only in part: to be told before anything starts. */

import { type Problem, YamlFileError } from "../../hardware/bench.ts";
import type { Experiment, FaultKind } from "../experiment/model.ts";
import type { BenchKind } from "./bench.ts";

type Limits = {
  /** Why it cannot be done. */
  readonly cannot: Partial<Record<FaultKind, string>>;
  /** What is less than the fault says. */
  readonly inPart: Partial<Record<FaultKind, string>>;
};

const unflushed =
  "killing a process takes away nothing that it wrote; what it had not flushed would be lost with the power of a real " +
  "board, and stays here in the memory of this machine";

const throughTcp = "between its boards is TCP, which loses, doubles and reorders nothing; a simulated bench can do it";
const noDiskOrders =
  "a board on a card of its own takes no orders for a bad disk; a simulated or a local bench can do it";
const noClockOrders = "a board keeps its own time and takes no orders about it; a simulated or a local bench can do it";
const ownMachine = {
  noise: throughTcp,
  "disk-stall": noDiskOrders,
  "disk-slow": noDiskOrders,
  "disk-full": noDiskOrders,
  "bit-rot": noDiskOrders,
  "clock-drift": noClockOrders,
  "clock-jump": noClockOrders,
} as const;
const noNewCard = "its card stays in the board; a person can change it, a program cannot";

const limits: { readonly [Kind in BenchKind]: Limits } = {
  simulated: { cannot: {}, inPart: {} },
  local: { cannot: { noise: throughTcp }, inPart: { "power-cut": unflushed } },
  netns: { cannot: { noise: throughTcp }, inPart: { "power-cut": unflushed } },
  qemu: {
    cannot: {
      ...ownMachine,
      "one-way": "QEMU pulls a cable out, which ends both directions; a simulated or a local bench can do it",
    },
    inPart: {},
  },
  rack: {
    cannot: {
      ...ownMachine,
      wipe: noNewCard,
      replace: noNewCard,
      "switch-off":
        "no switch of a rack is switched off by a program: pull its plug, or cut the cables that lead to it",
      "broker-down": "the brokers of a rack are started and ended by whoever runs them, with Ctrl-C",
    },
    inPart: {},
  },
};

/**
 * Refuses an experiment with a fault that this kind of bench cannot do.
 *
 * @param fileName the experiment's file, for the messages
 * @throws {YamlFileError} with the lines of all such faults
 */
export function checkOnKind(experiment: Experiment, kind: BenchKind, fileName: string): void {
  const problems = experiment.faults.flatMap(({ fault, line }): readonly Problem[] => {
    const why = limits[kind].cannot[fault.kind];
    if (why === undefined) return [];
    return [
      { file: fileName, line, column: 1, message: `A ${kind} bench cannot do the fault "${fault.kind}": ${why}.` },
    ];
  });
  if (problems.length > 0) throw new YamlFileError(problems);
}

/** What this kind of bench does only in part of what the experiment demands, in whole sentences. */
export function reservations(experiment: Experiment, kind: BenchKind): readonly string[] {
  const kinds = new Set(experiment.faults.map(({ fault }) => fault.kind));
  const inPart = [...kinds].flatMap((fault) => {
    const less = limits[kind].inPart[fault];
    return less === undefined ? [] : [`On a ${kind} bench "${fault}" is done only in part: ${less}.`];
  });
  const asksForMore = Object.values(experiment.raft).some((setting) => setting !== null && setting !== false);
  return kind === "rack" && asksForMore ? [...inPart, ownSettings] : inPart;
}

const ownSettings =
  'The boards of a rack keep their own settings of Raft: what the experiment says under "raft" does not reach them.';
