/**
 * The consensus core: Raft as a pure state machine, without clock, I/O or chance of its own.
 *
 * The host tells it the time, hands it messages and wishes, and after each of them drains the effects: what to save,
 * what to send, what to apply. The same inputs give the same effects, byte for byte.
 *
 * Where to read on: `rules.ts` for the law; `dispatch.ts` for what happens to a message; `election.ts`, `leadership.ts`, `replication.ts`, `following.ts`,
 * `commitment.ts` for what a board does by it; `reads.ts`, `snapshots.ts`, `membership.ts`, `transfer.ts` for the rest.
 */

import { advanceCommit } from "./commitment.ts";
import type { Target } from "./configuration.ts";
import { dispatch } from "./dispatch.ts";
import type { Effects, ReadId, Save } from "./effects.ts";
import { electionTimedOut, ownVoteDurable } from "./election.ts";
import { assertInvariant } from "./invariant.ts";
import { leaderDeadline, leaderTick } from "./leadership.ts";
import { Log, type RecoveredLog } from "./log.ts";
import { changeMembers, leaveJointConfiguration } from "./membership.ts";
import { checkOptions, type RaftOptions } from "./options.ts";
import type { Progress } from "./progress.ts";
import { askRead } from "./reads.ts";
import { replicate } from "./replication.ts";
import { rules as lawfulRules, type Rules } from "./rules.ts";
import { appendOwn, beginElectionTimer, type Leadership, type State, setLeader } from "./state.ts";
import { beginTransfer } from "./transfer.ts";
import type {
  Configuration,
  Entry,
  HardState,
  LogIndex,
  MemberId,
  Message,
  Random,
  RoleName,
  Snapshot,
  Term,
  TimeUs,
} from "./types.ts";

/** What a core begins with. */
export type RaftSettings = {
  readonly id: MemberId;
  /** The configuration with which the cluster began, the same for every board and for ever. */
  readonly initial: Configuration;
  /** What this board's storage gave back. */
  readonly hardState: HardState;
  readonly log: RecoveredLog;
  readonly options: RaftOptions;
  /** Must not repeat what an earlier life of this board drew: `nextRead` relies on it. */
  readonly random: Random;
  readonly now: TimeUs;
  /** The law; another one only in experiments that break it on purpose. */
  readonly rules?: Rules;
};

/** The answer to a wish: the entry's place in the log (it may still be lost until it is committed), or why not. */
export type Proposed =
  | { readonly ok: true; readonly index: LogIndex; readonly term: Term }
  | { readonly ok: false; readonly reason: string };

/** What a leader knows of another member. */
export type FollowerStatus = {
  readonly member: MemberId;
  readonly matchIndex: LogIndex;
  readonly sending: Progress["sending"]["mode"];
  readonly lastHeardAt: TimeUs;
};

/** One member's consensus core. */
export class Raft {
  readonly #state: State;

  /** Throws a `RangeError` that names the setting if the options make no sense. */
  constructor(settings: RaftSettings) {
    const { id, initial, hardState, options, random, now } = settings;
    const wrong = checkOptions(options);
    if (wrong !== null) throw new RangeError(`Raft's options: ${wrong}.`);
    const log = new Log(initial, settings.log);
    assertInvariant(
      hardState.term >= log.lastTerm,
      "the saved term covers the log",
      () => `term ${hardState.term}, the log ends in term ${log.lastTerm}`,
    );
    const snapshotIndex = log.snapshot?.index ?? 0;
    this.#state = {
      id,
      options,
      rules: settings.rules ?? lawfulRules,
      random,
      initial,
      now,
      term: hardState.term,
      votedFor: hardState.votedFor,
      log,
      hardStateChanged: false,
      unsavedFrom: log.lastIndex + 1,
      unsavedSnapshot: null,
      nextSaveId: 1,
      commitIndex: snapshotIndex,
      appliedIndex: snapshotIndex,
      role: { name: "follower" },
      leader: null,
      // With leases, a board that restarts may just have promised a leader its protection, and must keep the promise.
      heardFromLeaderAt: options.leaseReads ? now : Number.NEGATIVE_INFINITY,
      electionDeadline: 0,
      incoming: null,
      askedReads: new Map(),
      // Numbers that an earlier life of this board did not use, so that a late answer meets nobody.
      nextRead: random.between(1, 1_000_000_000_000),
      outbox: { send: [], held: [], restore: null, reads: [], events: [] },
    };
    beginElectionTimer(this.#state);
  }

