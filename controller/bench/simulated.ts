/** The simulated bench: carries out on a world what experiments do to a bench. */

import { boardOf } from "../../device/replica/identity.ts";
import type { World } from "../../sim/world.ts";
import type { BenchAction, DiskCondition } from "../experiment/bench-action.ts";
import type { ClusterView } from "../experiment/resolve.ts";

export type SimulatedBenchOptions = {
  /** Leave out what would take away the memory of a majority: no protocol survives that, so it shows nothing. */
  readonly sparesQuorum: boolean;
};

/** What can be known of the simulated cluster, for targets such as `leader`. */
export function viewOf(world: World): ClusterView {
  const leader = world.leader;
  const configuration = leader?.replica?.raft?.configuration;
  const voters = configuration?.voters.map(boardOf) ?? world.boards.map((board) => board.name);
  return {
    boards: world.boards.filter((board) => board.state === "running").map((board) => board.name),
    leader: leader?.name ?? null,
    voters,
  };
}

/** Carries out one action. */
export function carryOut(world: World, action: BenchAction, options: SimulatedBenchOptions): void {
  const { network } = world;
  switch (action.kind) {
    case "cut":
      network.cutCable(action.cable, action.direction);
      world.noteFault(`cable ${action.cable} is cut`, true);
      return;
    case "heal":
      network.healCable(action.cable);
      world.noteFault(`cable ${action.cable} is whole`, false);
      return;
    case "switchOff":
      network.switchOff(action.switch);
      world.noteFault(`${action.switch} is off`, true);
      return;
    case "switchOn":
      network.switchOn(action.switch);
      world.noteFault(`${action.switch} is on`, false);
      return;
    case "stopBroker": {
      const losesSessions = action.loses.includes("sessions");
      network.crashBroker(action.broker, { losesSessions, losesRetained: action.loses.includes("retained") });
      world.noteFault(`broker ${action.broker} is gone`, true);
      return;
    }
    case "startBroker":
      network.restartBroker(action.broker);
      world.noteFault(`broker ${action.broker} is back`, false);
      return;
    case "withhold":
      network.setWithheld(action.from, action.to, true);
      world.noteFault(`what ${action.from} says to ${action.to} is withheld`, true);
      return;
    case "deliver":
      network.setWithheld(action.from, action.to, false);
      world.noteFault(`what ${action.from} says to ${action.to} arrives again`, false);
      return;
    case "setNoise":
      network.setNoise(action.noise);
      world.noteFault(action.noise === null ? "the network is quiet" : "the network is noisy", action.noise !== null);
      return;
    case "powerOff":
      world.powerCut(action.board);
      return;
    case "kill":
      world.crash(action.board);
      return;
    case "start":
      world.start(action.board);
      return;
    case "pause":
      world.pause(action.board);
      return;
    case "resume":
      world.resume(action.board);
      return;
    case "setDisk":
      setDisk(world, action.board, action.condition);
      return;
    case "flipBit":
      if (!options.sparesQuorum || world.mayLose(action.board)) world.rot(action.board);
      return;
    case "eraseCard":
      if (!options.sparesQuorum || world.mayLose(action.board)) world.wipe(action.board);
      return;
    case "setClockDrift":
      world.setClockDrift(action.board, action.driftPpm);
      return;
    case "jumpClock":
      world.jumpClock(action.board, action.byUs);
      return;
    case "transferLeadership":
      world.operator.transferLeadership(action.board);
      return;
    case "addMembers":
      world.operator.addMembers(action.boards);
      return;
    case "removeMembers":
      world.operator.removeMembers(action.boards);
      return;
    default:
      action satisfies never;
  }
}

/** A flush on a good simulated disk takes about this long: what a slow one is measured against. */
const usualFlushUs = 600;

function setDisk(world: World, name: string, condition: DiskCondition): void {
  const { disk } = world.board(name);
  disk.setFull(condition.kind === "full");
  disk.setSlowness(condition.kind === "slow" ? Math.max(1, Math.round(condition.flushUs / usualFlushUs)) : 1);
  if (condition.kind === "stalled") disk.stall();
  else disk.resume();
  world.noteFault(`the disk of ${name} is ${condition.kind}`, condition.kind !== "healthy");
}
