/** A rack, ready for an experiment: boards that run already, cutters that open their cables, and clients on the LAN. */

import type { BoardStatus } from "../../device/transport/envelope.ts";
import type { Bench } from "../../hardware/bench.ts";
import type { PlaceMoment } from "../bench/bench.ts";
import { openBrokerCutter } from "../cutters/broker.ts";
import { type HostName, hostsBy, leaveHosts } from "../cutters/command-host.ts";
import { type Cutters, openCutters } from "../cutters/cutters.ts";
import type { CommandHost, Person } from "../cutters/surroundings.ts";
import type { BenchAction } from "../experiment/bench-action.ts";
import type { ExperimentWorkload } from "../experiment/model.ts";
import type { ClusterView } from "../experiment/resolve.ts";
import type { Time } from "../experiment/time.ts";
import {
  type BenchClient,
  type BenchClosing,
  BenchFailure,
  type BoardRecord,
  type Death,
  type ExperimentBench,
} from "./bench.ts";
import { OperatorOnCall, type Refusal } from "./operator.ts";
import { OverMqtt } from "./over-mqtt.ts";
import { type RackAccess, rackAccess } from "./rack/addresses.ts";
import { BoardService } from "./rack/board-service.ts";
import { circuitSeen } from "./rack/circuits.ts";
import { RunKeys } from "./rack/run-keys.ts";
import { uncutCables } from "./rack/uncut.ts";

/** What a rack is opened with. */
export type RackSettings = {
  readonly bench: Bench;
  /** The folder of the bench's file: its `keys/` opens the brokers, and its relative paths begin there. */
  readonly folder: string;
  readonly person: Person;
  /** The time line of the run, on which the boards' clocks are placed. */
  readonly time: Time;
  /** What no other run of this cluster is called. */
  readonly run: string;
  /** Hears what was found cut and healed, in sentences. */
  readonly tell: (sentence: string) => void;
};

/** Connects to the boards and opens the cutters; all cables are whole then. @throws {BenchFailure} with what to do. */
export async function openRackExperimentBench(settings: RackSettings): Promise<ExperimentBench> {
  const { bench, folder, person, tell } = settings;
  const access = rackAccess(bench, folder);
  const cluster = await connectTo(settings, access);
  const hosts = new BoardHosts(bench);
  try {
    const cutters = await openCutters({
      bench,
      tell,
      surroundings: {
        bench,
        folder,
        hostOf: hosts.hostOf,
        person,
        circuitSeen: (cable) => circuitSeen(cable, bench, cluster),
        virtual: uncutCables(),
        openBrokers: () => Promise.resolve(openBrokerCutter({ bench, ...access })),
      },
    });
    return new Rack(settings, access, { cluster, cutters, hosts });
  } catch (error) {
    await cluster.close();
    throw error;
  }
}

async function connectTo({ bench, time }: RackSettings, { brokers, keys }: RackAccess): Promise<OverMqtt> {
  try {
    const urls = brokers.map(({ url }) => url);
    return await OverMqtt.connect({ bench, brokers: urls, keys, nowUs: () => time.nowUs() });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new BenchFailure(`The rack ${bench.name} is not there: ${why} "npx adrift doctor" looks for the reason.`);
  }
}

/** The boards' machines, each reached once. */
class BoardHosts {
  readonly hostOf: (name: HostName) => CommandHost;
  readonly #known = new Map<string, CommandHost>();

  constructor({ boards }: Bench) {
    const find = hostsBy((name) => {
      const address = boards.find((board) => board.name === name)?.address ?? null;
      return address === null ? null : { kind: "ssh", host: address, user: null };
    });
    this.hostOf = (name) => {
      const key = typeof name === "string" ? name : `${name.user ?? ""}@${name.host}`;
      const host = this.#known.get(key) ?? find(name);
      this.#known.set(key, host);
      return host;
    };
  }

  close(): Promise<void> {
    return leaveHosts(this.#known.values());
  }
}

type RackParts = { readonly cluster: OverMqtt; readonly cutters: Cutters; readonly hosts: BoardHosts };

class Rack implements ExperimentBench {
  readonly kind = "rack";
  readonly bench: Bench;
  readonly #parts: RackParts;
  readonly #keys: RunKeys;
  /** Boards that this run has stopped. */
  readonly #stopped = new Set<string>();
  readonly place: PlaceMoment = (board, moment) => this.#parts.cluster.place(board, moment);
  readonly watchLinks = (tell: (cable: string, up: boolean) => void): void => this.#parts.cutters.watchLinks(tell);
  readonly #operator: OperatorOnCall;
  /** Of the clients that have connected. */
  #workload: ExperimentWorkload | null = null;

