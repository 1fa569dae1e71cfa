/**
 * One participant: consensus, storage, machines, sessions and requests tied together, as one synchronous loop.
 *
 * The host (a simulated world, a real board) calls in with what happened: time, messages, requests; what takes time on
 * the disk comes back by itself. After each input the core's effects are carried out until none is left. There is no
 * promise, no timer and no thread in here, so whoever owns the clock, the disk and the wire owns the order of things.
 */

import { createMachineHost, type MachineHost } from "../machine/host.ts";
import { encodeCommand } from "../machine/log-command.ts";
import type { Machine } from "../machine/machine.ts";
import type { SessionRules } from "../machine/sessions.ts";
import {
  type Effects,
  type Entry,
  InvariantViolation,
  Raft,
  type ReadResult,
  type Rules,
  type Save,
  simpleConfiguration,
} from "../raft/index.ts";
import type { Random } from "../random.ts";
import type { BootRecord, Disk, Recovered, Storage } from "../storage/index.ts";
import type { Administration, Outcome, PeerMessage, Request } from "../transport/protocol.ts";
import type { Clock, Observer, ReplicaEvent, Status, Via, Wire } from "./host.ts";
import { type BoardId, boardOf, isReborn, reborn } from "./identity.ts";
import { promoteLearners, takeIn } from "./members.ts";
import { open } from "./opening.ts";
import type { ReplicaOptions } from "./options.ts";
import { PendingRequests } from "./pending.ts";

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
  readonly random: Random;
  readonly options: ReplicaOptions;
  /** Makes the machines, empty. */
  readonly machines: () => readonly Machine[];
  readonly observer: Observer;
  /** Other laws than the lawful, in experiments that break one on purpose. */
  readonly rules?: Rules;
  readonly sessionRules?: SessionRules;
};

/** Messages that promise something, until the save that keeps the promise is durable. */
type Held = { readonly saveId: number; readonly messages: Effects["held"] };

/** What there is once storage is open. */
type Running = {
  readonly raft: Raft;
  readonly storage: Storage;
  readonly machines: MachineHost;
  readonly pending: PendingRequests;
};

