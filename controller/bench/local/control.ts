/** Carries out what other processes ask of a local bench. */

import type { Bench } from "../../../hardware/bench.ts";
import { unknownName } from "../../../hardware/suggestion.ts";
import type { CutDirection } from "../../../sim/network-types.ts";
import type { ControlReply, ControlRequest, Did } from "./control-protocol.ts";
import { completeGroups, GroupsError, groupsWith, planPartition } from "./partition.ts";
import type { LocalBenchState } from "./settings.ts";

/** What is asked of a bench from outside. */
export type Controllable = {
  readonly bench: Bench;
  readonly state: LocalBenchState;
  cut(cable: string, direction: CutDirection, leaseMs: number | null): void;
  heal(cable?: string): void;
};

/** Carries out one request. */
export function carryOutRequest(on: Controllable, request: ControlRequest): ControlReply {
  try {
    const did = perform(on, request);
    return { ok: true, did, state: on.state };
  } catch (error) {
    if (error instanceof RequestError || error instanceof GroupsError) return { ok: false, error: error.message };
    throw error;
  }
}

/** What was asked for cannot be done; the message is for whoever asked. */
class RequestError extends Error {}

function perform(on: Controllable, request: ControlRequest): Did {
  switch (request.do) {
    case "cut": {
      const cables = cablesOf(on.bench, request.names);
      if (cables.length === 0) throw new RequestError("Which cable? Name at least one.");
      // All of them are looked at before the first is cut.
      const cuts = cables.map((cable) => ({ cable, direction: directionOf(on.bench, cable, request.from) }));
      for (const { cable, direction } of cuts) on.cut(cable, direction, request.leaseMs);
      return whatIsSo(on, cables);
    }
    case "heal": {
      const cut = on.state.cuts.map(({ cable }) => cable);
      const cables = request.names.length === 0 ? cut : cablesOf(on.bench, request.names);
      for (const cable of cables) on.heal(cable);
      return whatIsSo(
        on,
        cables.filter((cable) => cut.includes(cable)),
      );
    }
    case "partition": {
      const groups = completeGroups(on.bench, request.groups);
      const { cables, alone } = planPartition(on.bench, groups);
      for (const cable of cables) on.cut(cable, "both", request.leaseMs);
      return { ...whatIsSo(on, cables), alone };
    }
    case "state":
      return whatIsSo(on, []);
    default:
      return request satisfies never;
  }
}

function whatIsSo({ bench, state }: Controllable, cables: readonly string[]): Did {
  const groups = groupsWith(bench, new Set(state.cuts.map(({ cable }) => cable)));
  return { cables, groups, alone: [] };
}

/** The cables that names mean: a cable's own, and for any other thing on the bench all that are plugged in there. */
function cablesOf({ cables }: Bench, names: readonly string[]): readonly string[] {
  const wanted = new Set<string>();
  for (const name of names) {
    const own = cables.filter((cable) => cable.name === name);
    const plugged = cables.filter(({ ends }) => ends.some(({ node }) => node === name));
    const found = own.length > 0 ? own : plugged;
    if (found.length === 0) {
      const known = cables.map((cable) => cable.name);
      throw new RequestError(`${capitalized(unknownName("cable", name, known))}`);
    }
    for (const cable of found) wanted.add(cable.name);
  }
  return [...wanted];
}

function directionOf({ cables }: Bench, name: string, from: string | null): CutDirection {
  if (from === null) return "both";
  const [one, other] = cables.find((cable) => cable.name === name)?.ends.map(({ node }) => node) ?? [];
  if (from === one) return "fromFirstEnd";
  if (from === other) return "fromSecondEnd";
  throw new RequestError(`${from} is no end of the cable ${name}: it joins ${one} and ${other}.`);
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
