/**
 * All cutters of a bench, as whoever runs an experiment uses them. Every cut is a lease: it stands in the ledger before any
 * device is told, it is renewed as long as this process lives, and it is healed at the end, by the guardian if this process
 * dies, and at the next start if the guardian died too.
 */

import { resolve } from "node:path";
import type { FolderLock } from "../../device/board/disk/folder-lock.ts";
import type { Bench, Board, Cable } from "../../hardware/bench.ts";
import { unknownName } from "../../hardware/suggestion.ts";
import type { CutDirection } from "../../sim/network-types.ts";
import type { BenchClosing } from "../bench/bench.ts";
import { type CircuitState, CutterFailure, type OpenCutter, type OpenPowerSource, type PairCutter } from "./cutter.ts";
import { healAll, type OpenDevices, openAll } from "./cutters-opening.ts";
import { Guardian } from "./guardian.ts";
import { asFailure, type Circuit, LeaseKeeper } from "./lease.ts";
import { within } from "./lease-bounds.ts";
import { type LeasedThing, Ledger, usualLedgerFolder } from "./ledger.ts";
import {
  boardsAtEnds,
  deviceOfSource,
  devicesOfBench,
  devicesOfCable,
  devicesOfPairs,
  takeDevices,
} from "./ledger-devices.ts";
import { answerMsMax, answerMsMaxOf } from "./ledger-heal.ts";
import { watchLinks } from "./link-watch.ts";
import type { CutterSurroundings } from "./surroundings.ts";

/** What cutters are opened with. */
export type CuttersSettings = {
  readonly bench: Bench;
  readonly surroundings: CutterSurroundings;
  /**
   * Where the ledger stands; by default one for all benches of this user. A bench whose devices end with it keeps its ledger
   * in a folder that ends with it too.
   */
  readonly ledgerFolder?: string;
  /** How long a cut outlives this process where the hardware heals by itself, or if this process hangs. */
  readonly leaseMs?: number;
  /** Hears, in sentences for people, what was found cut, healed, or could not be. */
  readonly tell?: (sentence: string) => void;
};

/** What is cut at present, and until when (by the wall clock) if nobody renewed it. */
export type CuttersState = {
  readonly cables: readonly { readonly cable: string; readonly direction: CutDirection; readonly untilMs: number }[];
  readonly pairs: readonly { readonly from: string; readonly to: string; readonly untilMs: number }[];
  readonly withoutPower: readonly { readonly board: string; readonly untilMs: number }[];
};

const usualLeaseMs = 15_000;
/** A guardian that heals what another run left needs the devices for so long at most. */
const patienceMs = 5_000;

/**
 * Opens what the cables and boards of a bench name. All of it is whole then: what dead processes or somebody else left cut
 * is healed first.
 *
 * @throws {CutterFailure} if a device is not there, does not answer, cannot be healed, or is in use by another run.
 */
export async function openCutters(settings: CuttersSettings): Promise<Cutters> {
  const { bench, surroundings, leaseMs = usualLeaseMs, tell = () => undefined } = settings;
  const ledger = await Ledger.open(resolve(settings.ledgerFolder ?? usualLedgerFolder()));
  const devices = devicesOfBench({ ...surroundings, bench });
  const lock = await takeDevices(ledger.folder, devices, patienceMs);
  const guardian = devices.length > 0 ? await Guardian.start(ledger.folder) : null;
  try {
    await healAll(ledger, devices, surroundings.person, tell);
    const open = await openAll(bench, surroundings, tell);
    return new Cutters({ bench, surroundings, ledger, leaseMs, tell, lock, guardian, open });
  } catch (error) {
    guardian?.release();
    await lock.release();
    throw asFailure(error);
  }
}

type Parts = Required<Omit<CuttersSettings, "ledgerFolder">> & {
  readonly ledger: Ledger;
  readonly lock: FolderLock;
  readonly guardian: Guardian | null;
  readonly open: OpenDevices;
};

/** Cutters that are open. What is asked of one cable or board is done in the order in which it was asked. */
export class Cutters {
  readonly #parts: Parts;
  readonly #leases: LeaseKeeper;
  readonly #directions = new Map<string, CutDirection>();
  #endLinkWatch: () => void = () => undefined;
  #closing: Promise<BenchClosing> | null = null;