  get id(): MemberId {
    return this.#state.id;
  }
  get role(): RoleName {
    return this.#state.role.name;
  }
  get term(): Term {
    return this.#state.term;
  }
  get votedFor(): MemberId | null {
    return this.#state.votedFor;
  }
  get leader(): MemberId | null {
    return this.#state.leader;
  }
  get commitIndex(): LogIndex {
    return this.#state.commitIndex;
  }
  get appliedIndex(): LogIndex {
    return this.#state.appliedIndex;
  }
  get lastIndex(): LogIndex {
    return this.#state.log.lastIndex;
  }
  get lastTerm(): Term {
    return this.#state.log.lastTerm;
  }
  get durableIndex(): LogIndex {
    return this.#state.log.durableIndex;
  }
  get snapshotIndex(): LogIndex {
    return this.#state.log.snapshot?.index ?? 0;
  }
  get configuration(): Configuration {
    return this.#state.log.configuration;
  }
  get configurationIndex(): LogIndex {
    return this.#state.log.configurationIndex;
  }
  /** Until when this board answers lease reads by itself; minus infinity if it does not. */
  get leaseUntil(): TimeUs {
    const { role, options } = this.#state;
    const hasLease = role.name === "leader" && options.leaseReads && !role.leaseForfeited;
    return hasLease ? role.leaseUntil : Number.NEGATIVE_INFINITY;
  }
  /** Whether this board, at the time last told, would answer a lease read by itself. */
  get holdsLease(): boolean {
    return this.leaseUntil > this.#state.now;
  }

  /** The term of the entry at `index`, `null` if it is compacted away or not there. */
  termAt(index: LogIndex): Term | null {
    return this.#state.log.termAt(index);
  }

  /** The entry at `index`, `null` if it is compacted away or not there. */
  entryAt(index: LogIndex): Entry | null {
    return this.#state.log.entryAt(index);
  }

  /** What this leader knows of the others; empty if it does not lead. */
  followers(): readonly FollowerStatus[] {
    const { role } = this.#state;
    if (role.name !== "leader") return [];
    return [...role.progress.values()].map(({ member, matchIndex, sending, lastHeardAt }) => {
      return { member, matchIndex, sending: sending.mode, lastHeardAt };
    });
  }

