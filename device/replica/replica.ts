/**
 * One participant: consensus, storage, machines, sessions and requests tied together, as one synchronous loop.
 *
 * The host (a simulated world, a real board) calls in with what happened: time, messages, requests; what takes time on
 * the disk comes back by itself. After each input the core's effects are drained and carried out. There is no
 * promise, no timer and no thread in here, so whoever owns the clock, the disk and the wire owns the order of things.
 */

import { createMachineHost, type MachineHost } from "../machine/host.ts";
import type { Machine } from "../machine/machine.ts";
import type { SessionRules } from "../machine/sessions.ts";
import {
  type Effects,
  type Entry,
  InvariantViolation,
  Raft,
  type Rules,
  type Save,
  simpleConfiguration,
} from "../raft/index.ts";
import type { Random } from "../random.ts";
import type { BootRecord, Disk, Recovered, Storage } from "../storage/index.ts";
import type { Administration, PeerMessage, Request } from "../transport/protocol.ts";
import { Compaction } from "./compaction.ts";
import type { Clock, Observer, ReplicaEvent, Status, Via, Wire } from "./host.ts";
import { type BoardId, boardOf, isReborn, reborn } from "./identity.ts";
import { promoteLearners, takeIn } from "./members.ts";
import { open } from "./opening.ts";
import type { ReplicaOptions } from "./options.ts";
import { Requests } from "./requests.ts";

/** What a replica is made of. */
export type ReplicaSettings = {
  readonly board: BoardId;
  readonly cluster: string;
  /** The boards with which the cluster began, the same for every board and for ever. */
  readonly founders: readonly BoardId[];
  /** Every board that there may be: those who can be asked to take this one in. */
  readonly boards: readonly BoardId[];
  readonly clock: Clock;
  readonly disk: Disk;
  readonly wire: Wire;
  /** Must not repeat what an earlier boot of this board drew: numbers that tell late answers from present ones come of it. */
  readonly random: Random;
  readonly options: ReplicaOptions;
  /** Makes the machines, empty. */
  readonly machines: () => readonly Machine[];
  readonly observer: Observer;
  /** Other laws than the lawful, in experiments that break one on purpose. */
  readonly rules?: Rules;
  readonly sessionRules?: SessionRules;
};

/** What there is once storage is open. */
type Running = {
  readonly raft: Raft;
  readonly storage: Storage;
  readonly machines: MachineHost;
  readonly requests: Requests;
  readonly compaction: Compaction;
};

/** Messages that promise something, until the save that keeps the promise is durable. */
type Held = { readonly saveId: number; readonly messages: Effects["held"] };

/** What the last published status said of this board's part; a new one is published only when that changes. */
type Published = Pick<Status, "role" | "term" | "leader">;

/** One boot of one board's part in the cluster: make a new one for the next boot. */
export class Replica {
  readonly #settings: ReplicaSettings;
  #running: Running | null = null;
  #stopped: string | null = null;
  #held: Held[] = [];
  #takesRequests = false;
  #isGathering = false;
  #nextJoinAt = Number.POSITIVE_INFINITY;
  #published: Published = { role: "opening", term: 0, leader: null };

  constructor(settings: ReplicaSettings) {
    this.#settings = settings;
  }

  /** Opens the disk. The replica takes part once that is done. */
  start(): void {
    const { disk, cluster, board, options, random } = this.#settings;
    const settings = {
      disk,
      cluster,
      board,
      storage: options.storage,
      rebirth: () => reborn(board, random.between(1, 0x1_0000_0000)),
      rejoinAfterDamage: options.rejoinAfterDamage,
    };
    open(settings, {
      damaged: (damage) => this.#note({ type: "damaged", damage }),
      reborn: (member) => this.#note({ type: "reborn", member }),
      ready: (storage, boot, recovered) => this.#run(storage, boot, recovered),
      failed: (reason) => this.#stop(reason),
    });
  }

  /** The consensus core, to look at; `null` until the disk is open. */
  get raft(): Raft | null {
    return this.#running?.raft ?? null;
  }

  /** The machines, to look at; `null` until the disk is open. */
  get machines(): MachineHost | null {
    return this.#running?.machines ?? null;
  }

  /** How many requests of clients wait for their answer. */
  get requestsWaiting(): number {
    return this.#running?.requests.waiting ?? 0;
  }