  constructor({ bench, run }: RackSettings, access: RackAccess, parts: RackParts) {
    this.bench = bench;
    this.#parts = parts;
    const urls = access.brokers.map(({ url }) => url);
    this.#operator = new OperatorOnCall(() => ({ cluster: bench.cluster, brokers: urls, keys: access.keys }));
    this.#keys = new RunKeys(run);
  }

  async carryOut(action: BenchAction): Promise<Refusal> {
    const { cutters } = this.#parts;
    switch (action.kind) {
      case "cut":
        await cutters.cut(action.cable, action.direction);
        return null;
      case "heal":
        await cutters.heal(action.cable);
        return null;
      case "withhold":
        await cutters.withhold(action.from, action.to);
        return null;
      case "deliver":
        await cutters.deliver(action.from, action.to);
        return null;
      case "powerOff":
        this.#stopped.add(action.board);
        await cutters.switchOff(action.board);
        return null;
      case "kill":
        this.#stopped.add(action.board);
        await this.#service(action.board).kill();
        return null;
      case "start":
        await this.#start(action.board);
        return null;
      case "pause":
        await this.#service(action.board).pause();
        return null;
      case "resume":
        await this.#service(action.board).resume();
        return null;
      case "transferLeadership":
      case "addMembers":
      case "removeMembers":
        return await this.#operator.carryOut(action);
      case "switchOff":
      case "switchOn":
      case "stopBroker":
      case "startBroker":
      case "setNoise":
      case "setDisk":
      case "flipBit":
      case "eraseCard":
      case "setClockDrift":
      case "jumpClock":
        throw new BenchFailure("No program can do that to a rack.");
      default:
        return action satisfies never;
    }
  }

  view(): ClusterView {
    const running = this.bench.boards.map(({ name }) => name).filter((name) => !this.#stopped.has(name));
    return this.#parts.cluster.view(running);
  }

  async connectClient(name: string, workload: ExperimentWorkload): Promise<BenchClient> {
    this.#workload = workload;
    return this.#keys.over(await this.#parts.cluster.connectClient(name, workload));
  }

  statuses(): Promise<ReadonlyMap<string, BoardStatus>> {
    return this.#parts.cluster.statuses();
  }

  flightRecords(): Promise<readonly BoardRecord[]> {
    return this.#parts.cluster.flightRecords();
  }

  /** Whatever supervises a board on a rack starts it again: its flight recorder tells of it. */
  deaths(): readonly Death[] {
    return [];
  }

  async close(): Promise<BenchClosing> {
    const { cluster, cutters, hosts } = this.#parts;
    const stopped = await this.#startAll();
    const { leftovers } = await cutters.close();
    await this.#clearKeys();
    await this.#operator.close();
    await cluster.close();
    await hosts.close();
    return { leftovers: [...leftovers, ...stopped] };
  }

  /** Power or the process, whichever was taken. */
  async #start(board: string): Promise<void> {
    const { cutters } = this.#parts;
    if (cutters.state().withoutPower.some((each) => each.board === board)) await cutters.switchOn(board);
    else await this.#service(board).start();
    this.#stopped.delete(board);
  }

  /** A run that ends early leaves no board stopped; says of which it could not be helped. */
  async #startAll(): Promise<readonly string[]> {
    const tries = [...this.#stopped].map(async (board) => {
      try {
        await this.#start(board);
        return [];
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        return [
          `${board} is still stopped (${why}). Start it by hand: switch it off and on, or "systemctl start adrift".`,
        ];
      }
    });
    return (await Promise.all(tries)).flat();
  }

  /** What a run wrote is of no use afterwards. If nobody answers, it stays: it is in nobody's way. */
  async #clearKeys(): Promise<void> {
    if (this.#workload === null) return;
    const client = await this.#parts.cluster.connectClient("sweeper", this.#workload).catch(() => null);
    if (client === null) return;
    await this.#keys.clear(client);
    await client.close();
  }

  #service(board: string): BoardService {
    return new BoardService(this.#parts.hosts.hostOf(board));
  }
}
