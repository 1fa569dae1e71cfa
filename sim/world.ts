/**
 * The world: a whole bench in virtual time, run by one event queue, following from one seed.
 *
 * Boards run the production replica, clients the production client; the world gives them clocks, disks, a network and
 * power, takes these away again, and checks after every step that no rule of Raft is broken.
 */

import { isQuorum } from "../device/raft/configuration.ts";
import { type MemberId, rules } from "../device/raft/index.ts";
import type { Random } from "../device/random.ts";
import { createRandom } from "../device/random.ts";
import type { Observer, ReplicaEvent, Status, Wire } from "../device/replica/host.ts";
import type { ReplicaOptions } from "../device/replica/options.ts";
import { formatStorage } from "../device/storage/index.ts";
import type { Administration, PeerMessage, Reply, Request } from "../device/transport/protocol.ts";
import { type Bench, controllerNode } from "../hardware/bench.ts";
import { BoardClock } from "./clock.ts";
import { type DiskTiming, goodDiskTiming, SimDisk } from "./disk.ts";
import { Fingerprint } from "./fingerprint.ts";
import type { HistoryEvent } from "./history.ts";
import { Invariants, type Violation } from "./invariants.ts";
import { type Laws, lawful } from "./laws.ts";
import { mixMessage } from "./message-print.ts";
import { createNetwork } from "./network.ts";
import type { Network } from "./network-interface.ts";
import { defaultNetworkOptions, type NetworkOptions } from "./network-types.ts";
import { Operator } from "./operator.ts";
import { EventQueue } from "./queue.ts";
import { SimBoard } from "./sim-board.ts";
import { SimClient } from "./sim-client.ts";
import type { Workload } from "./workload.ts";

/** What a world is made of. */
export type WorldSettings = {
  readonly bench: Bench;
  readonly seed: string | number;
  readonly replica: ReplicaOptions;
  readonly network?: Partial<NetworkOptions>;
  readonly disk?: DiskTiming;
  readonly workload: Workload;
  /** The laws that the boards follow; others than the lawful are mutants. */
  readonly laws?: Laws;
  /** Whether the world ends when a rule of Raft is broken, which is usual; or goes on, to see what clients make of it. */
  readonly stopsAtViolation?: boolean;
  /** Receives the history, event by event. */
  readonly record?: (event: HistoryEvent) => void;
  /** Receives what happens on the boards, and what is done to the bench. */
  readonly tell?: (event: WorldEvent) => void;
  /** Receives each message between boards as it is sent, whether or not it will arrive. */
  readonly overhear?: (message: PeerMessage) => void;
};

/** Something worth telling a person. */
export type WorldEvent =
  | { readonly atUs: number; readonly kind: "board"; readonly board: string; readonly event: ReplicaEvent }
  | { readonly atUs: number; readonly kind: "fault"; readonly what: string; readonly begins: boolean };

type Wired = {
  readonly raft: PeerMessage;
  readonly request: Request | Administration;
  readonly reply: Reply;
  readonly status: Status;
};

/** One run of a simulated bench. */
export class World {
  readonly bench: Bench;
  readonly queue = new EventQueue();
  readonly boards: readonly SimBoard[];
  readonly clients: readonly SimClient[];
  readonly network: Network<Wired>;
  readonly invariants: Invariants;
  /** Who asks the cluster for changes of its members and its leader. */
  readonly operator: Operator = new Operator(this);
  /** For those who decide what happens to this world; apart from what the world itself draws. */
  readonly random: Random;
  readonly #fingerprint = new Fingerprint();
  readonly #settings: WorldSettings;
  readonly #boardByName: ReadonlyMap<string, SimBoard>;
  /** By receiver and sender: the sender's latest boot that was heard of. What earlier boots sent comes too late. */
  readonly #boots: Uint32Array;
  /** Before the world begins, disks are written at once: what they do then takes no time. */
  #isAssembled = false;
  readonly #atTheFactory: (() => void)[] = [];
  /** Identities whose disk is gone, or no longer what it was. */
  readonly #lostMembers = new Set<MemberId>();