  get status(): Status {
    const { board } = this.#settings;
    const raft = this.raft;
    if (raft === null) {
      const role = this.#stopped === null ? "opening" : "stopped";
      return { member: board, role, term: 0, leader: null, commitIndex: 0, appliedIndex: 0, lastIndex: 0 };
    }
    const { id: member, term, leader, commitIndex, appliedIndex, lastIndex } = raft;
    const role = this.#stopped === null ? roleOf(raft) : "stopped";
    return { member, role, term, leader, commitIndex, appliedIndex, lastIndex };
  }

  /** When `wake` is next needed, on the monotonic clock, if nothing else happens first. */
  nextWakeUs(): number {
    if (this.#running === null || this.#stopped !== null) return Number.POSITIVE_INFINITY;
    return Math.min(this.#running.raft.nextDeadline(), this.#nextJoinAt);
  }

  /**
   * Takes several inputs as one: all that `give` calls in with is taken first, and what follows from all of it is carried
   * out once, so that what came together travels on together.
   */
  together(give: () => void): void {
    if (this.#isGathering) {
      give();
      return;
    }
    this.#isGathering = true;
    try {
      give();
    } finally {
      this.#isGathering = false;
    }
    this.#input(takeNothing, null);
  }

  /** Time went by. */
  wake(): void {
    this.#input(this.#woken, null);
  }

  /** Another board sent this. */
  receive(message: PeerMessage): void {
    this.#input(takeMessage, message);
  }

  /** A client, or an operator, asks. */
  request(request: Request | Administration, via: Via): void {
    this.#input(({ requests }) => requests.take(request, via), null);
  }

  /** A broker says that this board's process is gone (its will): a hint that shortens the wait for a new leader. */
  boardGone(board: BoardId): void {
    this.#input(takeWill, board);
  }

  /**
   * Every input goes through here: the time first, then the input, then all that follows from it. An impossible state
   * ends this replica; any other mistake is the host's to hear of.
   */
  #input<What>(take: (running: Running, what: What) => void, what: What): void {
    const running = this.#running;
    if (running === null || this.#stopped !== null) return;
    try {
      running.raft.tick(this.#settings.clock.monotonicUs());
      take(running, what);
      if (!this.#isGathering) this.#settle(running);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (!(error instanceof InvariantViolation)) throw error;
    this.#stop(error.message, error.invariant);
  }

  #stop(reason: string, invariant: string | null = null): void {
    if (this.#stopped !== null) return;
    this.#stopped = reason;
    this.#note({ type: "stopped", reason, invariant });
  }

  #note(event: ReplicaEvent): void {
    this.#settings.observer.event(event);
  }

  #run(storage: Storage, boot: BootRecord, recovered: Recovered): void {
    try {
      this.#running = this.#assemble(storage, boot, recovered);
    } catch (error) {
      this.#fail(error);
      return;
    }
    const { raft } = this.#running;
    this.#note({ type: "opened", member: boot.member, lastIndex: raft.lastIndex, tornTail: recovered.tornTail });
    if (isJoining(raft)) this.#nextJoinAt = this.#settings.clock.monotonicUs();
    this.wake();
  }

  /** Everything as it was when the disk was last written. */
  #assemble(storage: Storage, boot: BootRecord, recovered: Recovered): Running {
    const { founders, options, random, clock, rules, sessionRules, wire } = this.#settings;
    const raft = new Raft({
      id: boot.member,
      initial: simpleConfiguration(founders),
      hardState: recovered.hardState,
      log: { snapshot: recovered.snapshot, entries: recovered.entries },
      options: options.raft,
      random,
      now: clock.monotonicUs(),
      ...(rules === undefined ? {} : { rules }),
    });
    const machines = createMachineHost({
      machines: this.#settings.machines(),
      limits: options.sessions,
      ...(sessionRules === undefined ? {} : { sessionRules }),
    });
    if (recovered.snapshot !== null) {
      machines.restore(recovered.snapshot.data);
      this.#settings.observer.restored(recovered.snapshot);
    }
    const requests = new Requests({
      raft,
      machines,
      reply: (via, reply) => wire.reply(via, reply),
      wallMs: () => clock.wallMs(),
      pendingRequestsMax: options.pendingRequestsMax,
    });
    const compaction = new Compaction(raft, machines, storage, options);
    return { raft, storage, machines, requests, compaction };
  }

  /** Carries out what followed from an input. It gives the core nothing new to do, so one drain takes it all. */
  #settle(running: Running): void {
    const { raft, requests } = running;
    this.#promote(raft);
    const effects = raft.drain();
    if (effects !== null) this.#carryOut(running, effects);
    const leads = raft.role === "leader";
    if (leads !== this.#takesRequests) {
      this.#takesRequests = leads;
      this.#settings.wire.takeRequests(leads);
      if (!leads) requests.leadershipLost();
    }
    this.#publishIfChanged(raft);
  }

  #carryOut(running: Running, effects: Effects): void {
    const { observer, wire } = this.#settings;
    const { machines, requests, compaction } = running;
    for (const message of effects.send) wire.send(boardOf(message.to), message);
    if (effects.save !== null) this.#save(running, effects.save);
    for (const event of effects.events) observer.event(event);
    if (effects.held.length > 0) this.#held.push({ saveId: effects.heldUntil, messages: effects.held });
    if (effects.restore !== null) {
      machines.restore(effects.restore.data);
      observer.restored(effects.restore);
      compaction.restored();
    }
    for (const entry of effects.apply) this.#apply(running, entry);
    for (const read of effects.reads) requests.readDone(read);
    if (effects.apply.length > 0 || effects.reads.length > 0) requests.answerReads();
    if (effects.apply.length === 0) return;
    compaction.applied(effects.apply.length);
    compaction.takeIfDue(
      (snapshot) => observer.compacted(snapshot),
      ({ index }) => this.#note({ type: "compacted", index }),
    );
  }

