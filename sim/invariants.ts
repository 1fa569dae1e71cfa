/**
 * What must hold in every state of the world, checked after every event that could break it: the properties of Figure 3.2
 * of the dissertation and what follows from them. The checks see everything, every log and every disk at once; boards do
 * not. They use the lawful rules, whatever rules the boards follow.
 */

import type { Applied } from "../device/machine/host.ts";
import { isQuorum, isVoter, membersOf } from "../device/raft/configuration.ts";
import {
  type Configuration,
  type Entry,
  type LogIndex,
  rules as lawfulRules,
  type MemberId,
  type RoleName,
  type Save,
  type Snapshot,
  simpleConfiguration,
  type Term,
} from "../device/raft/index.ts";
import type { ReplicaEvent } from "../device/replica/host.ts";
import type { PeerMessage } from "../device/transport/protocol.ts";
import { AnswerChecks, type BrokenAnswer } from "./answer-checks.ts";
import { emptyChain, LogMirror } from "./log-mirror.ts";
import type { SimBoard } from "./sim-board.ts";

/** A rule of the world that was broken: which, by whom, when, how. */
export type Violation = {
  readonly invariant: string;
  readonly board: string;
  readonly atUs: number;
  readonly detail: string;
};

/** What the world remembers of one member, across crashes and restarts of its board. */
type Member = {
  readonly log: LogMirror;
  /** Saves under way, and how far each can still vouch: a truncation shortens that. */
  readonly saves: { readonly id: number; lastIndex: LogIndex }[];
  /** The latest term in which it made a promise, and for whom it voted in which term. */
  promisedTerm: Term;
  readonly votes: Map<Term, MemberId>;
};

/** What the world remembers of one board's process, as its events tell it, one after the other. */
type Process = {
  member: MemberId;
  role: RoleName;
  commitIndex: LogIndex;
  appliedIndex: LogIndex;
  /** The configuration in force at this point of its story, and the entry that brought it. */
  configuration: Configuration;
  configurationIndex: LogIndex;
};

/** Watches all boards of one world. */
export class Invariants {
  readonly #nowUs: () => number;
  readonly #boards: () => readonly SimBoard[];
  readonly #members = new Map<MemberId, Member>();
  readonly #processes: Process[];
  readonly #leaders = new Map<Term, MemberId>();
  #elections = 0;
  /** By (index, term): the hash of the log up to there, the same wherever such an entry stands. */
  readonly #entries = new Map<number, number>();
  /** The one true log, as far as it is committed. */
  readonly #committed = new LogMirror();
  #committedInTerm: Term = 0;
  readonly #configurations: { readonly index: LogIndex; readonly configuration: Configuration }[];
  readonly #snapshots = new Map<LogIndex, string>();
  readonly #answers = new AnswerChecks();
  #violation: Violation | null = null;