  /** A bench with fresh disks and no power yet; `powerOn` begins. */
  constructor(settings: WorldSettings) {
    const { bench, seed, workload } = settings;
    const random = createRandom(seed);
    this.#settings = settings;
    this.bench = bench;
    this.random = random.fork("experiment");
    this.#boots = new Uint32Array(bench.boards.length * bench.boards.length);
    const names = bench.boards.map((board) => board.name);
    this.invariants = new Invariants(
      names,
      () => this.boards,
      () => this.queue.nowUs,
    );
    this.boards = names.map((name, index) => this.#createBoard(name, index, names, random.fork(`board ${name}`)));
    this.#boardByName = new Map(this.boards.map((board) => [board.name, board]));
    this.network = createNetwork<Wired>({
      bench,
      clientNodes: Array.from({ length: workload.clients }, () => controllerNode),
      queue: this.queue,
      random: random.fork("network"),
      fingerprint: this.#fingerprint,
      listener: {
        onRaft: (to, from, message, boot) => this.#onPeerMessage(to, from, message, boot),
        onRequest: (board, broker, client, request) => this.#onRequest(board, broker * viaBase + client, request),
        onReply: (client, _broker, _board, reply) => this.clients[client - names.length]?.receive(reply),
        onStatus: (reader, broker, board, status, boot) => this.#onStatus(reader, broker, board, status, boot),
        onConnection: () => undefined,
      },
      options: { ...defaultNetworkOptions, ...settings.network },
      sizeBytes: (payload) => JSON.stringify(payload).length,
    });
    this.clients = Array.from({ length: workload.clients }, (_, index) => this.#createClient(index, random));
  }

  get nowUs(): number {
    return this.queue.nowUs;
  }

  /** The first rule that was broken, or `null`. */
  get violation(): Violation | null {
    return this.invariants.violation;
  }

  /** A hash over everything that happened so far: the same seed gives the same, everywhere. */
  get fingerprint(): string {
    return this.#fingerprint.digest();
  }

  /** Whether a rule was broken and that ends this world (see `WorldSettings.stopsAtViolation`). */
  get isStopped(): boolean {
    return this.invariants.violation !== null && this.#settings.stopsAtViolation !== false;
  }

  /** Gives every board a card made for it, and starts them all. */
  powerOn(): void {
    for (const { name, disk } of this.boards) {
      formatStorage(disk.mount(), { cluster: this.bench.cluster, board: name, member: name }, (result) => {
        if (!result.ok) throw new Error(`The simulated disk of ${name}: ${result.error.message}`);
      });
    }
    for (let next = this.#atTheFactory.shift(); next !== undefined; next = this.#atTheFactory.shift()) next();
    this.#isAssembled = true;
    for (const board of this.boards) this.start(board.name);
  }

  /** Lets time pass until `untilUs`, or until a broken rule ends it. */
  runUntil(untilUs: number): void {
    const { queue } = this;
    while (!this.isStopped && queue.stepUntil(untilUs));
    if (!this.isStopped) queue.runUntil(untilUs);
  }

  runFor(durationUs: number): void {
    this.runUntil(this.nowUs + durationUs);
  }

  /** Lets time pass until `condition` holds; says whether it did before `withinUs` were over. Asked after each event. */
  runUntilTrue(condition: () => boolean, withinUs: number): boolean {
    const { queue } = this;
    const untilUs = this.nowUs + withinUs;
    while (!condition()) {
      if (queue.nextUs > untilUs || this.isStopped) return false;
      queue.step();
    }
    return true;
  }

  board(name: string): SimBoard {
    const board = this.#boardByName.get(name);
    if (board === undefined)
      throw new RangeError(`There is no board ${name}; there are ${[...this.#boardByName.keys()].join(", ")}.`);
    return board;
  }

  /** The running board that leads in the latest term, if any. */
  get leader(): SimBoard | null {
    let latest: SimBoard | null = null;
    let latestTerm = -1;
    for (const board of this.boards) {
      const raft = board.replica?.raft;
      if (raft?.role !== "leader" || raft.term <= latestTerm) continue;
      latest = board;
      latestTerm = raft.term;
    }
    return latest;
  }

  // What can be done to a board

  /** Gives the board power, or starts its process again. Nothing if it runs. */
  start(name: string): void {
    const board = this.board(name);
    if (board.state === "running" || board.state === "paused") return;
    const count = this.boards.length;
    this.#boots.fill(0, board.index * count, (board.index + 1) * count);
    this.network.boardStarted(board.index, board.boots + 1);
    board.start();
    this.#tellFault(`${name} starts`, false);
  }

  /** The process is killed; the machine and its page cache go on. */
  crash(name: string): void {
    const board = this.board(name);
    if (board.state !== "running" && board.state !== "paused") return;
    board.end("crashed");
    board.disk.crashProcess();
    this.network.processDied(board.index);
    this.#tellFault(`${name} is killed`, true);
  }

  /** The power goes: what was not flushed may be lost, torn or reordered. */
  powerCut(name: string): void {
    const board = this.board(name);
    if (board.state === "off") return;
    board.end("off");
    board.disk.cutPower();
    this.network.powerCut(board.index);
    this.#tellFault(`${name} loses its power`, true);
  }

  /** The card is taken out and an empty one put in; the board is without power meanwhile. */
  wipe(name: string): void {
    this.powerCut(name);
    this.#lostMembers.add(this.invariants.memberOf(this.board(name)));
    this.board(name).disk.wipe();
    this.#tellFault(`${name} gets an empty card`, true);
  }

  /** A bit on the board's disk flips. It finds out when it next reads the file, at its next start. */
  rot(name: string): void {
    const board = this.board(name);
    const rotten = board.disk.rot();
    if (rotten === null) return;
    this.#lostMembers.add(this.invariants.memberOf(board));
    this.#tellFault(`a bit of ${name}'s ${rotten.file} flips at offset ${rotten.offset}`, true);
  }

  /**
   * Whether this board may lose its disk and the cluster still holds everything: then a majority of every configuration
   * that any board goes by keeps its memory.
   */
  mayLose(name: string): boolean {
    return this.keepsQuorum([...this.#lostMembers, this.invariants.memberOf(this.board(name))]);
  }

  /** Whether every configuration that any board goes by has a quorum without these members and those who lost their disk. */
  keepsQuorum(without: readonly MemberId[]): boolean {
    const isThere = (member: MemberId): boolean => !without.includes(member) && !this.#lostMembers.has(member);
    return this.invariants.configurationsInForce.every((each) => isQuorum(each, rules, isThere));
  }

  pause(name: string): void {
    const board = this.board(name);
    if (board.state !== "running") return;
    board.pause();
    this.network.setPaused(board.index, true);
    this.#tellFault(`${name} stands still`, true);
  }

  resume(name: string): void {
    const board = this.board(name);
    if (board.state !== "paused") return;
    this.network.setPaused(board.index, false);
    board.resume();
    this.#tellFault(`${name} goes on`, false);
  }

  /** From now on the board's clock gains so much; negative: it loses. */
  setClockDrift(name: string, driftPpm: number): void {
    const board = this.board(name);
    board.clock.setDrift(this.nowUs, driftPpm);
    board.rearm();
    this.#tellFault(`the clock of ${name} drifts by ${driftPpm} ppm`, driftPpm !== 0);
  }

  /** Someone sets the board's wall clock. */
  jumpClock(name: string, byUs: number): void {
    this.board(name).clock.jumpWall(byUs);
    this.#tellFault(`the clock of ${name} jumps by ${byUs} µs`, true);
  }

  #createBoard(name: string, index: number, names: readonly string[], random: Random): SimBoard {
    const { queue } = this;
    const { bench, replica, laws } = this.#settings;
    const board: SimBoard = new SimBoard({
      name,
      index,
      cluster: bench.cluster,
      founders: names,
      boards: names,
      queue,
      // Boards are switched on at different times, so their clocks show different ones.
      clock: new BoardClock(0, random.between(0, 1_000_000), epochUs + random.between(0, 100_000)),
      disk: new SimDisk({
        schedule: (delayUs, happening) => this.#schedule(index, delayUs, happening),
        random: random.fork("disk"),
        timing: this.#settings.disk ?? goodDiskTiming,
      }),
      wire: this.#wireOf(index),
      random: random.fork("replica"),
      options: replica,
      observer: this.#observerOf(index),
      rules: (laws ?? lawful).rules,
      sessionRules: (laws ?? lawful).sessionRules,
    });
    return board;
  }

  #createClient(index: number, random: Random): SimClient {
    const name = `c${index + 1}`;
    const endpoint = this.boards.length + index;
    return new SimClient({
      name,
      queue: this.queue,
      random: random.fork(`client ${name}`),
      workload: this.#settings.workload,
      publish: (request) => this.network.publishRequest(endpoint, request),
      record: (event) => this.#settings.record?.(event),
    });
  }

  /** The disk of a board is done with something. */
  #schedule(index: number, delayUs: number, happening: () => void): void {
    if (!this.#isAssembled) {
      this.#atTheFactory.push(happening);
      return;
    }
    this.queue.at(this.nowUs + delayUs, () => {
      const board = this.boards[index];
      if (board === undefined) return;
      board.whenAwake(() => {
        happening();
        board.arm();
      });
    });
  }

  #wireOf(index: number): Wire {
    return {
      send: (to, message) => {
        const board = this.boards[index];
        if (board !== undefined) this.invariants.sent(board, message);
        this.#settings.overhear?.(message);
        this.network.sendRaft(index, this.board(to).index, message);
      },
      reply: (via, reply) => {
        const board = this.boards[index];
        if (board !== undefined && reply.outcome.kind === "ok") this.invariants.answered(board, readKey(reply));
        this.network.reply(index, Math.floor(via / viaBase), via % viaBase, reply);
      },
      takeRequests: (wanted) => this.network.subscribeRequests(index, wanted),
      publishStatus: (status) => this.network.publishStatus(index, status),
    };
  }

  #observerOf(index: number): Observer {
    const { invariants } = this;
    // Asked for at each call, since the board is not made yet when its observer is.
    const board = (): SimBoard => this.#boardAt(index);
    return {
      event: (event) => this.#onBoardEvent(board(), event),
      saving: (save) => invariants.saving(board(), save),
      saved: (saveId) => invariants.saved(board(), saveId),
      restored: (snapshot) => invariants.restored(board(), snapshot),
      applied: (entry, applied) => invariants.applied(board(), entry, applied),
      compacted: (snapshot) => invariants.compacted(board(), snapshot),
    };
  }

