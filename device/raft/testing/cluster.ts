/**
 * Several consensus cores in one process, moved by hand: nothing happens unless a verb says so.
 *
 * Every board has a clock of its own, which moves only by `pass`, `timeout` and `heartbeat`. Messages wait in one queue
 * until they are delivered or dropped. Saves are durable at once, or on the boards with slow disks when `saved` says so.
 * What was done and what came of it is written down in `transcript`.
 */

import type { Target } from "../configuration.ts";
import type { Effects, RaftEvent, ReadResult } from "../effects.ts";
import type { RecoveredLog } from "../log.ts";
import { defaultRaftOptions, type RaftOptions } from "../options.ts";
import { type Proposed, Raft } from "../raft.ts";
import { type Rules, rules } from "../rules.ts";
import type { Configuration, Entry, HardState, MemberId, Message, Random } from "../types.ts";
import { MemoryDisk, stateOf } from "./memory-disk.ts";
import {
  describeConfiguration,
  describeEntry,
  describeEvent,
  describeMessage,
  describeRead,
  describeSave,
  nameMessage,
  wrap,
} from "./transcript.ts";

/** How a scripted cluster begins. */
export type ClusterSettings = {
  readonly initial: Configuration;
  /** The boards that exist; others can only be spoken for by `inject`. Default: all voters and learners. */
  readonly boards?: readonly MemberId[];
  readonly options?: Partial<RaftOptions>;
  /** Boards whose saves wait for `saved`. */
  readonly slowDisks?: readonly MemberId[];
  /** What a board has on disk at the beginning. */
  readonly disks?: Readonly<Record<MemberId, { readonly hardState: HardState; readonly log: RecoveredLog }>>;
  readonly rules?: Rules;
  /** Chance for a board; by default its election time-outs are always the same, and grow along the alphabet. */
  readonly random?: (board: MemberId) => Random;
  /** Whether to write a transcript. Default: yes. */
  readonly recorded?: boolean;
};

/** Picks messages of the queue; what is left out fits everything. */
export type MessageFilter = {
  readonly from?: MemberId;
  readonly to?: MemberId;
  readonly type?: Message["type"];
};

/** A message on its way, numbered in the order of sending. */
export type Sent = { readonly number: number; readonly message: Message };

/** One board of the cluster. */
export type Board = {
  readonly id: MemberId;
  raft: Raft;
  /** Its own clock, in microseconds. */
  now: number;
  running: boolean;
  isSlow: boolean;
  readonly disk: MemoryDisk;
  /** What its state machine was given since it started: commands, in order. */
  state: string[];
  /** Every entry that was applied in any of its lives, for checks. */
  readonly applied: Entry[];
  readonly reads: ReadResult[];
  readonly events: RaftEvent[];
};

/** The cluster and its verbs. */
export class Cluster {
  readonly options: RaftOptions;
  readonly boards: ReadonlyMap<MemberId, Board>;
  /** Messages that were sent and neither delivered nor lost. */
  queue: Sent[] = [];

  readonly #settings: ClusterSettings;
  readonly #isolated = new Set<MemberId>();
  readonly #randoms = new Map<MemberId, Random>();
  #lines: string[] = [];
  #silent = false;
  #sent = 0;

