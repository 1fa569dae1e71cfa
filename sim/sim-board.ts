/** One simulated board: power, a clock, a disk, and the process that runs the replica. */

import { createKeyValue } from "../device/machine/key-value.ts";
import type { SessionRules } from "../device/machine/sessions.ts";
import type { Rules } from "../device/raft/index.ts";
import type { Random } from "../device/random.ts";
import type { Observer, Status, Via, Wire } from "../device/replica/host.ts";
import type { ReplicaOptions } from "../device/replica/options.ts";
import { Replica } from "../device/replica/replica.ts";
import type { Administration, PeerMessage, Request } from "../device/transport/protocol.ts";
import type { BoardClock } from "./clock.ts";
import type { SimDisk } from "./disk.ts";
import { type EventQueue, noTicket, type Ticket } from "./queue.ts";

/** What a simulated board is made of. */
export type SimBoardSettings = {
  readonly name: string;
  readonly index: number;
  readonly cluster: string;
  readonly founders: readonly string[];
  readonly boards: readonly string[];
  readonly queue: EventQueue;
  readonly clock: BoardClock;
  readonly disk: SimDisk;
  readonly wire: Wire;
  readonly random: Random;
  readonly options: ReplicaOptions;
  readonly observer: Observer;
  readonly rules: Rules;
  readonly sessionRules: SessionRules;
};

/** `crashed`: the process is gone, the machine is not. `off`: the machine is without power. */
export type BoardState = "running" | "paused" | "crashed" | "off";

/** One board, through all its boots. */
export class SimBoard {
  readonly name: string;
  readonly index: number;
  readonly disk: SimDisk;
  readonly clock: BoardClock;
  readonly #settings: SimBoardSettings;
  #state: BoardState = "off";
  #boots = 0;
  #replica: Replica | null = null;
  /** What came from the disk and from timers while the process stood still. */
  #deferred: (() => void)[] = [];
  #wake: Ticket = noTicket;
  #wakeAtUs = Number.POSITIVE_INFINITY;

  constructor(settings: SimBoardSettings) {
    this.#settings = settings;
    this.name = settings.name;
    this.index = settings.index;
    this.disk = settings.disk;
    this.clock = settings.clock;
  }

  get state(): BoardState {
    return this.#state;
  }

  /** How often the process was started. */
  get boots(): number {
    return this.#boots;
  }

  /** The running replica; `null` if the process is gone. */
  get replica(): Replica | null {
    return this.#replica;
  }

  get status(): Status | null {
    return this.#replica?.status ?? null;
  }

  /** Starts the process, and before it the machine if need be. */
  start(): void {
    const { wire, random, queue, clock, disk, rules, sessionRules, ...settings } = this.#settings;
    this.#boots += 1;
    this.#state = "running";
    this.#replica = new Replica({
      board: settings.name,
      cluster: settings.cluster,
      founders: settings.founders,
      boards: settings.boards,
      clock: {
        monotonicUs: () => clock.monotonicUs(queue.nowUs),
        wallMs: () => Math.floor(clock.wallUs(queue.nowUs) / 1_000),
      },
      disk: disk.mount(),
      wire,
      random: random.fork(`boot ${this.#boots}`),
      options: settings.options,
      machines: () => [createKeyValue()],
      observer: settings.observer,
      rules,
      sessionRules,
    });
    this.#replica.start();
  }

  /** The process ends (`crashed`), or the machine loses its power (`off`). */
  end(state: "crashed" | "off"): void {
    this.#state = state;
    this.#replica = null;
    this.#deferred = [];
    this.#settings.queue.cancel(this.#wake);
    this.#wake = noTicket;
    this.#wakeAtUs = Number.POSITIVE_INFINITY;
  }

  pause(): void {
    if (this.#state === "running") this.#state = "paused";
  }

  resume(): void {
    if (this.#state !== "paused") return;
    this.#state = "running";
    const deferred = this.#deferred;
    this.#deferred = [];
    for (const happening of deferred) happening();
  }

  /** Has this happen now, or as soon as the process goes on. */
  whenAwake(happening: () => void): void {
    if (this.#state === "paused") this.#deferred.push(happening);
    else happening();
  }

  receive(message: PeerMessage): void {
    this.#replica?.receive(message);
    this.arm();
  }

  request(request: Request | Administration, via: Via): void {
    this.#replica?.request(request, via);
    this.arm();
  }

  boardGone(board: string): void {
    this.#replica?.boardGone(board);
    this.arm();
  }

  /** Sees to it that the replica is woken in time. A wake-up that comes too early does no harm, so it is left as it is. */
  arm(): void {
    if (this.#replica === null) return;
    const localUs = this.#replica.nextWakeUs();
    if (localUs === Number.POSITIVE_INFINITY) return;
    const { queue, clock } = this.#settings;
    const worldUs = Math.max(queue.nowUs, clock.worldUs(localUs));
    if (worldUs >= this.#wakeAtUs) return;
    queue.cancel(this.#wake);
    this.#wakeAtUs = worldUs;
    this.#wake = queue.schedule(worldUs, this.#onWake, 0, 0);
  }

  /** The clock's rate changed, so the world's time of what is due changed too. */
  rearm(): void {
    this.#settings.queue.cancel(this.#wake);
    this.#wakeAtUs = Number.POSITIVE_INFINITY;
    this.arm();
  }

  readonly #onWake = (): void => {
    this.#wake = noTicket;
    this.#wakeAtUs = Number.POSITIVE_INFINITY;
    this.whenAwake(this.#wakeUp);
  };

  readonly #wakeUp = (): void => {
    const { clock, queue } = this.#settings;
    if (this.#replica !== null && this.#replica.nextWakeUs() <= clock.monotonicUs(queue.nowUs)) this.#replica.wake();
    this.arm();
  };
}
