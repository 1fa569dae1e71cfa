/**
 * Liveness: when a sufficient part of a broken bench works again, the cluster must serve again, and agree.
 *
 * During the faults only safety is demanded. Then a random part is put right, large enough that Raft must make progress;
 * the rest stays as broken as it is. Within a stated time a leader must answer every client, and all boards of the part
 * that belong to the cluster must come to the same state, byte for byte.
 */

import { membersOf } from "../device/raft/index.ts";
import type { Random } from "../device/random.ts";
import { boardOf } from "../device/replica/identity.ts";
import type { SimBoard } from "./sim-board.ts";
import type { World } from "./world.ts";

/** What was demanded in vain. */
export type LivenessFailure = { readonly demand: string; readonly withinUs: number; readonly detail: string };

/** Within this virtual time a leader must have answered every client once ... */
export const serviceWithinUs = 20_000_000;
/** ... and within this, all boards must agree. */
export const agreementWithinUs = 20_000_000;

/** Chooses the boards that are to work: at random, but enough of them. `null` if not even all of them would be enough. */
export function chooseSufficientPart(world: World, random: Random): readonly SimBoard[] | null {
  const others = [...world.boards];
  const part: SimBoard[] = [];
  while (others.length > 0) {
    const [next] = others.splice(random.between(0, others.length), 1);
    if (next !== undefined) part.push(next);
    const without = others.map((board) => world.invariants.memberOf(board));
    // Once it is enough, it grows no further in half of the cases.
    if (world.keepsQuorum(without) && random.chance(1, 2)) break;
  }
  return world.keepsQuorum(others.map((board) => world.invariants.memberOf(board))) ? part : null;
}

/** Puts right what these boards need: themselves, and all of the bench but what belongs to the other boards alone. */
export function healPart(world: World, part: readonly SimBoard[]): void {
  const { bench, network } = world;
  const broken = new Set(world.boards.filter((board) => !part.includes(board)).map((board) => board.name));
  network.setNoise(null);
  for (const from of bench.boards) for (const to of bench.boards) network.setWithheld(from.name, to.name, false);
  for (const { name } of bench.switches) network.switchOn(name);
  for (const { name, node } of bench.brokers) if (!broken.has(node)) network.restartBroker(name);
  for (const { name, ends } of bench.cables) if (!ends.some(({ node }) => broken.has(node))) network.healCable(name);
  for (const board of part) {
    board.disk.setFull(false);
    board.disk.setSlowness(1);
    board.disk.resume();
    world.setClockDrift(board.name, 0);
    world.resume(board.name);
    world.start(board.name);
  }
  world.noteFault(`${part.map((board) => board.name).join(", ")} work again`, false);
}

/** Demands service and agreement of a part that was healed. The clients stop working on the way. */
export function demandLiveness(world: World, part: readonly SimBoard[]): LivenessFailure | null {
  const healedAtUs = world.nowUs;
  const answered = world.clients.map((client) => client.answered);
  for (const client of world.clients) client.startWork();
  const isServed = (): boolean => world.clients.every((client, place) => client.answered > (answered[place] ?? 0));
  const served = runUntil(world, isServed, serviceWithinUs);
  for (const client of world.clients) client.stopWork();
  if (!served) {
    const waiting = world.clients.filter((client, place) => client.answered === answered[place]);
    return {
      demand: "every client is served",
      withinUs: serviceWithinUs,
      detail: `${waiting.map((client) => client.name).join(", ")} got no answer since ${(healedAtUs / 1_000_000).toFixed(2)} s; ${describe(world)}`,
    };
  }
  const isQuiet = (): boolean => world.clients.every((client) => client.openSinceUs === null);
  const agreed = runUntil(world, () => isQuiet() && agree(world, part), agreementWithinUs);
  if (agreed) return null;
  return {
    demand: "all healed boards come to the same state",
    withinUs: agreementWithinUs,
    detail: describe(world),
  };
}

/** Whether all members among these boards have applied the same log, and come to the same state by it. */
function agree(world: World, part: readonly SimBoard[]): boolean {
  const leader = world.leader?.replica;
  const raft = leader?.raft;
  if (raft === undefined || raft === null || raft.appliedIndex !== raft.lastIndex) return false;
  if (raft.configuration.votersOutgoing.length + raft.configuration.learners.length > 0) return false;
  const members = membersOf(raft.configuration);
  const expected = part.filter((board) => members.some((member) => boardOf(member) === board.name));
  for (const board of expected) {
    const replica = board.replica;
    if (replica?.raft?.appliedIndex !== raft.appliedIndex || !members.includes(replica.raft.id)) return false;
  }
  const state = leader?.machines?.snapshot();
  for (const board of expected) {
    if (board.replica?.machines?.snapshot() === state) continue;
    world.invariants.report("boards that applied the same log are in the same state", board.name, "its state differs");
    return false;
  }
  return true;
}

/** Lets time pass in steps until the condition holds; looking after every single event would cost more than the events. */
function runUntil(world: World, condition: () => boolean, withinUs: number): boolean {
  const untilUs = world.nowUs + withinUs;
  while (!condition()) {
    if (world.nowUs >= untilUs || world.isStopped) return false;
    world.runUntil(Math.min(untilUs, world.nowUs + stepUs));
  }
  return true;
}

const stepUs = 50_000;

function describe(world: World): string {
  const boards = world.boards.map((board) => {
    const { status } = board;
    if (status === null) return `${board.name} ${board.state}`;
    return `${status.member} ${board.state} ${status.role} term ${status.term} applied ${status.appliedIndex} of ${status.lastIndex}`;
  });
  return boards.join("; ");
}