  #save(running: Running, save: Save): void {
    this.#settings.observer.saving(save);
    running.storage.save(save, (result) => {
      if (this.#stopped !== null) return;
      if (!result.ok) {
        this.#stop(result.error.message);
        return;
      }
      this.#input(this.#saved, save.id);
    });
  }

  readonly #saved = ({ raft }: Running, saveId: number): void => {
    this.#settings.observer.saved(saveId);
    this.#release(saveId);
    raft.saved(saveId);
  };

  /** Sends what waited for this save. */
  #release(saveId: number): void {
    for (let next = this.#held[0]; next !== undefined && next.saveId <= saveId; next = this.#held[0]) {
      this.#held.shift();
      for (const message of next.messages) this.#settings.wire.send(boardOf(message.to), message);
    }
  }

  #apply({ machines, requests }: Running, entry: Entry): void {
    const applied = entry.kind === "command" ? machines.apply(entry.index, entry.data) : null;
    this.#settings.observer.applied(entry, applied);
    requests.applied(entry, applied);
  }

  #promote(raft: Raft): void {
    const { options, clock } = this.#settings;
    if (!options.promoteLearners || raft.role !== "leader" || raft.configuration.learners.length === 0) return;
    promoteLearners(raft, clock.monotonicUs(), options.raft.electionTimeoutMinUs);
  }

  #publishIfChanged(raft: Raft): void {
    const role = roleOf(raft);
    const { term, leader } = raft;
    const last = this.#published;
    if (role === last.role && term === last.term && leader === last.leader) return;
    this.#published = { role, term, leader };
    this.#settings.wire.publishStatus(this.status);
  }

  /** A board that is not taken in yet asks to be, again and again. */
  readonly #woken = ({ raft }: Running): void => {
    const { board, boards, wire, options, clock } = this.#settings;
    const now = clock.monotonicUs();
    if (now < this.#nextJoinAt) return;
    if (!isJoining(raft)) {
      this.#nextJoinAt = Number.POSITIVE_INFINITY;
      return;
    }
    this.#nextJoinAt = now + options.raft.electionTimeoutMinUs;
    this.#note({ type: "joining", member: raft.id, board });
    for (const other of boards) {
      if (other !== board) wire.send(other, { type: "join", from: raft.id, to: other });
    }
  };
}

function takeNothing(): void {}

function takeMessage({ raft }: Running, message: PeerMessage): void {
  if (message.type === "join") takeIn(raft, message.from);
  else raft.step(message);
}

function takeWill({ raft }: Running, board: BoardId): void {
  if (raft.leader !== null && boardOf(raft.leader) === board) raft.forgetLeader(raft.leader);
}

function roleOf(raft: Raft): Status["role"] {
  return isJoining(raft) ? "joining" : raft.role;
}

/** A board under a new identity that nobody has taken in yet: nothing ever reached its log. */
function isJoining(raft: Raft): boolean {
  return raft.lastIndex === 0 && isReborn(raft.id);
}