  constructor(settings: ClusterSettings) {
    this.#settings = settings;
    this.#silent = settings.recorded === false;
    this.options = { ...defaultRaftOptions, ...settings.options };
    const { initial } = settings;
    const ids = settings.boards ?? [...new Set([...initial.voters, ...initial.votersOutgoing, ...initial.learners])];
    this.boards = new Map(ids.map((id) => [id, this.#createBoard(id)]));
  }

  /** The story so far; ends with a line feed. */
  get transcript(): string {
    return `${this.#lines.join("\n").trim()}\n`;
  }

  /** Explains what is to be seen next. */
  tell(text: string): void {
    this.#write("", ...wrap(text, 110).map((line) => `# ${line}`));
  }

  /** Does what is needed to set a scene, without writing it down. */
  quietly(action: () => void): void {
    const before = this.#silent;
    this.#silent = true;
    action();
    this.#silent = before;
  }

  board(id: MemberId): Board {
    const board = this.boards.get(id);
    if (board === undefined) throw new RangeError(`There is no board ${id} in this cluster.`);
    return board;
  }

  raft(id: MemberId): Raft {
    return this.board(id).raft;
  }

  // Time

  /** Moves a board's clock and ticks it once. */
  pass(id: MemberId, milliseconds: number): void {
    const board = this.board(id);
    this.#input(`${milliseconds} ms pass on ${id}`);
    this.#tickAt(board, board.now + milliseconds * 1000);
  }

  /** A board's election timer runs out. */
  timeout(id: MemberId): void {
    const board = this.board(id);
    this.#input(`${id}'s election timer runs out`);
    this.#tickAt(board, Math.max(board.now, board.raft.nextDeadline()));
  }

  /** A leader's heartbeat falls due. */
  heartbeat(id: MemberId): void {
    const board = this.board(id);
    this.#input(`${id}'s heartbeat is due`);
    this.#tickAt(board, board.now + this.options.heartbeatUs);
  }

  /** Makes `id` leader with everybody's help, in silence; then all agree on the commit index and the queue is empty. */
  elect(id: MemberId): void {
    this.quietly(() => {
      const slow = [...this.boards.values()].filter(({ isSlow }) => isSlow);
      for (const board of slow) board.isSlow = false;
      for (const board of this.boards.values()) {
        if (board.id !== id && board.running) this.#tickAt(board, board.now + this.options.electionTimeoutMinUs);
      }
      this.timeout(id);
      this.settle();
      this.heartbeat(id);
      this.settle();
      for (const board of slow) board.isSlow = true;
    });
    if (this.raft(id).role !== "leader") throw new Error(`${id} was to lead, but is ${this.raft(id).role}.`);
  }

  // Messages

  /** Messages in the queue. */
  messages(filter: MessageFilter = {}): readonly Message[] {
    return this.queue.filter(({ message }) => fits(message, filter)).map(({ message }) => message);
  }

  /** Delivers what is in the queue now, but not what is sent in answer. */
  deliver(filter: MessageFilter = {}): void {
    for (const sent of this.#take(filter)) this.#deliver(sent);
  }

  /** Delivers until nothing that fits is left. */
  settle(filter: MessageFilter = {}): void {
    let rounds = 0;
    for (let taken = this.#take(filter); taken.length > 0; taken = this.#take(filter)) {
      for (const sent of taken) this.#deliver(sent);
      rounds += 1;
      if (rounds > 1000) throw new Error("The boards do not come to rest.");
    }
  }

  /** Lets some boards talk among themselves until they come to rest. */
  settleAmong(ids: readonly MemberId[]): void {
    let found = true;
    while (found) {
      const taken = this.#takeWhere(({ from, to }) => ids.includes(from) && ids.includes(to));
      for (const sent of taken) this.#deliver(sent);
      found = taken.length > 0;
    }
  }

  /** Delivers one message of the queue by its place, or, if `copy`, delivers it and leaves it there too. */
  deliverAt(place: number, copy = false): void {
    const sent = this.queue[place];
    if (sent === undefined) return;
    if (!copy) this.queue.splice(place, 1);
    this.#deliver(sent);
  }

  /** Loses what is in the queue now. */
  drop(filter: MessageFilter = {}): void {
    for (const { number, message } of this.#take(filter)) this.#input(`lost: #${number} ${nameMessage(message)}`);
  }

  /** Loses one message of the queue by its place. */
  dropAt(place: number): void {
    this.queue.splice(place, 1);
  }

  /** Hands a board a message that nobody of this cluster sent just now: late, repeated or from a board that is not here. */
  inject(message: Message): void {
    this.#input(`arrives: ${describeMessage(message)}`);
    this.#act(message.to, (raft) => raft.step(message));
  }

  /** Cuts a board off: what it sends and what it is sent is lost from now on. */
  isolate(id: MemberId): void {
    this.#input(`${id} is cut off`);
    this.#isolated.add(id);
    this.#take({ from: id });
    this.#take({ to: id });
  }

  /** Heals all cables. */
  heal(): void {
    this.#input("all cables are healed");
    this.#isolated.clear();
  }

  // Disks and crashes

  /** The oldest save of a board with a slow disk is durable. */
  saved(id: MemberId): void {
    const board = this.board(id);
    const next = board.disk.pending[0];
    if (next === undefined) return;
    this.#input(`save ${next.id} of ${id} is durable`);
    this.#complete(board);
  }

  /** A board loses its power: what it had not saved is gone. */
  crash(id: MemberId): void {
    const board = this.board(id);
    this.#input(`${id} crashes`);
    board.running = false;
    board.disk.pending = [];
  }

  /** A board starts again from what was durable. */
  restart(id: MemberId): void {
    const board = this.board(id);
    board.raft = this.#createRaft(id, board.disk, board.now);
    board.state = stateOf(board.disk.log.snapshot);
    board.running = true;
    const { hardState } = board.disk;
    this.#input(
      `${id} restarts with term ${hardState.term}, vote for ${hardState.votedFor ?? "nobody"}, log up to ${board.raft.lastIndex}/${board.raft.lastTerm}`,
    );
    this.#drain(board);
  }

  // Wishes

  propose(id: MemberId, data: string): Proposed {
    return this.#wish(id, `propose "${data}" to ${id}`, (raft) => raft.propose(data));
  }

  changeMembers(id: MemberId, target: Target, autoLeave = true): Proposed {
    const { voters, learners } = target;
    const wanted = `voters ${voters.join(" ")}${learners.length > 0 ? `, learners ${learners.join(" ")}` : ""}`;
    return this.#wish(id, `tell ${id} to change the members to ${wanted}`, (raft) =>
      raft.changeMembers(target, autoLeave),
    );
  }

  leaveJoint(id: MemberId): Proposed {
    return this.#wish(id, `tell ${id} to leave the joint configuration`, (raft) => raft.leaveJoint());
  }

  read(id: MemberId, read: number, useLease = false): string | null {
    this.#input(`read ${read} at ${id}${useLease ? ", by lease" : ""}`);
    return this.#refusable(id, (raft) => raft.read(read, useLease));
  }

  transfer(id: MemberId, target: MemberId): string | null {
    this.#input(`tell ${id} to hand leadership to ${target}`);
    return this.#refusable(id, (raft) => raft.transfer(target));
  }

  forgetLeader(id: MemberId, leader: MemberId): void {
    this.#input(`tell ${id} that ${leader} is gone`);
    this.#act(id, (raft) => raft.forgetLeader(leader));
  }

  /** A board takes a snapshot of what it applied. */
  compact(id: MemberId, trailing = 0): void {
    const board = this.board(id);
    const snapshot = board.raft.compact(board.raft.appliedIndex, board.state.join(";"), trailing);
    board.disk.compact(snapshot, trailing);
    this.#input(`${id} takes a snapshot as of ${snapshot.index}/${snapshot.term} and keeps ${trailing} entries below`);
    this.#drain(board);
  }

  /** Writes down where every board stands. */
  status(): void {
    this.#input("where they stand");
    for (const { id, raft, running } of this.boards.values()) {
      if (!running) {
        this.#effect(id, "is down");
        continue;
      }
      this.#effect(
        id,
        `${raft.role} in term ${raft.term}, log up to ${raft.lastIndex}/${raft.lastTerm}, commit ${raft.commitIndex}, ${describeConfiguration(raft.configuration)}`,
      );
      for (const { member, matchIndex, sending } of raft.followers()) {
        this.#effect(id, `  ${member}: ${sending}, matches up to ${matchIndex}`);
      }
    }
  }

  // Within

  #createBoard(id: MemberId): Board {
    const disk = new MemoryDisk(this.#settings.disks?.[id]);
    return {
      id,
      raft: this.#createRaft(id, disk, 0),
      now: 0,
      running: true,
      isSlow: this.#settings.slowDisks?.includes(id) ?? false,
      disk,
      state: stateOf(disk.log.snapshot),
      applied: [],
      reads: [],
      events: [],
    };
  }

  #createRaft(id: MemberId, disk: MemoryDisk, now: number): Raft {
    return new Raft({
      id,
      initial: this.#settings.initial,
      hardState: disk.hardState,
      log: disk.log,
      options: this.options,
      random: this.#randomOf(id),
      now,
      rules: this.#settings.rules ?? rules,
    });
  }

  /** One generator a board, which goes on through its lives: no life draws what another drew. */
  #randomOf(id: MemberId): Random {
    const random = this.#randoms.get(id) ?? this.#settings.random?.(id) ?? steady(id);
    this.#randoms.set(id, random);
    return random;
  }

