/**
 * The local bench: boards and brokers as processes of this machine, and each cable a part of the ways between them that
 * can be cut. It does to itself what experiments ask for, and what people do by hand with `adrift cut`.
 *
 * Nothing of it outlives the process that started it, however that ends: see `warden.ts`.
 */

import type { Order } from "../../../device/board/orders.ts";
import { readKeys } from "../../../device/mqtt/read-keys.ts";
import { withholdLeaseMsMax } from "../../../device/mqtt/withholding.ts";
import { controllerName } from "../../../device/transport/topics.ts";
import type { Bench } from "../../../hardware/bench.ts";
import { unknownName } from "../../../hardware/suggestion.ts";
import type { CutDirection } from "../../../sim/network-types.ts";
import { openBrokerCutter } from "../../cutters/broker.ts";
import type { PairCutter } from "../../cutters/cutter.ts";
import type { BenchAction } from "../../experiment/actions.ts";
import { BenchFailure } from "../bench.ts";
import { assemble, type Parts } from "./assemble.ts";
import { empty, flipBit } from "./board-files.ts";
import type { BoardProcess } from "./board-process.ts";
import { Leases } from "./leases.ts";
import { Operator, type Refusal } from "./operator.ts";
import type { BrokerAddress, LocalBenchEvent, LocalBenchSettings, LocalBenchState } from "./settings.ts";

export type { BrokerAddress, LocalBenchEvent, LocalBenchSettings, LocalBenchState } from "./settings.ts";
export type { ProcessChange, ProcessState } from "./supervised-process.ts";

/** How long boards whose data is kept may take to leave. */
const leaveMsMax = 2_200;

/** A process that has not started by then never will: five of them on a slow machine take a few seconds. */
const startMsMax = 30_000;

/** What came of an action. */
export type Carried = {
  /** When the bench had done it; missing where only the boards themselves can tell. */
  readonly seenUs?: number;
  /** The cluster was asked for something and did not begin it. */
  readonly refusal?: string;
};

/** Starts a bench; resolves when all of it runs. @throws {BenchFailure} with what to do about it if some of it does not. */
export async function startLocalBench(settings: LocalBenchSettings): Promise<LocalBench> {
  const bench = new LocalBench(settings, await assemble(settings, (event) => settings.tell?.(event)));
  try {
    await bench.start();
  } catch (error) {
    await bench.close();
    throw error;
  }
  return bench;
}

/** A bench that runs. */
export class LocalBench {
  readonly bench: Bench;
  readonly #settings: LocalBenchSettings;
  readonly #parts: Parts;
  readonly #leases = new Leases((cable) => this.#heal(cable, "leaseRanOut"));
  #operator: Promise<Operator> | null = null;
  #withholding: PairCutter | null = null;
  #closing: Promise<void> | null = null;

  /** Use `startLocalBench`. */
  constructor(settings: LocalBenchSettings, parts: Parts) {
    this.bench = settings.bench;
    this.#settings = settings;
    this.#parts = parts;
  }

  /** The brokers as clients beside the controller find them, through the cables. */
  get brokers(): readonly BrokerAddress[] {
    return this.#parts.addresses;
  }

  /** Where boards keep their data and logs. */
  get folder(): string {
    return this.#parts.folder;
  }

  /** A folder that only this user may enter, and that goes with the bench. */
  get runFolder(): string {
    return this.#parts.runFolder;
  }

  /** A file that goes with this process, however it ends, as long as its `pid` is this process's. */
  removeAtEnd(file: string): void {
    this.#parts.warden.removeIfOwned(file);
  }