  /** When `tick` is next needed, if nothing else happens first. */
  nextDeadline(): TimeUs {
    const { role, electionDeadline } = this.#state;
    return role.name === "leader" ? leaderDeadline(this.#state, role) : electionDeadline;
  }

  /** Tells the present time. Call it before any other verb: they act at the time last told. */
  tick(now: TimeUs): void {
    const state = this.#state;
    assertInvariant(now >= state.now, "time does not go back", () => `${now} after ${state.now}`);
    state.now = now;
    if (state.role.name === "leader") leaderTick(state, state.role);
    else if (now >= state.electionDeadline) electionTimedOut(state);
  }

  /** A message arrived. It may be late, repeated or out of order, but must have come from the board it names. */
  step(message: Message): void {
    if (message.to === this.#state.id) dispatch(this.#state, message);
  }

  /** Proposes a command. It will be applied if it is committed; a refusal had no effect. */
  propose(data: string): Proposed {
    const state = this.#state;
    const { role, options } = state;
    if (role.name !== "leader") return { ok: false, reason: "this board does not lead" };
    if (role.transfer !== null) return { ok: false, reason: `leadership is passing to ${role.transfer.target}` };
    if (data.length > options.entryBytesMax) {
      return { ok: false, reason: `the command has ${data.length} bytes; ${options.entryBytesMax} is the most` };
    }
    if (role.uncommittedBytes > 0 && role.uncommittedBytes + data.length > options.uncommittedBytesMax) {
      return { ok: false, reason: `${role.uncommittedBytes} bytes wait to be committed already` };
    }
    const index = state.log.lastIndex + 1;
    appendOwn(state, role, { kind: "command", index, term: state.term, data });
    return { ok: true, index, term: state.term };
  }

  /**
   * Asks to read linearizably; `useLease` allows the leader to answer by its lease if it holds one. The result comes
   * with the effects under `id`. Returns why the read was refused, or `null`.
   */
  read(id: ReadId, useLease: boolean): string | null {
    return askRead(this.#state, id, useLease);
  }

  /** Hands leadership to `target` (§3.10). Returns why not, or `null`. */
  transfer(target: MemberId): string | null {
    const { role } = this.#state;
    if (role.name !== "leader") return "this board does not lead";
    return beginTransfer(this.#state, role, target);
  }

  /** Begins to change the members to `target` (§4). `autoLeave: false` stays joint until `leaveJoint`. */
  changeMembers(target: Target, autoLeave = true): Proposed {
    return this.#asLeader((leadership) => changeMembers(this.#state, leadership, target, autoLeave));
  }

  /** Leaves a joint configuration that was entered with `autoLeave: false`. */
  leaveJoint(): Proposed {
    return this.#asLeader((leadership) => leaveJointConfiguration(this.#state, leadership));
  }

  /**
   * A hint from outside: that leader's process is known to be gone. It only shortens the wait for an election; with
   * leases on, not below the time for which this board promised its protection (§6.4.1).
   */
  forgetLeader(leader: MemberId): void {
    const state = this.#state;
    if (state.role.name !== "follower" || state.leader !== leader) return;
    if (state.options.leaseReads) {
      const promisedUntil = state.heardFromLeaderAt + state.options.electionTimeoutMinUs;
      state.electionDeadline = Math.min(state.electionDeadline, Math.max(state.now, promisedUntil));
      return;
    }
    setLeader(state, null);
    state.heardFromLeaderAt = Number.NEGATIVE_INFINITY;
    // A little apart, so that those who got the hint together seldom ask together.
    const soon = state.now + state.random.between(1, state.options.heartbeatUs);
    state.electionDeadline = Math.min(state.electionDeadline, soon);
  }

  /** The host took a snapshot of its machines as of `index`, which it applied; `trailing` older entries are kept. */
  compact(index: LogIndex, data: string, trailing: number): Snapshot {
    const state = this.#state;
    const { log, rules } = state;
    const term = log.termAt(index);
    assertInvariant(
      term !== null && index <= state.appliedIndex && index >= this.snapshotIndex,
      "a snapshot is of what was applied",
      () => `snapshot at ${index}, applied ${state.appliedIndex}, last snapshot ${this.snapshotIndex}`,
    );
    const configuration = rules.snapshotConfiguration(log.configurationAt(index), state.initial);
    const snapshot: Snapshot = { index, term, configuration, data };
    log.compact(snapshot, Math.min(index - trailing, this.#neededFrom() - 1));
    return snapshot;
  }

  /** Save `id`, and every save before it, is durable. */
  saved(id: number): void {
    const state = this.#state;
    state.log.saveEnded(id);
    ownVoteDurable(state, id);
    if (state.role.name === "leader" && state.log.durableIndex > state.commitIndex) advanceCommit(state, state.role);
  }

  /** Hands out everything that is to be done since the last call; `null` if nothing is. */
  drain(): Effects | null {
    const state = this.#state;
    const { outbox, log } = state;
    if (state.role.name === "leader") replicate(state, state.role);
    const save = this.#takeSave();
    const appliable = state.rules.appliableIndex(state.commitIndex, log.durableIndex);
    const apply = appliable > state.appliedIndex ? log.range(state.appliedIndex + 1, appliable) : nothing;
    const waiting = outbox.send.length + outbox.held.length + outbox.reads.length + outbox.events.length;
    if (save === null && apply.length === 0 && waiting === 0) return null;
    state.appliedIndex += apply.length;
    const { send, held, restore, reads, events } = this.#empty();
    const heldUntil = held.length === 0 ? 0 : log.lastSaveUnderWay;
    if (heldUntil !== null) return { save, send, held, heldUntil, restore, apply, reads, events };
    return { save, send: [...send, ...held], held: nothing, heldUntil: 0, restore, apply, reads, events };
  }

  /** Takes everything out of the outbox. Most of its lists are empty most of the time; those stay where they are. */
  #empty(): Pick<Effects, "send" | "held" | "restore" | "reads" | "events"> {
    const { outbox } = this.#state;
    const { send, held, restore, reads, events } = outbox;
    if (send.length > 0) outbox.send = [];
    if (held.length > 0) outbox.held = [];
    if (reads.length > 0) outbox.reads = [];
    if (events.length > 0) outbox.events = [];
    outbox.restore = null;
    return {
      send: send.length > 0 ? send : nothing,
      held: held.length > 0 ? held : nothing,
      restore,
      reads: reads.length > 0 ? reads : nothing,
      events: events.length > 0 ? events : nothing,
    };
  }

  #takeSave(): Save | null {
    const state = this.#state;
    const { log } = state;
    if (!state.hardStateChanged && state.unsavedSnapshot === null && state.unsavedFrom > log.lastIndex) return null;
    const save: Save = {
      id: state.nextSaveId,
      hardState: state.hardStateChanged ? state.rules.hardStateToSave(state.term, state.votedFor) : null,
      snapshot: state.unsavedSnapshot,
      entries: log.range(state.unsavedFrom, log.lastIndex),
    };
    state.nextSaveId += 1;
    state.hardStateChanged = false;
    state.unsavedSnapshot = null;
    state.unsavedFrom = log.lastIndex + 1;
    log.saveBegan(save.id);
    return save;
  }

  /**
   * The first entry that followers who are taking in a snapshot will need after it: without it they would need the next
   * snapshot, and so on. One that takes nothing more does not hold the log up.
   */
  #neededFrom(): LogIndex {
    const { role } = this.#state;
    let neededFrom = Number.POSITIVE_INFINITY;
    if (role.name !== "leader") return neededFrom;
    const since = this.#state.now - this.#state.options.electionTimeoutMaxUs;
    for (const { sending } of role.progress.values()) {
      if (sending.mode !== "snapshot" || sending.advancedAt <= since) continue;
      neededFrom = Math.min(neededFrom, sending.snapshot.index + 1);
    }
    return neededFrom;
  }

  #asLeader(
    change: (
      leadership: Leadership,
    ) => { readonly ok: true; readonly index: LogIndex } | { readonly ok: false; readonly reason: string },
  ): Proposed {
    const { role, term } = this.#state;
    if (role.name !== "leader") return { ok: false, reason: "this board does not lead" };
    if (role.transfer !== null) return { ok: false, reason: `leadership is passing to ${role.transfer.target}` };
    const changed = change(role);
    return changed.ok ? { ok: true, index: changed.index, term } : changed;
  }
}

const nothing: readonly never[] = [];
