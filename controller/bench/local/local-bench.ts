/**
 * The local bench: boards and brokers as processes of this machine, and each cable a part of the ways between them that
 * can be cut. It does to itself what experiments ask for, and what people do by hand with `adrift cut`.
 *
 * Nothing of it outlives the process that started it, however that ends: see `warden.ts`.
 */

import { readKeys } from "../../../device/mqtt/read-keys.ts";
import { withholdLeaseMsMax } from "../../../device/mqtt/withholding.ts";
import { controllerName } from "../../../device/transport/topics.ts";
import type { Bench } from "../../../hardware/bench.ts";
import { unknownName } from "../../../hardware/suggestion.ts";
import type { CutDirection } from "../../../sim/network-types.ts";
import { openBrokerCutter } from "../../cutters/broker.ts";
import type { PairCutter } from "../../cutters/cutter.ts";
import type { BenchAction } from "../../experiment/bench-action.ts";
import { BenchFailure } from "../bench.ts";
import type { Refusal } from "../operator.ts";
import { assemble, type Parts } from "./assemble.ts";
import { Leases } from "./leases.ts";
import { Machines } from "./machines.ts";
import type { BrokerAddress, LocalBenchEvent, LocalBenchSettings, LocalBenchState } from "./settings.ts";

export type { BrokerAddress, LocalBenchEvent, LocalBenchSettings, LocalBenchState } from "./settings.ts";
export type { ProcessChange, ProcessState } from "./supervised-process.ts";

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
  readonly #machines: Machines;
  #withholding: PairCutter | null = null;
  #closing: Promise<void> | null = null;

  /** Use `startLocalBench`. */
  constructor(settings: LocalBenchSettings, parts: Parts) {
    this.bench = settings.bench;
    this.#settings = settings;
    this.#parts = parts;
    const brokerUrls = parts.addresses.map(({ url }) => url);
    this.#machines = new Machines({ ...settings, brokerUrls, isKept: settings.folder !== null }, parts.equipment);
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
  start(): Promise<void> {
    return this.#machines.start();
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
    const { cabling } = this.#parts;
    const { boards, brokers } = this.#machines;
    return {
      cuts: [...cabling.cuts].map(([cable, direction]) => ({
        cable,
        direction,
        remainingMs: this.#leases.remainingMs(cable),
      })),
      boards: boards.map((board) => ({ ...board, hasPower: cabling.hasPower(board.name) })),
      brokers,
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
    const { cabling, warden, releaseFolder } = this.#parts;
    this.#leases.endAll();
    await this.#withholding?.close();
    await this.#machines.close();
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
      case "setNoise":
        throw new BenchFailure("Between the processes of a local bench is TCP: it cannot lose or double messages.");
      case "powerOff":
        cabling.setPower(action.board, false);
        return this.#machines.carryOut(action);
      case "start":
        cabling.setPower(action.board, true);
        return this.#machines.carryOut(action);
      default:
        return this.#machines.carryOut(action);
    }
  }

  #heal(cable: string, because: "asked" | "leaseRanOut"): void {
    this.#leases.end(cable);
    if (!this.#parts.cabling.cuts.has(cable)) return;
    this.#parts.cabling.heal(cable);
    this.#tell({ kind: "healed", cable, because });
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

  #refuseUnlessCuttable(cable: string): void {
    this.#refuseWithoutCables();
    const names = this.bench.cables.map(({ name }) => name);
    if (!names.includes(cable)) throw new BenchFailure(unknownName("cable", cable, names));
  }

  #refuseWithoutCables(): void {
    if (!this.#settings.forwarders) throw new BenchFailure("This bench was started without cables that can be cut.");
  }

  #tell(event: DistributiveOmit<LocalBenchEvent, "atUs">): void {
    this.#settings.tell?.({ atUs: this.#parts.nowUs(), ...event });
  }
}

type DistributiveOmit<Whole, Key extends PropertyKey> = Whole extends unknown ? Omit<Whole, Key> : never;