  #boardAt(index: number): SimBoard {
    const board = this.boards[index];
    if (board === undefined) throw new RangeError(`There is no board ${index}.`);
    return board;
  }

  #onBoardEvent(board: SimBoard, event: ReplicaEvent): void {
    this.invariants.event(board, event);
    this.#fingerprint.mixNumber(board.index);
    this.#fingerprint.mixText(event.type);
    this.#settings.tell?.({ atUs: this.nowUs, kind: "board", board: board.name, event });
    if (event.type === "stopped") this.#restartLater(board);
  }

  /** A replica that stops ends its process; whatever supervises it starts it again after a while. */
  #restartLater(board: SimBoard): void {
    const boot = board.boots;
    this.queue.at(this.nowUs, () => {
      if (board.boots === boot) this.crash(board.name);
    });
    this.queue.at(this.nowUs + supervisorRestartUs, () => {
      if (board.boots === boot && board.state === "crashed") this.start(board.name);
    });
  }

  #onPeerMessage(to: number, from: number, message: PeerMessage, boot: number): void {
    const place = to * this.boards.length + from;
    const latest = this.#boots[place] ?? 0;
    if (boot < latest) return;
    this.#boots[place] = boot;
    mixMessage(this.#fingerprint, message);
    this.boards[to]?.receive(message);
  }

  #onRequest(board: number, via: number, request: Request | Administration): void {
    this.#fingerprint.mixNumber(request.request);
    const asked = this.boards[board];
    if (asked === undefined) return;
    if (request.type === "query" && request.mode !== "stale") this.invariants.readAsked(asked, readKey(request));
    asked.request(request, via);
  }

  /**
   * A board is offline, says a broker. Only the one of the board's own inbox knows: any other may just have lost its
   * cable to the board, and who believed it would forget a leader that everybody else hears.
   */
  #onStatus(reader: number, broker: number, board: number, status: Status | null, boot: number): void {
    if (status !== null || this.bench.brokers[broker]?.name !== this.bench.boards[board]?.inbox) return;
    const gone = this.boards[board];
    if (gone === undefined || boot < (this.#boots[reader * this.boards.length + board] ?? 0)) return;
    this.boards[reader]?.boardGone(gone.name);
  }

  #tellFault(what: string, begins: boolean): void {
    this.#fingerprint.mixText(what);
    this.#settings.tell?.({ atUs: this.nowUs, kind: "fault", what, begins });
  }

  /** Tells of something done to cables, switches, brokers or disks. */
  noteFault(what: string, begins: boolean): void {
    this.#tellFault(what, begins);
  }
}

function readKey({ client, request }: { readonly client: string; readonly request: number }): string {
  return `${client} ${request}`;
}

/** A `Via` holds the broker and the client in one number. */
const viaBase = 65_536;
/** The wall clock's time at the start of every run: some day in 2026. */
const epochUs = 1_780_000_000_000_000;
const supervisorRestartUs = 1_000_000;