export class Replica {
  readonly #settings: ReplicaSettings;
  #running: Running | null = null;
  #stopped: string | null = null;
  #held: Held[] = [];
  #nextRead = 1;
  #takesRequests = false;
  #compacting = false;
  #entriesSinceSnapshot = 0;
  #nextJoinAt = Number.POSITIVE_INFINITY;
  #published = "";

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
      ready: (storage, boot, recovered) => this.#guard(() => this.#run(storage, boot, recovered)),
      failed: (reason) => this.#stop(reason),
    });
  }

  /** Why this replica stopped for good, or `null`. Its host should end it, and may start it anew. */
  get stopped(): string | null {
    return this.#stopped;
  }

  /** The consensus core, to look at; `null` until the disk is open. */
  get raft(): Raft | null {
    return this.#running?.raft ?? null;
  }

  /** The machines, to look at; `null` until the disk is open. */
  get machines(): MachineHost | null {
    return this.#running?.machines ?? null;
  }

  get status(): Status {
    const { board } = this.#settings;
    const raft = this.raft;
    if (raft === null) {
      const role = this.#stopped === null ? "opening" : "stopped";
      return { member: board, role, term: 0, leader: null, commitIndex: 0, appliedIndex: 0, lastIndex: 0 };
    }
    const { id: member, term, leader, commitIndex, appliedIndex, lastIndex } = raft;
    const role = this.#stopped !== null ? "stopped" : this.#isJoining(raft) ? "joining" : raft.role;
    return { member, role, term, leader, commitIndex, appliedIndex, lastIndex };
  }

  /** When `wake` is next needed, on the monotonic clock, if nothing else happens first. */
  nextWakeUs(): number {
    if (this.#running === null || this.#stopped !== null) return Number.POSITIVE_INFINITY;
    return Math.min(this.#running.raft.nextDeadline(), this.#nextJoinAt);
  }

  /** Time went by. */
  wake(): void {
    this.#input((running) => this.#askToJoin(running.raft));
  }

  /** Another board sent this. */
  receive(message: PeerMessage): void {
    this.#input(({ raft }) => {
      if (message.type === "join") takeIn(raft, message.from);
      else raft.step(message);
    });
  }

  /** A client, or an operator, asks. */
  request(request: Request | Administration, via: Via): void {
    this.#input((running) => this.#take(running, request, via));
  }

  /** A broker says that this board's process is gone (its will): a hint that shortens the wait for a new leader. */
  boardGone(board: BoardId): void {
    this.#input(({ raft }) => {
      if (raft.leader !== null && boardOf(raft.leader) === board) raft.forgetLeader(raft.leader);
    });
  }

  /** Every input goes through here: the time first, then the input, then all that follows from it. */
  #input(input: (running: Running) => void): void {
    const running = this.#running;
    if (running === null || this.#stopped !== null) return;
    this.#guard(() => {
      running.raft.tick(this.#settings.clock.monotonicUs());
      input(running);
      this.#settle(running);
    });
  }

  /** An impossible state ends this replica; any other mistake is the host's to hear of. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof InvariantViolation)) throw error;
      this.#stop(error.message);
    }
  }

  #stop(reason: string): void {
    if (this.#stopped !== null) return;
    this.#stopped = reason;
    this.#note({ type: "stopped", reason });
  }

  #note(event: ReplicaEvent): void {
    this.#settings.observer.event(event);
  }

  #run(storage: Storage, boot: BootRecord, recovered: Recovered): void {
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
    const pending = new PendingRequests((via, reply) => wire.reply(via, reply));
    const running = { raft, storage, machines, pending };
    this.#running = running;
    this.#entriesSinceSnapshot = raft.lastIndex - raft.snapshotIndex;
    this.#note({ type: "opened", member: boot.member, lastIndex: raft.lastIndex, tornTail: recovered.tornTail });
    if (this.#isJoining(raft)) this.#nextJoinAt = clock.monotonicUs();
    this.#settle(running);
  }

  /** Carries out effects until there are none. */
  #settle(running: Running): void {
    const { raft, pending } = running;
    for (;;) {
      this.#promote(raft);
      const effects = raft.drain();
      if (effects === null) break;
      this.#carryOut(running, effects);
    }
    if (this.#stopped !== null) return;
    const leads = raft.role === "leader";
    if (leads !== this.#takesRequests) {
      this.#takesRequests = leads;
      this.#settings.wire.takeRequests(leads);
      if (!leads) pending.leadershipLost(raft.leader);
    }
    this.#publishIfChanged(raft);
  }

  #carryOut(running: Running, effects: Effects): void {
    const { observer, wire } = this.#settings;
    if (effects.save !== null) this.#save(running, effects.save);
    for (const event of effects.events) observer.event(event);
    if (effects.held.length > 0) this.#held.push({ saveId: effects.heldUntil, messages: effects.held });
    for (const message of effects.send) wire.send(boardOf(message.to), message);
    if (effects.restore !== null) {
      running.machines.restore(effects.restore.data);
      observer.restored(effects.restore);
      this.#entriesSinceSnapshot = 0;
    }
    for (const entry of effects.apply) this.#apply(running, entry);
    for (const read of effects.reads) this.#readDone(running, read);
    if (effects.apply.length > 0 || effects.reads.length > 0) this.#answerReads(running);
    if (effects.apply.length > 0) this.#compactIfDue(running);
  }

  #save(running: Running, save: Save): void {
    this.#settings.observer.saving(save);
    running.storage.save(save, (result) => {
      if (this.#stopped !== null) return;
      if (!result.ok) {
        this.#stop(result.error.message);
        return;
      }
      this.#guard(() => {
        running.raft.tick(this.#settings.clock.monotonicUs());
        this.#settings.observer.saved(save.id);
        this.#release(save.id);
        running.raft.saved(save.id);
        this.#settle(running);
      });
    });
  }

  /** Sends what waited for this save. */
  #release(saveId: number): void {
    for (let next = this.#held[0]; next !== undefined && next.saveId <= saveId; next = this.#held[0]) {
      this.#held.shift();
      for (const message of next.messages) this.#settings.wire.send(boardOf(message.to), message);
    }
  }

  #apply({ machines, pending }: Running, entry: Entry): void {
    this.#entriesSinceSnapshot += 1;
    const applied = entry.kind === "command" ? machines.apply(entry.index, entry.data) : null;
    this.#settings.observer.applied(entry, applied);
    pending.applied(entry.index, entry.term, applied === null ? null : applied.outcome);
  }

  #readDone({ pending, raft }: Running, read: ReadResult): void {
    if (read.ready) pending.readConfirmed(read.id, read.index);
    else pending.readFailed(read.id, read.reason, raft.leader);
  }

  #answerReads({ pending, raft, machines }: Running): void {
    pending.answerReads(raft.appliedIndex, ({ machine, query }) => answerOf(machines, machine, query));
  }

  #take(running: Running, request: Request | Administration, via: Via): void {
    const { machines } = running;
    const answer = (outcome: Outcome): void => {
      this.#settings.wire.reply(via, { client: request.client, request: request.request, outcome });
    };
    switch (request.type) {
      case "register":
        this.#propose(running, request, via, { kind: "register", client: request.client, timeMs: this.#timeMs() });
        return;
      case "command": {
        const wrong = machines.check(request.machine, request.command);
        if (wrong !== null) {
          answer({ kind: "refused", error: wrong });
          return;
        }
        const { session, firstPending, machine, command } = request;
        const timeMs = this.#timeMs();
        this.#propose(running, request, via, {
          kind: "command",
          session,
          request: request.request,
          firstPending,
          machine,
          command,
          timeMs,
        });
        return;
      }
      case "query":
        if (request.mode === "stale") answer(answerOf(machines, request.machine, request.query));
        else this.#read(running, request, via);
        return;
      case "transfer":
      case "changeMembers":
        answer(administer(running.raft, request));
        return;
      default:
        request satisfies never;
    }
  }

  #propose(running: Running, request: Request, via: Via, command: Parameters<typeof encodeCommand>[0]): void {
    const { raft, pending } = running;
    if (pending.takeCopy(request, via)) return;
    const refused = this.#isFull(pending);
    const proposed = refused ?? raft.propose(encodeCommand(command));
    if (proposed.ok) pending.addCommand(request, via, proposed.index, proposed.term);
    else this.#retry(raft, request, via, proposed.reason);
  }

  #read(running: Running, query: Extract<Request, { type: "query" }>, via: Via): void {
    const { raft, pending } = running;
    if (pending.takeCopy(query, via)) return;
    const read = this.#nextRead;
    this.#nextRead += 1;
    const refused = this.#isFull(pending)?.reason ?? raft.read(read, query.mode === "lease");
    if (refused === null) pending.addRead(read, query, via);
    else this.#retry(raft, query, via, refused);
  }

  #isFull(pending: PendingRequests): { readonly ok: false; readonly reason: string } | null {
    const { pendingRequestsMax } = this.#settings.options;
    return pending.size < pendingRequestsMax
      ? null
      : { ok: false, reason: `${pendingRequestsMax} requests wait already` };
  }

  #retry(raft: Raft, request: Request, via: Via, error: string): void {
    const { client, request: number } = request;
    this.#settings.wire.reply(via, { client, request: number, outcome: { kind: "retry", error, leader: raft.leader } });
  }

  #timeMs(): number {
    return this.#settings.clock.wallMs();
  }

  #promote(raft: Raft): void {
    const { options, clock } = this.#settings;
    if (!options.promoteLearners || raft.role !== "leader" || raft.configuration.learners.length === 0) return;
    promoteLearners(raft, clock.monotonicUs(), options.raft.electionTimeoutMinUs);
  }

  #compactIfDue({ raft, storage, machines }: Running): void {
    const { options, observer } = this.#settings;
    const index = raft.appliedIndex;
    if (this.#compacting || index <= raft.snapshotIndex) return;
    const isDue =
      this.#entriesSinceSnapshot >= options.snapshotAfterEntries ||
      storage.statistics().logBytesSinceSnapshot >= options.snapshotAfterBytes;
    if (!isDue) return;
    const snapshot = raft.compact(index, machines.snapshot(), options.trailingEntries);
    this.#entriesSinceSnapshot = 0;
    this.#compacting = true;
    observer.compacted(snapshot);
    storage.compact(snapshot, options.trailingEntries, (result) => {
      this.#compacting = false;
      if (result.ok) this.#note({ type: "compacted", index });
    });
  }

  #publishIfChanged(raft: Raft): void {
    const shown = `${this.#isJoining(raft)} ${raft.role} ${raft.term} ${raft.leader}`;
    if (shown === this.#published) return;
    this.#published = shown;
    this.#settings.wire.publishStatus(this.status);
  }

  /** A board under a new identity that nobody has taken in yet: nothing ever reached its log. */
  #isJoining(raft: Raft): boolean {
    return isReborn(raft.id) && raft.lastIndex === 0;
  }

  #askToJoin(raft: Raft): void {
    const now = this.#settings.clock.monotonicUs();
    if (now < this.#nextJoinAt) return;
    if (!this.#isJoining(raft)) {
      this.#nextJoinAt = Number.POSITIVE_INFINITY;
      return;
    }
    const { board, boards, wire, options } = this.#settings;
    this.#nextJoinAt = now + options.raft.electionTimeoutMinUs;
    this.#note({ type: "joining", member: raft.id, board });
    for (const other of boards) {
      if (other !== board) wire.send(other, { type: "join", from: raft.id, to: other });
    }
  }
}

function answerOf(machines: MachineHost, machine: string, query: Parameters<MachineHost["query"]>[1]): Outcome {
  const result = machines.query(machine, query);
  return result.ok ? { kind: "ok", value: result.value } : { kind: "refused", error: result.error };
}

function administer(raft: Raft, request: Administration): Outcome {
  const refused = request.type === "transfer" ? raft.transfer(request.to) : changeMembers(raft, request);
  if (refused === null) return { kind: "ok", value: true };
  const { leader } = raft;
  return raft.role === "leader" ? { kind: "refused", error: refused } : { kind: "retry", error: refused, leader };
}

function changeMembers(
  raft: Raft,
  { voters, learners }: Extract<Administration, { type: "changeMembers" }>,
): string | null {
  const changed = raft.changeMembers({ voters, learners });
  return changed.ok ? null : changed.reason;
}