  #tickAt(board: Board, now: number): void {
    board.now = now;
    this.#act(board.id, (raft) => raft.tick(now));
  }

  #wish(id: MemberId, input: string, ask: (raft: Raft) => Proposed): Proposed {
    this.#input(input);
    let proposed: Proposed = { ok: false, reason: "this board is down" };
    this.#act(id, (raft) => {
      proposed = ask(raft);
      if (!proposed.ok) this.#effect(id, `refuses: ${proposed.reason}`);
    });
    return proposed;
  }

  #refusable(id: MemberId, ask: (raft: Raft) => string | null): string | null {
    let refused: string | null = "this board is down";
    this.#act(id, (raft) => {
      refused = ask(raft);
      if (refused !== null) this.#effect(id, `refuses: ${refused}`);
    });
    return refused;
  }

  #act(id: MemberId, action: (raft: Raft) => void): void {
    const board = this.board(id);
    if (!board.running) return;
    action(board.raft);
    this.#drain(board);
  }

  #drain(board: Board): void {
    for (let effects = board.raft.drain(); effects !== null; effects = board.raft.drain())
      this.#carryOut(board, effects);
  }

  #carryOut(board: Board, effects: Effects): void {
    const { id, disk } = board;
    for (const event of effects.events) {
      board.events.push(event);
      this.#effect(id, describeEvent(event, id));
    }
    if (effects.save !== null) this.#effect(id, `saves (${effects.save.id}): ${describeSave(effects.save)}`);
    for (const message of effects.send) this.#send(message);
    for (const message of effects.held) {
      if (board.isSlow) this.#effect(id, `holds until save ${effects.heldUntil}: ${describeMessage(message)}`);
    }
    if (effects.save !== null || effects.held.length > 0) {
      disk.pending.push({ save: effects.save, id: effects.save?.id ?? effects.heldUntil, held: effects.held });
    }
    if (effects.restore !== null) {
      board.state = stateOf(effects.restore);
      this.#effect(id, `restores its state machine as of ${effects.restore.index}`);
    }
    for (const entry of effects.apply) {
      board.applied.push(entry);
      if (entry.kind === "command") board.state.push(entry.data);
      this.#effect(id, `applies ${describeEntry(entry)}`);
    }
    for (const result of effects.reads) {
      board.reads.push(result);
      this.#effect(id, describeRead(result));
    }
    while (!board.isSlow && disk.pending.length > 0) this.#complete(board);
  }

  /** The oldest save becomes durable; what was held only for it (or for nothing newer) is sent. */
  #complete(board: Board): void {
    const saved = board.disk.complete();
    if (saved === undefined) return;
    const waiting = [saved];
    while (board.disk.pending[0]?.save === null && board.disk.pending[0].id === saved.id) {
      const next = board.disk.complete();
      if (next !== undefined) waiting.push(next);
    }
    for (const { held } of waiting) for (const message of held) this.#send(message);
    board.raft.saved(saved.id);
    this.#drain(board);
  }

  #send(message: Message): void {
    this.#sent += 1;
    const isLost = this.#isolated.has(message.from) || this.#isolated.has(message.to);
    this.#effect(message.from, `sends #${this.#sent} ${describeMessage(message)}${isLost ? " (lost)" : ""}`);
    if (!isLost) this.queue.push({ number: this.#sent, message });
  }

  #deliver({ number, message }: Sent): void {
    this.#input(`deliver #${number} ${nameMessage(message)}`);
    const board = this.boards.get(message.to);
    if (board === undefined || !board.running) {
      this.#effect(message.to, "is not there");
      return;
    }
    const lines = this.#lines.length;
    this.#act(message.to, (raft) => raft.step(message));
    const isQuestion = message.type === "vote" || message.type === "preVote";
    if (isQuestion && this.#lines.length === lines) this.#effect(message.to, "passes it over: it hears its leader");
  }

  #take(filter: MessageFilter): readonly Sent[] {
    return this.#takeWhere((message) => fits(message, filter));
  }

  #takeWhere(isTaken: (message: Message) => boolean): readonly Sent[] {
    const taken = this.queue.filter(({ message }) => isTaken(message));
    this.queue = this.queue.filter(({ message }) => !isTaken(message));
    return taken;
  }

  #input(text: string): void {
    this.#write(`> ${text}`);
  }

  #effect(id: MemberId, text: string): void {
    this.#write(`    ${id} ${text}`);
  }

  #write(...lines: readonly string[]): void {
    if (!this.#silent) this.#lines.push(...lines);
  }
}

/** Election time-outs that are always the same, and longer for boards later in the alphabet. */
function steady(id: MemberId): Random {
  const place = id.charCodeAt(0) - "a".charCodeAt(0) + 1;
  return { between: (min, max) => Math.min(max - 1, min + place * 10_000) };
}

function fits(message: Message, { from, to, type }: MessageFilter): boolean {
  return (
    (from === undefined || message.from === from) &&
    (to === undefined || message.to === to) &&
    (type === undefined || message.type === type)
  );
}
