/**
 * The QEMU bench: boards are virtual machines of another processor, brokers are processes beside them, and cables end in
 * the machines' network cards, where QEMU pulls them.
 */

import type { NodeName } from "../../../hardware/bench.ts";
import { unknownName } from "../../../hardware/suggestion.ts";
import type { BenchAction } from "../../experiment/bench-action.ts";
import { BenchFailure } from "../bench.ts";
import { OperatorOnCall, type Refusal } from "../operator.ts";
import { controllerKeys, equip, type QemuParts, type QemuSettings } from "./equip.ts";
import type { VirtualBoard } from "./virtual-board.ts";

/** Why a cable has no carrier; it has one again when there is no reason left. */
type Reason = "cut" | "switch off";

/** Starts brokers and machines; the boards on them are not there yet. @throws {BenchFailure} */
export async function startQemuBench(settings: QemuSettings): Promise<QemuBench> {
  const bench = new QemuBench(settings, await equip(settings));
  try {
    await bench.powerOnAll();
    return bench;
  } catch (error) {
    await bench.close();
    throw error;
  }
}

/** See the head of this file. */
export class QemuBench {
  readonly #settings: QemuSettings;
  readonly #parts: QemuParts;
  readonly #reasons = new Map<string, Set<Reason>>();
  readonly #operator: OperatorOnCall;

  /** Use `startQemuBench`. */
  constructor(settings: QemuSettings, parts: QemuParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#operator = new OperatorOnCall(() => ({
      cluster: settings.bench.cluster,
      brokers: this.brokerUrls,
      keys: controllerKeys(this.keys),
    }));
  }

  get brokerUrls(): readonly string[] {
    return this.#parts.brokerUrls;
  }

  /** The folder of keys, and of what the machines write on their consoles. It goes with the bench. */
  get folder(): string {
    return this.#parts.folder;
  }

  get keys(): string {
    return this.#parts.keys;
  }

  /** The machines that have power, paused ones left out. */
  get running(): readonly NodeName[] {
    return [...this.#parts.boards.values()].filter(({ state }) => state === "running").map(({ name }) => name);
  }

  async powerOnAll(): Promise<void> {
    const { boards, brokers } = this.#parts;
    for (const [name, broker] of brokers) {
      if (!(await broker.start())) throw new BenchFailure(`The broker ${name} did not start on the qemu bench.`);
    }
    await Promise.all([...boards.values()].map((board) => board.powerOn()));
  }

  board(name: NodeName): VirtualBoard {
    const board = this.#parts.boards.get(name);
    if (board !== undefined) return board;
    throw new BenchFailure(unknownName("board", name, [...this.#parts.boards.keys()]));
  }

  /**
   * Carries out one action. `start` resolves when the machine has power, and its board may still be booting.
   *
   * @throws {BenchFailure} if such a bench cannot do it.
   */
  async carryOut(action: BenchAction): Promise<Refusal> {
    switch (action.kind) {
      case "cut":
        if (action.direction !== "both") throw cannot("cut one direction of a cable alone");
        await this.#take(action.cable, "cut");
        return null;
      case "heal":
        await this.#giveBack(action.cable, "cut");
        return null;
      case "switchOff":
      case "switchOn":
        await this.#switch(action.switch, action.kind === "switchOn");
        return null;
      case "stopBroker":
      case "startBroker":
        await this.#switchBroker(action.broker, action.kind === "startBroker");
        return null;
      case "powerOff":
        await this.board(action.board).powerOff();
        return null;
      case "kill":
        await this.board(action.board).killProcess();
        return null;
      case "start":
        await this.#start(this.board(action.board));
        return null;
      case "pause":
        this.board(action.board).pause();
        return null;
      case "resume":
        this.board(action.board).resume();
        return null;
      case "eraseCard":
        if (this.board(action.board).state !== "stopped") throw cannot(`change the card of ${action.board}: it runs`);
        await this.#parts.replaceCard(action.board);
        return null;
      case "transferLeadership":
      case "addMembers":
      case "removeMembers":
        return await this.#operator.carryOut(action);
      case "withhold":
      case "deliver":
      case "setNoise":
      case "setDisk":
      case "flipBit":
      case "setClockDrift":
      case "jumpClock":
        throw cannot(`carry out "${action.kind}"`);
      default:
        return action satisfies never;
    }
  }

  /** Ends everything, and leaves nothing. */
  async close(): Promise<void> {
    const { boards, brokers, network, warden } = this.#parts;
    await this.#operator.close();
    await Promise.all([...boards.values()].map((board) => board.powerOff()));
    await Promise.all([...brokers.values()].map((broker) => broker.kill()));
    await network.close();
    await warden.release();
  }

  async #start(board: VirtualBoard): Promise<void> {
    if (board.state === "running") await board.startProcess();
    else await board.powerOn();
  }

  async #take(cable: string, reason: Reason): Promise<void> {
    const reasons = this.#reasons.get(cable) ?? new Set();
    this.#reasons.set(cable, reasons.add(reason));
    await this.#setCable(cable, false);
  }

  async #giveBack(cable: string, reason: Reason): Promise<void> {
    const reasons = this.#reasons.get(cable);
    if (reasons?.delete(reason) === true && reasons.size === 0) await this.#setCable(cable, true);
  }

  async #setCable(cable: string, isWhole: boolean): Promise<void> {
    const { boards, network, plan } = this.#parts;
    const board = [...boards.values()].find((each) => each.has(cable));
    if (board !== undefined) {
      await (isWhole ? board.plugIn(cable) : board.pull(cable));
      return;
    }
    const other = plan.others.get(cable);
    if (other === undefined) {
      throw new BenchFailure(
        unknownName(
          "cable",
          cable,
          this.#settings.bench.cables.map(({ name }) => name),
        ),
      );
    }
    await network.ip([`link set ${other} ${isWhole ? "up" : "down"}`]);
  }

  /** A switch without power takes the carrier from every cable that is plugged in there. */
  async #switch(name: NodeName, isOn: boolean): Promise<void> {
    const cables = this.#settings.bench.cables.filter(({ ends }) => ends.some(({ node }) => node === name));
    await Promise.all(
      cables.map((cable) => (isOn ? this.#giveBack(cable.name, "switch off") : this.#take(cable.name, "switch off"))),
    );
  }

  async #switchBroker(name: NodeName, isOn: boolean): Promise<void> {
    const broker = this.#parts.brokers.get(name);
    if (broker === undefined) throw cannot(`end the broker ${name} and not the board on which it runs`);
    if (!isOn) await broker.kill();
    else if (!(await broker.start())) throw new BenchFailure(`The broker ${name} did not start again.`);
  }
}

function cannot(what: string): BenchFailure {
  return new BenchFailure(`A qemu bench cannot ${what}.`);
}