  /** Use `openCutters`. */
  constructor(parts: Parts) {
    this.#parts = parts;
    this.#leases = new LeaseKeeper(parts.ledger, parts.leaseMs, parts.tell);
  }

  /**
   * Cuts a cable; resolves when its device says that it is cut. What is cut one way and then the other is cut both ways.
   *
   * @throws {CutterFailure} if it is not. It has been healed then, if that was possible.
   */
  async cut(cable: string, direction: CutDirection): Promise<void> {
    const found = this.#cable(cable);
    const before = this.#directions.get(cable);
    const whole = before === undefined || before === direction ? direction : "both";
    const { cutsOneWay } = this.#cutterOf(found);
    if (whole !== "both" && !cutsOneWay) {
      throw new CutterFailure(
        `${found.cutter.name} cuts both directions of ${cable} or none. One way is for the cutters firewall and broker.`,
      );
    }
    this.#directions.set(cable, whole);
    try {
      await this.#leases.cut(this.#cableCircuit(found, whole));
    } catch (error) {
      this.#directions.delete(cable);
      throw asFailure(error);
    }
  }

  /** Heals a cable; resolves when its device says that it is whole. @throws {CutterFailure} */
  async heal(cable: string): Promise<void> {
    const found = this.#cable(cable);
    await this.#leases.heal(this.#cableCircuit(found, "both"));
    this.#directions.delete(cable);
  }

  /** Withholds what one board says to another. @throws {CutterFailure} */
  async withhold(from: string, to: string): Promise<void> {
    await this.#leases.cut(this.#pairCircuit(from, to));
  }

  async deliver(from: string, to: string): Promise<void> {
    await this.#leases.heal(this.#pairCircuit(from, to));
  }

  /** Takes the power from a board: it has crashed. @throws {CutterFailure} if nothing can, or it did not happen. */
  async switchOff(board: string): Promise<void> {
    await this.#leases.cut(this.#powerCircuit(board));
  }

  async switchOn(board: string): Promise<void> {
    await this.#leases.heal(this.#powerCircuit(board));
  }

  /** How a cable is, asked from its device. @throws {CutterFailure} */
  async read(cable: string): Promise<CircuitState> {
    const found = this.#cable(cable);
    return await within(this.#cutterOf(found).read(found), answerMsMax, found.name);
  }

  /** Tells whenever the link of a cable comes or goes, of those whose cutters can see it; ends with `close`. */
  watchLinks(tell: (cable: string, up: boolean) => void): void {
    const watched = this.#parts.bench.cables.map((cable) => ({ cable, cutter: this.#cutterOf(cable) }));
    this.#endLinkWatch = watchLinks(watched, tell);
  }

  /** What this process has cut. */
  state(): CuttersState {
    const held = this.#leases.held.map(({ circuit, untilMs }) => ({ key: circuit.key, untilMs }));
    const ofKind = (kind: string) =>
      held.flatMap(({ key, untilMs }) => {
        const [is, first = "", second = ""] = key.split(" ");
        return is === kind ? [{ first, second, untilMs }] : [];
      });
    return {
      cables: ofKind("cable").map(({ first, untilMs }) => {
        return { cable: first, direction: this.#directions.get(first) ?? "both", untilMs };
      }),
      pairs: ofKind("pair").map(({ first, second, untilMs }) => ({ from: first, to: second, untilMs })),
      withoutPower: ofKind("power").map(({ first, untilMs }) => ({ board: first, untilMs })),
    };
  }

  /** Heals everything and lets go of the devices. Never takes longer than a while: says what is left, and what to do. */
  close(): Promise<BenchClosing> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<BenchClosing> {
    const { open, guardian, lock } = this.#parts;
    this.#endLinkWatch();
    const leftovers = await this.#leases.close();
    await open.close();
    await lock.release();
    guardian?.release();
    return { leftovers };
  }

  #cableCircuit(cable: Cable, direction: CutDirection): Circuit {
    const { bench } = this.#parts;
    const cutter = this.#cutterOf(cable);
    return {
      key: `cable ${cable.name}`,
      words: `The cable ${cable.name}`,
      entry: this.#entry(
        { kind: "cable", cable: cable.name, direction },
        devicesOfCable(cable, { ...this.#parts.surroundings, bench }),
      ),
      isRenewed: cutter.healsByItself,
      answerMsMax: answerMsMaxOf(bench, cable),
      cut: (leaseMs) => cutter.cut(cable, direction, leaseMs),
      heal: () => cutter.heal(cable),
      byHand: `"npx adrift heal" tries again; or heal it by hand at ${cable.cutter.name}.`,
    };
  }

  #pairCircuit(from: string, to: string): Circuit {
    const brokers = this.#brokers();
    return {
      key: `pair ${from} ${to}`,
      words: `What ${from} says to ${to}`,
      entry: this.#entry({ kind: "pair", from, to }, devicesOfPairs(this.#parts.bench)),
      isRenewed: true,
      answerMsMax,
      cut: (leaseMs) => brokers.withhold(from, to, leaseMs),
      heal: () => brokers.deliver(from, to),
      byHand: "The brokers deliver it again by themselves when the lease runs out.",
    };
  }

  #powerCircuit(name: string): Circuit {
    const board = this.#board(name);
    const source = this.#sourceOf(board);
    const channel = board.power?.channel ?? "";
    const settings = this.#parts.bench.powerSources.find((each) => each.name === board.power?.name);
    return {
      key: `power ${name}`,
      words: `The power of ${name}`,
      entry: this.#entry({ kind: "power", board: name }, settings === undefined ? [] : [deviceOfSource(settings)]),
      isRenewed: false,
      answerMsMax,
      cut: () => source.switchOff(channel),
      heal: () => source.switchOn(channel),
      byHand: `"npx adrift heal" tries again; or switch it on by hand at ${source.name}.`,
    };
  }

