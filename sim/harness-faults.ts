/** What can be done to a simulated bench: the verbs that break it and put it right. */

import { cablesToSplit } from "../hardware/bench.ts";
import { healPart } from "./liveness.ts";
import type { BrokerLosses, Noise } from "./network-types.ts";
import type { World } from "./world.ts";

/** Faults beyond what TCP allows; what is left out is none of it. */
export type NoiseSettings = Partial<Noise>;

/** An expectation that did not come true, or a rule of Raft that was broken; the message says what was seen instead. */
export class ScenarioFailure extends Error {
  override readonly name = "ScenarioFailure";
  readonly seed: string | number;
  /** The virtual time of the failure, in microseconds since the start. */
  readonly atUs: number;

  constructor(what: string, seed: string | number, atUs: number) {
    super(`${what} (seed ${seed}, at ${atUs / 1_000_000} s)`);
    this.seed = seed;
    this.atUs = atUs;
  }
}

/** A bench that one can break. Verbs that name what the bench does not have throw a `RangeError`. */
export class BreakableBench {
  /** The world behind the verbs, for what they do not show. */
  readonly world: World;
  /** The seed from which everything follows. */
  readonly seed: string | number;

  constructor(world: World, seed: string | number) {
    this.world = world;
    this.seed = seed;
  }

  /** The names of all boards. */
  get boards(): readonly string[] {
    return this.world.boards.map(({ name }) => name);
  }

  /** All boards but these. */
  others(...names: readonly string[]): readonly string[] {
    return this.boards.filter((name) => !names.includes(name));
  }

  /** No rule of Raft has been broken so far. The other verbs ask this by themselves. */
  expectLawful(): void {
    const { violation } = this.world;
    if (violation === null) return;
    const { invariant, board, detail, atUs } = violation;
    throw new ScenarioFailure(`Broken by ${board}: ${invariant}: ${detail}`, this.seed, atUs);
  }

  // Cables, switches, brokers