  constructor(founders: readonly string[], boards: () => readonly SimBoard[], nowUs: () => number) {
    this.#boards = boards;
    this.#nowUs = nowUs;
    const configuration = simpleConfiguration(founders);
    this.#configurations = [{ index: 0, configuration }];
    this.#processes = founders.map((member) => {
      const indexes = { commitIndex: 0, appliedIndex: 0, configurationIndex: 0 };
      return { member, role: "follower", configuration, ...indexes };
    });
  }

  /** The first violation; what comes after it may follow from it, so it is not looked at. */
  get violation(): Violation | null {
    return this.#violation;
  }

  /** How far the cluster has committed. */
  get committedIndex(): LogIndex {
    return this.#committed.lastIndex;
  }

  /** How many terms had a leader. */
  get elections(): number {
    return this.#elections;
  }

  /** The identity under which a board takes part, or last did. */
  memberOf(board: SimBoard): MemberId {
    return this.#process(board).member;
  }

  /**
   * The configurations that voters go by, running or not: each the latest in its log, as far as was seen. A board that is
   * not taken in yet goes by the founders' and has no vote in it.
   */
  get configurationsInForce(): readonly Configuration[] {
    const voters = this.#processes.filter(({ member, configuration }) => isVoter(configuration, member));
    return voters.map(({ configuration }) => configuration);
  }

  /** Reports a violation found elsewhere. */
  report(invariant: string, board: string, detail: string): void {
    this.#violation ??= { invariant, board, atUs: this.#nowUs(), detail };
  }

  // What boards tell, step by step

  event(board: SimBoard, event: ReplicaEvent): void {
    switch (event.type) {
      case "opened":
        this.#opened(board, event.member, event.lastIndex);
        return;
      case "role":
        this.#process(board).role = event.role;
        if (event.role === "leader") this.#elected(board, event.term);
        return;
      case "configuration":
        this.#changed(board, event.index, event.configuration);
        return;
      case "committed":
        this.#commit(board, event.index);
        return;
      case "stopped":
        if (event.invariant !== null) this.report("no board meets an impossible state", board.name, event.reason);
        return;
      default:
        return;
    }
  }

  /** A message leaves a board: from now on others may rely on what it promises. */
  sent(board: SimBoard, message: PeerMessage): void {
    if (message.type === "vote") this.#voted(board, message.from, message.term, message.from);
    else if (message.type === "voteReply" && message.granted)
      this.#voted(board, message.from, message.term, message.to);
    else if (message.type !== "appendAccepted") return;
    const member = this.#member(message.from);
    if (message.term > member.promisedTerm) member.promisedTerm = message.term;
  }

  saving(board: SimBoard, save: Save): void {
    const id = this.memberOf(board);
    const member = this.#member(id);
    const { log } = member;
    if (save.snapshot !== null) this.#startFrom(log, save.snapshot.index, save.snapshot.term);
    const first = save.entries[0];
    const raft = board.replica?.raft;
    if (
      first !== undefined &&
      raft?.role === "leader" &&
      first.index <= log.lastIndex &&
      log.lastIndex > log.baseIndex
    ) {
      this.report("a leader only appends to its log", board.name, `it overwrote entry ${first.index}`);
    }
    for (const under of member.saves)
      under.lastIndex = Math.min(under.lastIndex, (first?.index ?? Number.POSITIVE_INFINITY) - 1);
    for (const entry of save.entries) this.#appended(board, log, entry);
    member.saves.push({ id: save.id, lastIndex: log.lastIndex });
  }

  saved(board: SimBoard, saveId: number): void {
    const { log, saves } = this.#member(this.memberOf(board));
    for (let save = saves[0]; save !== undefined && save.id <= saveId; save = saves[0]) {
      saves.shift();
      log.durableIndex = Math.max(log.durableIndex, Math.min(save.lastIndex, log.lastIndex));
    }
  }

  restored(board: SimBoard, snapshot: Snapshot): void {
    const process = this.#process(board);
    process.appliedIndex = snapshot.index;
    process.commitIndex = Math.max(process.commitIndex, snapshot.index);
    if (snapshot.index > this.#committed.lastIndex) {
      this.report("state machine safety", board.name, `a snapshot at ${snapshot.index}, which is not committed`);
    }
  }

  applied(board: SimBoard, entry: Entry, applied: Applied | null): void {
    const process = this.#process(board);
    if (entry.index !== process.appliedIndex + 1) {
      this.report("entries are applied in order", board.name, `entry ${entry.index} after ${process.appliedIndex}`);
    }
    process.appliedIndex = entry.index;
    const own = this.#member(process.member).log.chainAt(entry.index);
    const common = this.#committed.chainAt(entry.index);
    if (entry.index > this.#committed.lastIndex || (own !== undefined && common !== undefined && own !== common)) {
      this.report("state machine safety", board.name, `applied entry ${entry.index}, which is not the committed one`);
    }
    if (applied !== null) this.#reportAnswer(board, this.#answers.applied(entry.index, applied));
  }

  compacted(board: SimBoard, snapshot: Snapshot): void {
    const lawful = this.#configurationAt(snapshot.index);
    if (JSON.stringify(lawful) !== JSON.stringify(snapshot.configuration)) {
      this.report(
        "a snapshot carries the configuration in force",
        board.name,
        `at ${snapshot.index} it says ${JSON.stringify(snapshot.configuration)}, not ${JSON.stringify(lawful)}`,
      );
    }
    const other = this.#snapshots.get(snapshot.index);
    if (other !== undefined && other !== snapshot.data) {
      this.report("the same log gives the same state", board.name, `its snapshot at ${snapshot.index} differs`);
    }
    this.#snapshots.set(snapshot.index, snapshot.data);
    for (const index of this.#snapshots.keys()) {
      if (this.#snapshots.size <= snapshotsKept) break;
      this.#snapshots.delete(index);
    }
    this.#trim();
  }

  // The properties

  /** At most one leader in a term (§3.4), who has every entry committed in earlier terms (§3.6). */
  #elected(board: SimBoard, term: Term): void {
    const id = this.memberOf(board);
    const other = this.#leaders.get(term);
    if (other !== undefined) this.report("election safety", board.name, `term ${term} already has leader ${other}`);
    this.#leaders.set(term, id);
    this.#elections += 1;
    for (const old of this.#leaders.keys()) {
      if (this.#leaders.size <= leadersKept) break;
      this.#leaders.delete(old);
    }
    const { log } = this.#member(id);
    const index = this.#committed.lastIndex;
    const chain = log.chainAt(index);
    if (term > this.#committedInTerm && index > log.baseIndex && chain !== this.#committed.chainAt(index)) {
      this.report("leader completeness", board.name, `elected in term ${term} without committed entry ${index}`);
    }
    for (const rival of this.#boards()) {
      const leaseUntil = rival.replica?.raft?.leaseUntil ?? Number.NEGATIVE_INFINITY;
      if (rival === board || leaseUntil <= rival.clock.monotonicUs(this.#nowUs())) continue;
      this.report("a lease excludes other leaders", board.name, `elected while ${rival.name} holds a lease`);
    }
  }

  /** A member votes for one candidate in a term (§3.4). */
  #voted(board: SimBoard, id: MemberId, term: Term, candidate: MemberId): void {
    const { votes } = this.#member(id);
    const other = votes.get(term);
    if (other !== undefined && other !== candidate) {
      this.report("one vote a term", board.name, `in term ${term} it voted for ${other}, then for ${candidate}`);
    }
    votes.set(term, candidate);
    for (const old of votes.keys()) {
      if (votes.size <= votesKept) break;
      votes.delete(old);
    }
  }

  /** Logs that hold an entry with the same index and term are the same up to it (§3.5). */
  #appended(board: SimBoard, log: LogMirror, entry: Entry): void {
    const chain = log.put(entry);
    if (chain === undefined) {
      if (entry.index > log.baseIndex)
        this.report("the log has no gap", board.name, `entry ${entry.index} after ${log.lastIndex}`);
      return;
    }
    const key = entry.index * termsMax + entry.term;
    const other = this.#entries.get(key);
    if (other === undefined) this.#entries.set(key, chain);
    else if (other !== chain) {
      this.report(
        "log matching",
        board.name,
        `its log up to entry ${entry.index} of term ${entry.term} is unlike another's`,
      );
    }
  }

  /** The next change begins when the last one is committed (§4.1), and majorities before and after it overlap. */
  #changed(board: SimBoard, index: LogIndex, configuration: Configuration): void {
    const process = this.#process(board);
    const before = { index: process.configurationIndex, configuration: process.configuration };
    process.configurationIndex = index;
    process.configuration = configuration;
    if (process.role !== "leader") return;
    if (before.index > process.commitIndex) {
      this.report(
        "one change of members at a time",
        board.name,
        `change ${index} while ${before.index} is not committed`,
      );
    }
    const isSimple = before.configuration.votersOutgoing.length + configuration.votersOutgoing.length === 0;
    const old = before.configuration.voters;
    const difference =
      old.filter((voter) => !configuration.voters.includes(voter)).length +
      configuration.voters.filter((voter) => !old.includes(voter)).length;
    if (isSimple && difference > 1) {
      this.report("configuration safety", board.name, `change ${index} replaces ${difference} voters in one step`);
    }
  }

  /** The commit index never falls, and all logs agree on what is committed; a quorum holds it on disk. */
  #commit(board: SimBoard, index: LogIndex): void {
    const process = this.#process(board);
    if (index <= process.commitIndex) {
      this.report("the commit index never falls", board.name, `from ${process.commitIndex} to ${index}`);
    }
    process.commitIndex = index;
    const { log } = this.#member(process.member);
    const known = this.#committed.lastIndex;
    const common = Math.min(index, known);
    const chain = log.chainAt(common);
    const committedChain = this.#committed.chainAt(common);
    if (chain !== undefined && committedChain !== undefined && chain !== committedChain) {
      this.report("committed entries are the same everywhere", board.name, `its log differs up to entry ${common}`);
      return;
    }
    if (index > known) this.#newlyCommitted(board, process.member, log, index);
  }

  #newlyCommitted(board: SimBoard, id: MemberId, log: LogMirror, index: LogIndex): void {
    const raft = board.replica?.raft;
    if (raft === undefined || raft === null) return;
    const { role, configuration } = this.#process(board);
    if (role === "leader" && log.termAt(index) !== raft.term) {
      this.report(
        "a leader commits by counting only in its own term",
        board.name,
        `entry ${index} is of term ${log.termAt(index)}`,
      );
    }
    const chain = log.chainAt(index);
    const holds = (voter: MemberId): boolean => {
      const other = this.#member(voter).log;
      const otherChain = other.chainAt(index);
      return other.durableIndex >= index && (otherChain === undefined || otherChain === chain);
    };
    if (role === "leader" && !isQuorum(configuration, lawfulRules, holds)) {
      const voters = membersOf(configuration);
      this.report(
        "what is committed is on the disks of a majority",
        board.name,
        `${id} committed entry ${index}; of ${voters.join(", ")} only ${voters.filter(holds).join(", ") || "none"} hold it`,
      );
    }
    this.#committedInTerm = Math.max(this.#committedInTerm, raft.term);
    for (let next = this.#committed.lastIndex + 1; next <= index; next += 1) {
      const entry = raft.entryAt(next);
      if (entry === null) {
        this.#committed.startAt(index, log.termAt(index) ?? 0, log.chainAt(index) ?? emptyChain);
        return;
      }
      this.#committed.put(entry);
      if (entry.kind === "configuration")
        this.#configurations.push({ index: next, configuration: entry.configuration });
    }
  }

  /** A request arrived that asks for the latest state. */
  readAsked(board: SimBoard, request: string): void {
    this.#answers.readAsked(board.name, request, this.#committed.lastIndex);
  }

  /** A board answers a request. */
  answered(board: SimBoard, request: string): void {
    this.#reportAnswer(board, this.#answers.answered(board.name, request, board.replica?.raft?.appliedIndex ?? 0));
  }

  #reportAnswer(board: SimBoard, broken: BrokenAnswer | null): void {
    if (broken !== null) this.report(broken.invariant, board.name, broken.detail);
  }

  // Bookkeeping

  /** A process has opened its disk: its log is what the disk gave back, and no promise of it may be forgotten. */
  #opened(board: SimBoard, id: MemberId, lastIndex: LogIndex): void {
    const process = this.#process(board);
    const raft = board.replica?.raft;
    const member = this.#member(id);
    process.member = id;
    member.saves.length = 0;
    if (raft === undefined || raft === null) return;
    if (raft.term < member.promisedTerm) {
      this.report(
        "a board keeps its promises",
        board.name,
        `it promised in term ${member.promisedTerm}, now it is in ${raft.term}`,
      );
    }
    const vote = member.votes.get(raft.term);
    if (vote !== undefined && vote !== raft.votedFor) {
      const now = raft.votedFor === null ? "nobody" : raft.votedFor;
      this.report(
        "a board keeps its promises",
        board.name,
        `in term ${raft.term} it voted for ${vote}, now for ${now}`,
      );
    }
    if (lastIndex < member.log.durableIndex) {
      this.report(
        "what is on disk stays on disk",
        board.name,
        `its log ends at ${lastIndex}, it was durable up to ${member.log.durableIndex}`,
      );
    }
    process.role = "follower";
    this.#answers.rebooted(board.name);
    process.commitIndex = raft.snapshotIndex;
    process.appliedIndex = raft.snapshotIndex;
    process.configuration = raft.configuration;
    process.configurationIndex = raft.configurationIndex;
    const { log } = member;
    this.#startFrom(log, raft.snapshotIndex, raft.termAt(raft.snapshotIndex) ?? 0);
    for (let index = raft.snapshotIndex + 1; index <= raft.lastIndex; index += 1) {
      const entry = raft.entryAt(index);
      if (entry !== null) this.#appended(board, log, entry);
    }
    log.durableIndex = raft.lastIndex;
  }

  /** A log that begins with a snapshot: what the snapshot covers is committed, so its hash is known. */
  #startFrom(log: LogMirror, index: LogIndex, term: Term): void {
    log.startAt(index, term, this.#committed.chainAt(index) ?? emptyChain);
  }

  #configurationAt(index: LogIndex): Configuration | undefined {
    let inForce = this.#configurations[0];
    for (const candidate of this.#configurations) if (candidate.index <= index) inForce = candidate;
    return inForce?.configuration;
  }

  /** Forgets what no board can come back to: a run may be long. */
  #trim(): void {
    let needed = this.#committed.lastIndex;
    for (const { member } of this.#processes) needed = Math.min(needed, this.#member(member).log.baseIndex);
    const bases = this.#boards().map((board) => board.replica?.raft?.snapshotIndex ?? 0);
    needed = Math.max(needed, Math.min(...bases, this.#committed.lastIndex) - entriesKept);
    if (needed - this.#committed.baseIndex < entriesKept) return;
    this.#committed.trimTo(needed);
    for (const { log } of this.#members.values()) log.trimTo(needed);
    for (const key of this.#entries.keys()) {
      if (key >= needed * termsMax) break;
      this.#entries.delete(key);
    }
    this.#answers.trimTo(needed);
  }

  #process(board: SimBoard): Process {
    const process = this.#processes[board.index];
    if (process === undefined) throw new RangeError(`There is no board ${board.index}.`);
    return process;
  }

  #member(id: MemberId): Member {
    const known = this.#members.get(id);
    if (known !== undefined) return known;
    const member: Member = { log: new LogMirror(), saves: [], promisedTerm: 0, votes: new Map() };
    this.#members.set(id, member);
    return member;
  }
}

/** Terms below this fit beside an index in one number. */
const termsMax = 1_000_000;
const leadersKept = 4_096;
const votesKept = 64;
const snapshotsKept = 16;
const entriesKept = 20_000;