  #entry(what: LeasedThing, devices: readonly string[]): Circuit["entry"] {
    if (devices.length === 0) return null;
    const { bench, surroundings } = this.#parts;
    const cable = what.kind === "cable" ? this.#cable(what.cable) : null;
    const isFirewall = bench.cutters.some(({ name, driver }) => name === cable?.cutter.name && driver === "firewall");
    const boards = cable !== null && isFirewall ? boardsAtEnds(cable, bench) : [];
    const hosts = Object.fromEntries(boards.map((board) => [board, surroundings.hostOf(board).place]));
    return { what, devices, bench, folder: resolve(surroundings.folder), hosts };
  }

  #cable(name: string): Cable {
    const { cables } = this.#parts.bench;
    const cable = cables.find((each) => each.name === name);
    if (cable !== undefined) return cable;
    throw new CutterFailure(
      unknownName(
        "cable",
        name,
        cables.map((each) => each.name),
      ),
    );
  }

  #board(name: string): Board {
    const { boards } = this.#parts.bench;
    const board = boards.find((each) => each.name === name);
    if (board !== undefined) return board;
    throw new CutterFailure(
      unknownName(
        "board",
        name,
        boards.map((each) => each.name),
      ),
    );
  }

  #cutterOf({ name, cutter }: Cable): OpenCutter {
    const open = this.#parts.open.cutters.get(cutter.name);
    if (open !== undefined && this.#closing === null) return open;
    throw new CutterFailure(`The cutters of this bench are closed: ${name} is left alone.`);
  }

  #sourceOf({ name, power }: Board): OpenPowerSource {
    const open = power === null ? undefined : this.#parts.open.sources.get(power.name);
    if (open !== undefined && this.#closing === null) return open;
    throw new CutterFailure(
      power === null
        ? `Nothing can take the power from ${name}. Declare a power source in the bench's file, and "power: poe:3" on the board.`
        : `The power sources of this bench are closed: ${name} is left alone.`,
    );
  }

  #brokers(): PairCutter {
    const { brokers } = this.#parts.open;
    if (brokers !== null && this.#closing === null) return brokers;
    throw new CutterFailure(
      'Only Adrift\'s own brokers withhold what one board says to another. Run them with "npx adrift broker".',
    );
  }
}