  /** Cuts cables by name; the name of a board or a broker's machine means every cable that is plugged in there. */
  cut(...names: readonly string[]): void {
    for (const cable of this.#cables(names)) this.#cutCable(cable, "both");
  }

  /** Makes cables whole again, named as for `cut`. */
  heal(...names: readonly string[]): void {
    for (const cable of this.#cables(names)) {
      this.world.network.healCable(cable);
      this.world.noteFault(`cable ${cable} is whole`, false);
    }
  }

  /** Puts everything right: cables, switches, brokers, noise, disks, clocks; what stands still or is gone is started. */
  healAll(): void {
    healPart(this.world, this.world.boards);
    this.expectLawful();
  }

  /** Cuts cables so that this board and the others no longer hear each other. */
  isolate(board: string): void {
    this.partition([board], this.others(board));
  }

  /**
   * Cuts cables so that no board hears a board of another group. On one broker only the largest group can still talk
   * among itself, the others fall apart; wire the bench `direct`, or with a trunk, to keep groups together.
   */
  partition(...groups: readonly (readonly string[])[]): void {
    for (const board of groups.flat()) this.world.board(board);
    for (const cable of cablesToSplit(this.world.bench, groups)) this.#cutCable(cable, "both");
  }

  /**
   * One direction is lost: all that `from` sends, or all that `to` should hear, or with both named what `from` says to
   * `to`, for which a cable must join just these two. Healed like a cut.
   */
  oneWay({ from, to }: { readonly from?: string; readonly to?: string }): void {
    const cables = this.world.bench.cables.filter(({ ends }) =>
      [from, to].every((board) => board === undefined || ends.some(({ node }) => node === board)),
    );
    if (cables.length === 0 || (from === undefined && to === undefined)) {
      throw new RangeError(
        `No cable joins ${from ?? "?"} and ${to ?? "?"}: name one board, or wire the bench "direct".`,
      );
    }
    for (const { name, ends } of cables) {
      const isFromFirst = from === undefined ? ends[0].node !== to : ends[0].node === from;
      this.#cutCable(name, isFromFirst ? "fromFirstEnd" : "fromSecondEnd");
    }
  }

  /** Messages between brokers and whoever listens get lost, doubled or delayed, by chances in parts per million. */
  noise(settings: NoiseSettings): void {
    const none = { lossPpm: 0, duplicationPpm: 0, delayPpm: 0, delayUsMax: 1 };
    this.world.network.setNoise({ ...none, ...settings });
    this.world.noteFault("the network is noisy", true);
  }

  /** The noise ends. */
  quiet(): void {
    this.world.network.setNoise(null);
    this.world.noteFault("the network is quiet", false);
  }

  /** A switch loses its power, and with it every path over it. */
  switchOff(name: string): void {
    this.world.network.switchOff(name);
    this.world.noteFault(`${name} is off`, true);
  }

  /** The switch has power again. */
  switchOn(name: string): void {
    this.world.network.switchOn(name);
    this.world.noteFault(`${name} is on`, false);
  }

  /** A broker's process dies; by default it forgets sessions and retained messages. */
  brokerDown(name: string, losses: BrokerLosses = { losesSessions: true, losesRetained: true }): void {
    this.world.network.crashBroker(name, losses);
    this.world.noteFault(`broker ${name} is gone`, true);
  }

  /** The broker's process runs again; who was connected connects again. */
  brokerUp(name: string): void {
    this.world.network.restartBroker(name);
    this.world.noteFault(`broker ${name} is back`, false);
  }

  // Boards

  /** Kills the process; what was written to disk, flushed or not, is still there when it starts again. */
  crash(board: string): void {
    this.world.crash(board);
  }

  /** Takes the power away: what was not flushed may be lost, torn or reordered. */
  powerCut(board: string): void {
    this.world.powerCut(board);
  }

  /** Starts a board that was crashed, lost its power, or got an empty card. */
  restart(board: string): void {
    this.world.start(board);
  }

  /** The process stands still, but does not know it. */
  pause(board: string): void {
    this.world.pause(board);
  }

  /** The process goes on, and finds what came meanwhile. */
  resume(board: string): void {
    this.world.resume(board);
    this.expectLawful();
  }

  /** Takes the power away and puts in an empty card. */
  wipe(board: string): void {
    this.world.wipe(board);
  }

  /** A bit of what is on the disk flips; the board finds out at its next start. */
  rot(board: string): void {
    this.world.rot(board);
  }

  /** Nothing that the disk is asked for ends any more, until `healDisk`. */
  stallDisk(board: string): void {
    this.world.board(board).disk.stall();
    this.world.noteFault(`the disk of ${board} is stalled`, true);
  }

  /** The disk takes no more bytes, until `healDisk`. */
  fillDisk(board: string): void {
    this.world.board(board).disk.setFull(true);
    this.world.noteFault(`the disk of ${board} is full`, true);
  }

  /** Everything takes the disk so many times as long, until `healDisk`. */
  slowDisk(board: string, factor: number): void {
    this.world.board(board).disk.setSlowness(factor);
    this.world.noteFault(`the disk of ${board} is slow`, true);
  }

  /** The disk works again, at its usual speed, and what it was asked for ends. */
  healDisk(board: string): void {
    const { disk } = this.world.board(board);
    disk.setFull(false);
    disk.setSlowness(1);
    disk.resume();
    this.world.noteFault(`the disk of ${board} is healthy`, false);
  }

  /** From now on the board's clock gains so many parts per million; negative: it loses them; 0 ends it. */
  drift(board: string, ppm: number): void {
    this.world.setClockDrift(board, ppm);
  }

  // The cluster. A leader takes such wishes only once it has committed something, so that is waited for.

  /** Asks the leader to hand over to this board. */
  transfer(board: string): void {
    this.#awaitLeader();
    this.world.operator.transferLeadership(board);
  }

  /** Asks the leader to take these boards in, all in one change; they learn the log first. */
  addMember(...boards: readonly string[]): void {
    this.#awaitLeader();
    this.world.operator.addMembers(boards);
  }

  /** Asks the leader to have these boards leave, all in one change. */
  removeMember(...boards: readonly string[]): void {
    this.#awaitLeader();
    this.world.operator.removeMembers(boards);
  }

  #awaitLeader(): void {
    const canBeAsked = (): boolean => {
      const raft = this.world.leader?.replica?.raft;
      return raft !== undefined && raft !== null && raft.termAt(raft.commitIndex) === raft.term;
    };
    const isThere = this.world.runUntilTrue(canBeAsked, leaderWithinUs);
    this.expectLawful();
    if (isThere) return;
    const what = `Nobody leads who could be asked within ${leaderWithinUs / 1_000_000} s`;
    throw new ScenarioFailure(what, this.seed, this.world.nowUs);
  }

  #cutCable(cable: string, direction: "both" | "fromFirstEnd" | "fromSecondEnd"): void {
    this.world.network.cutCable(cable, direction);
    this.world.noteFault(`cable ${cable} is cut`, true);
  }

  #cables(names: readonly string[]): readonly string[] {
    const { cables } = this.world.bench;
    return names.flatMap((name) => {
      const plugged = cables.filter((cable) => cable.name === name || cable.ends.some(({ node }) => node === name));
      if (plugged.length > 0) return plugged.map((cable) => cable.name);
      throw new RangeError(
        `There is no cable or board ${name}; there are ${cables.map((cable) => cable.name).join(", ")}.`,
      );
    });
  }
}

const leaderWithinUs = 5_000_000;