  /** Starts all processes; resolves when they run. */
  async start(): Promise<void> {
    const { brokers, boards } = this.#parts;
    for (const processes of [brokers, boards]) {
      const starts = [...processes.values()].map(async (each) => ({ name: each.name, runs: await startInTime(each) }));
      const failed = (await Promise.all(starts)).find(({ runs }) => !runs);
      if (failed !== undefined) throw new BenchFailure(this.#whyNot(failed.name));
    }
  }

  /** Cuts a cable, for so long or (`null`) until somebody heals it. */
  cut(cable: string, direction: CutDirection, leaseMs: number | null): void {
    this.#refuseUnlessCuttable(cable);
    this.#parts.cabling.cut(cable, direction);
    this.#leases.hold(cable, leaseMs);
    this.#tell({ kind: "cut", cable, direction: this.#parts.cabling.cuts.get(cable) ?? direction, leaseMs });
  }

  /** Heals a cable; without a name all of them. */
  heal(cable?: string): void {
    if (cable === undefined) {
      for (const each of [...this.#parts.cabling.cuts.keys()]) this.#heal(each, "asked");
      return;
    }
    this.#refuseUnlessCuttable(cable);
    this.#heal(cable, "asked");
  }

  /** The bench as it is now. */
  get state(): LocalBenchState {
    const { boards, brokers, cabling } = this.#parts;
    return {
      cuts: [...cabling.cuts].map(([cable, direction]) => ({
        cable,
        direction,
        remainingMs: this.#leases.remainingMs(cable),
      })),
      boards: [...boards.values()].map(({ name, state, pid }) => ({
        name,
        state,
        pid,
        hasPower: cabling.hasPower(name),
      })),
      brokers: [...brokers.values()].map(({ name, state, pid }) => ({ name, state, pid })),
    };
  }

  /** Does something to the bench. @throws {BenchFailure} if this bench cannot do it. */
  async carryOut(action: BenchAction): Promise<Carried> {
    const refusal = await this.#carryOut(action);
    return refusal === null ? { seenUs: this.#parts.nowUs() } : { refusal };
  }

  /** Ends everything, and leaves nothing but what was to be kept. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { boards, brokers, cabling, warden, releaseFolder } = this.#parts;
    this.#leases.endAll();
    const operator = await this.#operator?.catch(() => null);
    await operator?.close();
    await this.#withholding?.close();
    // What nobody will read again need not be put in order.
    const isKept = this.#settings.folder !== null;
    await Promise.all([...boards.values()].map((board) => (isKept ? board.terminate(leaveMsMax) : board.kill())));
    await Promise.all([...brokers.values()].map((broker) => broker.kill()));
    await cabling.close();
    await releaseFolder();
    await warden.release();
  }

  async #carryOut(action: BenchAction): Promise<Refusal> {
    const { cabling } = this.#parts;
    switch (action.kind) {
      case "cut":
        // The experiment heals it, or the end of the process that runs the experiment.
        this.cut(action.cable, action.direction, null);
        return null;
      case "heal":
        this.heal(action.cable);
        return null;
      case "withhold":
        await this.#brokerCutter().withhold(action.from, action.to, withholdLeaseMsMax);
        return null;
      case "deliver":
        await this.#brokerCutter().deliver(action.from, action.to);
        return null;
      case "switchOff":
      case "switchOn":
        this.#refuseWithoutCables();
        cabling.setPower(action.switch, action.kind === "switchOn");
        return null;
      case "stopBroker":
      case "startBroker":
        await this.#switchBroker(action.broker, action.kind);
        return null;
      case "setNoise":
        throw new BenchFailure("Between the processes of a local bench is TCP: it cannot lose or double messages.");
      case "powerOff":
        cabling.setPower(action.board, false);
        await this.#board(action.board).kill();
        return null;
      case "kill":
        await this.#board(action.board).kill();
        return null;
      case "start":
        cabling.setPower(action.board, true);
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
        flipBit(this.#parts.logFolderOf(action.board));
        return null;
      case "eraseCard":
        if (this.#board(action.board).pid !== null) throw new BenchFailure(`${action.board} runs: its card is in use.`);
        empty(this.#parts.logFolderOf(action.board));
        return null;
      case "transferLeadership":
        return (await this.#connectedOperator()).transferLeadership(action.board);
      case "addMembers":
        return (await this.#connectedOperator()).addMembers(action.boards);
      case "removeMembers":
        return (await this.#connectedOperator()).removeMembers(action.boards);
      default:
        return action satisfies never;
    }
  }

  async #switchBroker(name: string, type: "stopBroker" | "startBroker"): Promise<void> {
    const process = this.#parts.brokers.get(name);
    if (process === undefined) {
      const node = this.bench.brokers.find((broker) => broker.name === name)?.node;
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

  #heal(cable: string, because: "asked" | "leaseRanOut"): void {
    this.#leases.end(cable);
    if (!this.#parts.cabling.cuts.has(cable)) return;
    this.#parts.cabling.heal(cable);
    this.#tell({ kind: "healed", cable, because });
  }

  #board(name: string): BoardProcess {
    const board = this.#parts.boards.get(name);
    if (board !== undefined) return board;
    throw new BenchFailure(`There is no board ${name} on this bench.`);
  }

  /** Opened when first needed. What it withholds ends with the brokers, and so with the bench. */
  #brokerCutter(): PairCutter {
    const { keys = null } = this.#settings;
    this.#withholding ??= openBrokerCutter({
      bench: this.bench,
      brokers: this.brokers,
      keys: keys === null ? null : readKeys(keys, controllerName),
    });
    return this.#withholding;
  }

  /** Connected when first needed: most benches never need it. */
  async #connectedOperator(): Promise<Operator> {
    const { keys = null } = this.#settings;
    this.#operator ??= Operator.connect({
      cluster: this.bench.cluster,
      brokers: this.brokers.map(({ url }) => url),
      keys: keys === null ? null : readKeys(keys, controllerName),
    });
    try {
      return await this.#operator;
    } catch (error) {
      this.#operator = null;
      throw new BenchFailure(error instanceof Error ? error.message : String(error));
    }
  }

  #refuseUnlessCuttable(cable: string): void {
    this.#refuseWithoutCables();
    const names = this.bench.cables.map(({ name }) => name);
    if (!names.includes(cable)) throw new BenchFailure(unknownName("cable", cable, names));
  }

  #refuseWithoutCables(): void {
    if (!this.#settings.forwarders) throw new BenchFailure("This bench was started without cables that can be cut.");
  }

  /** What is known of a process that did not start. */
  #whyNot(name: string): string {
    const { path, lastErrors } = this.#parts.logOf(name);
    const said = lastErrors.length === 0 ? "" : ` It said: ${lastErrors.join(" ")}`;
    const where = this.#settings.folder === null ? "" : ` Its log is ${path}.`;
    return `${name} did not start.${said}${where}`;
  }

  #tell(event: DistributiveOmit<LocalBenchEvent, "atUs">): void {
    this.#settings.tell?.({ atUs: this.#parts.nowUs(), ...event });
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

type DistributiveOmit<Whole, Key extends PropertyKey> = Whole extends unknown ? Omit<Whole, Key> : never;
