/**
 * The machines of a bench whose boards and brokers are processes of this computer: they are started, and done to what
 * experiments ask for. What happens to the cables between them is the business of the kind of bench.
 */

import type { Order } from "../../../device/board/orders.ts";
import { readKeys } from "../../../device/mqtt/read-keys.ts";
import { controllerName } from "../../../device/transport/topics.ts";
import type { NodeName } from "../../../hardware/bench.ts";
import type { BenchAction } from "../../experiment/bench-action.ts";
import { BenchFailure } from "../bench.ts";
import { OperatorOnCall, type Refusal } from "../operator.ts";
import { empty, flipBit } from "./board-files.ts";
import type { BoardProcess } from "./board-process.ts";
import type { Equipment } from "./equip.ts";
import type { MachineSettings, MachineState } from "./settings.ts";

/** How long boards whose data is kept may take to leave. */
const leaveMsMax = 2_200;

/** A process that has not started by then never will: five of them on a slow machine take a few seconds. */
const startMsMax = 30_000;

/** What can be done to machines without touching a cable. Whoever takes a board's power has to see to its cables. */
export type MachineAction = Exclude<
  BenchAction,
  { readonly kind: "cut" | "heal" | "withhold" | "deliver" | "switchOff" | "switchOn" | "setNoise" }
>;

/** What machines need beside what they are. */
export type MachinesSettings = MachineSettings & {
  /** Where the controller finds the brokers. */
  readonly brokerUrls: readonly string[];
  /** Whether what boards store and log is kept, so that people can be sent to the logs. */
  readonly isKept: boolean;
};

/** See the head of this file. Doing what is so already changes nothing. */
export class Machines {
  readonly #settings: MachinesSettings;
  readonly #equipment: Equipment;
  readonly #operator: OperatorOnCall;

  constructor(settings: MachinesSettings, equipment: Equipment) {
    this.#settings = settings;
    this.#equipment = equipment;
    const { bench, brokerUrls, keys = null } = settings;
    this.#operator = new OperatorOnCall(() => ({
      cluster: bench.cluster,
      brokers: brokerUrls,
      keys: keys === null ? null : readKeys(keys, controllerName),
    }));
  }

  /** The boards as they are now. */
  get boards(): readonly MachineState[] {
    return [...this.#equipment.boards.values()].map(({ name, state, pid }) => ({ name, state, pid }));
  }

  /** The brokers with a machine of their own. */
  get brokers(): readonly MachineState[] {
    return [...this.#equipment.brokers.values()].map(({ name, state, pid }) => ({ name, state, pid }));
  }

  /** Starts all processes; resolves when they run. @throws {BenchFailure} which says what the first that failed said */
  async start(): Promise<void> {
    const { brokers, boards } = this.#equipment;
    for (const processes of [brokers, boards]) {
      const starts = [...processes.values()].map(async (each) => ({ name: each.name, runs: await startInTime(each) }));
      const failed = (await Promise.all(starts)).find(({ runs }) => !runs);
      if (failed !== undefined) throw new BenchFailure(this.#whyNot(failed.name));
    }
  }

  /** Does something to a machine, or asks the cluster for something, which it may refuse. @throws {BenchFailure} */
  async carryOut(action: MachineAction): Promise<Refusal> {
    switch (action.kind) {
      case "stopBroker":
      case "startBroker":
        await this.#switchBroker(action.broker, action.kind);
        return null;
      case "powerOff":
      case "kill":
        await this.#board(action.board).kill();
        return null;
      case "start":
        if (!(await startInTime(this.#board(action.board)))) throw new BenchFailure(this.#whyNot(action.board));
        return null;
      case "pause":
        this.#board(action.board).pause();
        return null;
      case "resume":
        this.#board(action.board).resume();
        return null;
      case "setDisk":
        return this.#order(action.board, { type: "setDisk", condition: action.condition });
      case "setClockDrift":
        return this.#order(action.board, { type: "setClockDrift", driftPpm: action.driftPpm });
      case "jumpClock":
        return this.#order(action.board, { type: "jumpClock", byUs: action.byUs });
      case "flipBit":
        flipBit(this.#equipment.logFolderOf(action.board));
        return null;
      case "eraseCard":
        if (this.#board(action.board).pid !== null) throw new BenchFailure(`${action.board} runs: its card is in use.`);
        empty(this.#equipment.logFolderOf(action.board));
        return null;
      case "transferLeadership":
      case "addMembers":
      case "removeMembers":
        return await this.#operator.carryOut(action);
      default:
        return action satisfies never;
    }
  }

  /** Ends all processes. */
  async close(): Promise<void> {
    const { boards, brokers } = this.#equipment;
    const { isKept } = this.#settings;
    await this.#operator.close();
    // What nobody will read again need not be put in order.
    await Promise.all([...boards.values()].map((board) => (isKept ? board.terminate(leaveMsMax) : board.kill())));
    await Promise.all([...brokers.values()].map((broker) => broker.kill()));
  }

  async #switchBroker(name: string, type: "stopBroker" | "startBroker"): Promise<void> {
    const process = this.#equipment.brokers.get(name);
    if (process === undefined) {
      const node = this.#settings.bench.brokers.find((broker) => broker.name === name)?.node;
      if (node === undefined) throw new BenchFailure(`There is no broker ${name} on this bench.`);
      await this.#order(node, { type });
    } else if (type === "stopBroker") {
      await process.kill();
    } else if (!(await startInTime(process))) {
      throw new BenchFailure(this.#whyNot(name));
    }
  }

  async #order(board: string, order: Order): Promise<null> {
    await this.#board(board).order(order);
    return null;
  }

  #board(name: string): BoardProcess {
    const board = this.#equipment.boards.get(name);
    if (board !== undefined) return board;
    throw new BenchFailure(`There is no board ${name} on this bench.`);
  }

  /** What is known of a process that did not start. */
  #whyNot(name: NodeName): string {
    const { path, lastErrors } = this.#equipment.logOf(name);
    const said = lastErrors.length === 0 ? "" : ` It said: ${lastErrors.join(" ")}`;
    const where = this.#settings.isKept ? ` Its log is ${path}.` : "";
    return `${name} did not start.${said}${where}`;
  }
}

/** Says whether the process runs. */
async function startInTime(process: { start(): Promise<boolean> }): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), startMsMax);
  });
  const runs = await Promise.race([process.start(), tooLate]);
  clearTimeout(timer);
  return runs;
}
